//! Handlers that never end, and scrapers that hang: each test bears the number of its case.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use farcall::layers::Metrics;
use farcall::metrics::Prometheus;
use farcall::{Inspector, Server, service};
use tokio::runtime::{Builder, Runtime};

use crate::scrape::{BOUND, Scrape, comes_true, try_send};

#[service]
trait Mill {
    async fn spin(&self) -> u64;
    async fn spin_on(&self) -> u64;
    async fn grind(&self, corn: u64) -> u64;
}

/// Spins until it is told to stop, without giving way.
#[derive(Clone, Default)]
struct Wheel(Arc<AtomicBool>);

impl Wheel {
    fn turn(&self) -> u64 {
        let mut turns = 0;
        while !self.0.load(Ordering::Relaxed) {
            turns += 1;
            std::hint::spin_loop();
        }
        turns
    }
}

impl Mill for Wheel {
    async fn spin(&self) -> u64 {
        self.turn()
    }

    async fn spin_on(&self) -> u64 {
        self.turn()
    }

    async fn grind(&self, corn: u64) -> u64 {
        corn + 1
    }
}

/// Lets the wheel stop, also when a test fails: a runtime waits for it.
struct Stops(Wheel);

impl Drop for Stops {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

fn runtime(threads: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap()
}

struct Set {
    uri: String,
    prometheus: Prometheus,
    _server: Server,
}

async fn serve(wheel: &Wheel) -> Set {
    let inspector = Inspector::new();
    let prometheus = Prometheus::builder()
        .inspector(&inspector)
        .stuck_after(Duration::from_millis(50))
        .bind("127.0.0.1:0")
        .unwrap();
    let server = Server::builder().service(MillServer::new(wheel.clone())).layer(Metrics::server());
    let server = server.inspector(&inspector).bind("tcp://127.0.0.1:0").await.unwrap();
    Set { uri: server.uri().to_owned(), prometheus, _server: server }
}

impl Set {
    fn of_spin(&self, seen: &Scrape, name: &str) -> f64 {
        let labels = format!("method=\"spin\",server=\"{}\",service=\"Mill\"", self.uri);
        seen.get(&format!("farcall_server_{name}{{{labels}}}"))
    }

    fn waiting(&self, seen: &Scrape) -> f64 {
        let labels = format!("server=\"{}\",waits_for=\"handler\"", self.uri);
        seen.get(&format!("farcall_server_calls_waiting{{{labels}}}"))
    }
}

#[test]
fn fault_48_a_handler_that_never_ends_is_seen_even_while_it_holds_all_threads() {
    let wheel = Wheel::default();
    // One thread: while the handler spins, nothing else of the server runs.
    let (servers, clients) = (runtime(1), runtime(1));
    let _stops = Stops(wheel.clone());
    let set = servers.block_on(serve(&wheel));
    clients.block_on(async {
        let client = MillClient::connect(&set.uri).await.unwrap();
        let call = tokio::spawn(client.spin());
        let address = set.prometheus.address();
        let seen = comes_true(address, |seen| set.of_spin(seen, "calls_stuck") == 1.0).await;
        let age = set.of_spin(&seen, "oldest_call_age_seconds");
        assert!(age >= 0.05, "{age}");
        assert_eq!(set.waiting(&seen), 1.0);
        // It is alone at fault.
        let stuck: Vec<_> = seen
            .named("farcall_server_calls_stuck")
            .into_iter()
            .filter(|(name, calls)| name.contains(&set.uri) && *calls > 0.0)
            .collect();
        assert_eq!(stuck.len(), 1, "{stuck:?}");
        drop(Stops(wheel.clone()));
        call.await.unwrap().unwrap();
        let seen = comes_true(address, |seen| set.of_spin(seen, "calls_stuck") == 0.0).await;
        assert_eq!(set.of_spin(&seen, "oldest_call_age_seconds"), 0.0);
    });
}

#[test]
fn fault_48_a_handler_that_goes_on_after_its_caller_has_gone_is_still_in_flight() {
    let wheel = Wheel::default();
    let (servers, clients) = (runtime(2), runtime(1));
    let _stops = Stops(wheel.clone());
    let set = servers.block_on(serve(&wheel));
    clients.block_on(async {
        let client = MillClient::connect(&set.uri).await.unwrap();
        let in_flight = "farcall_server_calls_in_flight{method=\"spin_on\",service=\"Mill\"}";
        let call = client.spin_on().timeout(Duration::from_millis(20));
        call.await.unwrap_err();
        let gone = |seen: &Scrape| set.waiting(seen) == 0.0 && seen.get(in_flight) == 1.0;
        comes_true(set.prometheus.address(), gone).await;
        assert_eq!(client.grind(1).await.unwrap(), 2, "others live");
    });
}

#[test]
fn fault_54_scrapers_that_hang_leave_calls_unaffected() {
    let wheel = Wheel::default();
    let (servers, clients) = (runtime(1), runtime(1));
    let set = servers.block_on(serve(&wheel));
    let address = set.prometheus.address();
    let hang = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    };
    // They send a part, or ask and read nothing, and take all places.
    let hanging: Vec<_> = (0..30)
        .map(|number| match number % 2 {
            0 => hang(b"GET /metrics HT"),
            _ => hang(b"GET /metrics HTTP/1.1\r\n\r\n"),
        })
        .collect();
    clients.block_on(async {
        let client = MillClient::connect(&set.uri).await.unwrap();
        let began_at = Instant::now();
        for corn in 0..500 {
            assert_eq!(client.grind(corn).await.unwrap(), corn + 1);
        }
        assert!(began_at.elapsed() < Duration::from_secs(5), "{:?}", began_at.elapsed());
    });
    drop(hanging);
    let began_at = Instant::now();
    let answer = clients.block_on(async {
        // Until the places of those who hung up are free, connections are closed.
        loop {
            let answer = try_send(address, b"GET /metrics HTTP/1.1\r\n\r\n").await.unwrap_or_default();
            if !answer.is_empty() {
                break answer;
            }
            assert!(began_at.elapsed() < BOUND, "places are free again");
        }
    });
    let calls = "farcall_server_calls_finished_total{code=\"OK\",method=\"grind\",service=\"Mill\"}";
    assert!(Scrape::parse(answer.split_once("\r\n\r\n").unwrap().1).get(calls) >= 500.0, "{answer}");
}

#[test]
fn fault_54_an_endpoint_that_cannot_listen_or_has_gone_leaves_calls_unaffected() {
    let wheel = Wheel::default();
    let servers = runtime(1);
    servers.block_on(async {
        let set = serve(&wheel).await;
        Prometheus::builder().bind(set.prometheus.address()).unwrap_err();
        let Set { uri, prometheus, _server } = set;
        drop(prometheus);
        let client = MillClient::connect(&uri).await.unwrap();
        for corn in 0..200 {
            assert_eq!(client.grind(corn).await.unwrap(), corn + 1);
        }
    });
}
