//! What a sampler sees of a server.

use farcall::layers::Metrics;
use farcall::metrics::Prometheus;
use farcall::{Channel, Inspector, Limits, Server, service};
use futures::{Stream, stream};

use crate::scrape::{Scrape, comes_true, scrape};

#[service]
trait Depot {
    async fn keep(&self, parcel: Vec<u8>) -> u64;
    async fn hang(&self) -> u64;
    fn flood(&self) -> impl Stream<Item = Vec<u8>> + Send;
}

struct Shelf;

impl Depot for Shelf {
    async fn keep(&self, parcel: Vec<u8>) -> u64 {
        parcel.len() as u64
    }

    async fn hang(&self) -> u64 {
        std::future::pending().await
    }

    fn flood(&self) -> impl Stream<Item = Vec<u8>> + Send {
        stream::repeat_with(|| vec![7; 1000])
    }
}

struct Set {
    server: Server,
    prometheus: Prometheus,
}

impl Set {
    async fn start() -> Self {
        let inspector = Inspector::new();
        let prometheus = Prometheus::builder().inspector(&inspector).bind("127.0.0.1:0").unwrap();
        let server = Server::builder()
            .service(DepotServer::new(Shelf))
            .layer(Metrics::server())
            .inspector(&inspector)
            .max_connections(5)
            .max_oneway_calls(3)
            .limits(Limits::default().calls_in_flight(9))
            .bind("tcp://127.0.0.1:0")
            .await
            .unwrap();
        Self { server, prometheus }
    }

    async fn connect(&self) -> DepotClient<Channel> {
        DepotClient::connect(self.server.uri()).await.unwrap()
    }

    fn get(&self, scrape: &Scrape, name: &str) -> f64 {
        scrape.get(&format!("farcall_server_{name}{{server=\"{}\"}}", self.server.uri()))
    }

    fn waiting(&self, scrape: &Scrape, waits_for: &str) -> f64 {
        let uri = self.server.uri();
        scrape.get(&format!("farcall_server_calls_waiting{{server=\"{uri}\",waits_for=\"{waits_for}\"}}"))
    }
}

#[tokio::test]
async fn a_server_is_seen_with_its_connections_and_limits() {
    let set = Set::start().await;
    let (first, second) = (set.connect().await, set.connect().await);
    let address = set.prometheus.address();
    let seen = comes_true(address, |seen| set.get(seen, "connections_opened_total") == 2.0).await;
    for (name, value) in [
        ("connections", 2.0),
        ("connections_limit", 5.0),
        ("oneway_calls", 0.0),
        ("oneway_calls_limit", 3.0),
        ("connection_calls_limit", 9.0),
        ("leaving", 0.0),
        ("failures_total", 0.0),
    ] {
        assert_eq!(set.get(&seen, name), value, "{name}\n{}", seen.text);
    }
    assert!(set.get(&seen, "uptime_seconds") > 0.0);
    drop((first, second));
    let seen = comes_true(address, |seen| set.get(seen, "connections") == 0.0).await;
    assert_eq!(set.get(&seen, "connections_opened_total"), 2.0);
    set.server.handle().shutdown();
    assert_eq!(set.get(&scrape(address).await, "leaving"), 1.0);
}

#[tokio::test]
async fn bytes_only_grow_also_when_their_connections_go() {
    let set = Set::start().await;
    let address = set.prometheus.address();
    let mut last = 0.0;
    for round in 1..=5 {
        let client = set.connect().await;
        client.keep(vec![7; 10_000]).await.unwrap();
        let seen = scrape(address).await;
        let received = set.get(&seen, "received_bytes_total");
        assert!(received >= last + 10_000.0, "{last} then {received}");
        assert!(set.get(&seen, "sent_bytes_total") > f64::from(round));
        last = received;
        drop(client);
        let seen = comes_true(address, |seen| set.get(seen, "connections") == 0.0).await;
        assert!(set.get(&seen, "received_bytes_total") >= last);
    }
    assert!((50_000.0..60_000.0).contains(&last), "{last}");
}

#[tokio::test]
async fn calls_under_way_are_seen_by_what_they_wait_for() {
    let set = Set::start().await;
    let address = set.prometheus.address();
    let client = set.connect().await;
    let hanging = [tokio::spawn(client.hang()), tokio::spawn(client.hang())];
    let mut unread = client.flood().await.unwrap();
    unread.next().await.unwrap().unwrap();
    let seen =
        comes_true(address, |seen| set.waiting(seen, "handler") == 2.0 && set.waiting(seen, "reader") == 1.0);
    let seen = seen.await;
    assert_eq!(set.get(&seen, "connection_calls_max"), 3.0);
    assert!(
        set.get(&seen, "unsent_bytes") == 0.0
            && seen.has("farcall_server_calls_in_flight{method=\"hang\",service=\"Depot\"}")
    );
    hanging.iter().for_each(|call| call.abort());
    drop(unread);
    comes_true(address, |seen| {
        ["handler", "reader", "items", "link"].iter().all(|waits| set.waiting(seen, waits) == 0.0)
    })
    .await;
}

#[tokio::test]
async fn a_server_that_does_not_listen_yet_is_not_seen() {
    let prometheus = Prometheus::builder().inspector(&Inspector::new()).bind("127.0.0.1:0").unwrap();
    let seen = scrape(prometheus.address()).await;
    assert!(seen.has("farcall_prometheus_series"), "{}", seen.text);
}
