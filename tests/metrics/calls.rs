//! What calls leave behind.

use std::time::Duration;

use farcall::layers::{Metrics, Retry};
use farcall::{
    BoxService, Channel, Code, Error, ErrorKind, Layer, MethodId, Next, Request, Router, Server, Service,
    Stack, Status, Streaming, layer_fn, service,
};
use futures::{FutureExt, Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};

use crate::scrape::{Scrape, comes_true, endpoint, scrape};

#[derive(Debug, Serialize, Deserialize)]
pub struct TooSmall;

#[service]
pub trait Tally {
    async fn add(&self, a: u64, b: u64) -> u64;
    async fn half(&self, of: u64) -> Result<u64, TooSmall>;
    async fn boom(&self) -> u64;
    async fn hang(&self) -> u64;
    async fn hang_here(&self) -> u64;
    fn count(&self, to: u64) -> impl Stream<Item = u64> + Send;
    fn count_half(&self, to: u64) -> impl Stream<Item = u64> + Send;
    async fn sum(&self, numbers: Streaming<u64>) -> u64;
    #[rpc(idempotent)]
    async fn flaky(&self) -> u64;
    #[rpc(idempotent)]
    async fn broken(&self) -> u64;
    async fn timed(&self) -> u64;
    async fn denied(&self) -> u64;
}

pub struct Plain;

impl Tally for Plain {
    async fn add(&self, a: u64, b: u64) -> u64 {
        a + b
    }

    async fn half(&self, of: u64) -> Result<u64, TooSmall> {
        if of < 2 { Err(TooSmall) } else { Ok(of / 2) }
    }

    async fn boom(&self) -> u64 {
        panic!("on purpose")
    }

    async fn hang(&self) -> u64 {
        std::future::pending().await
    }

    async fn hang_here(&self) -> u64 {
        std::future::pending().await
    }

    fn count(&self, to: u64) -> impl Stream<Item = u64> + Send {
        stream::iter(0..to)
    }

    fn count_half(&self, to: u64) -> impl Stream<Item = u64> + Send {
        stream::iter(0..to).chain(stream::pending())
    }

    async fn sum(&self, numbers: Streaming<u64>) -> u64 {
        numbers.filter_map(async |number| number.ok()).fold(0, async |sum, number| sum + number).await
    }

    async fn flaky(&self) -> u64 {
        7
    }

    async fn broken(&self) -> u64 {
        7
    }

    async fn denied(&self) -> u64 {
        7
    }

    async fn timed(&self) -> u64 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        7
    }
}

/// A metric of one of the methods.
fn of(scrape: &Scrape, name: &str, method: &str) -> f64 {
    scrape.get(&format!("farcall_{name}{{method=\"{method}\",service=\"Tally\"}}"))
}

/// The same, of calls that ended in one way.
fn ended(scrape: &Scrape, name: &str, code: &str, method: &str) -> f64 {
    scrape.get(&format!("farcall_{name}{{code=\"{code}\",method=\"{method}\",service=\"Tally\"}}"))
}

async fn serve() -> (Server, TallyClient<BoxService>) {
    endpoint();
    let server = Server::builder().service(TallyServer::new(Plain)).layer(Metrics::server());
    let server = server.bind("mem://").await.unwrap();
    let channel = Channel::connect(server.uri()).await.unwrap();
    (server, TallyClient::new(BoxService::new(Metrics::client().layer(channel))))
}

#[tokio::test]
async fn a_call_is_counted_and_measured_on_both_sides() {
    let (_server, client) = serve().await;
    for _ in 0..3 {
        client.add(1, 2).await.unwrap();
    }
    let seen = scrape(endpoint()).await;
    for side in ["client", "server"] {
        assert_eq!(of(&seen, &format!("{side}_calls_started_total"), "add"), 3.0, "{}", seen.text);
        assert_eq!(ended(&seen, &format!("{side}_calls_finished_total"), "OK", "add"), 3.0);
        assert_eq!(ended(&seen, &format!("{side}_call_duration_seconds_count"), "OK", "add"), 3.0);
        assert!(ended(&seen, &format!("{side}_call_duration_seconds_sum"), "OK", "add") > 0.0);
        assert_eq!(of(&seen, &format!("{side}_calls_in_flight"), "add"), 0.0);
        // Two numbers of a byte each, and one.
        assert_eq!(of(&seen, &format!("{side}_call_request_size_bytes_sum"), "add"), 6.0);
        assert_eq!(of(&seen, &format!("{side}_call_request_size_bytes_count"), "add"), 3.0);
        assert_eq!(of(&seen, &format!("{side}_call_response_size_bytes_sum"), "add"), 3.0);
    }
    assert!(seen.get("farcall_server_queue_duration_seconds_count") >= 3.0, "{}", seen.text);
}

#[tokio::test(start_paused = true)]
async fn a_duration_is_the_time_that_a_call_took() {
    endpoint();
    let client = TallyClient::new(Metrics::client().layer(TallyServer::new(Plain)));
    client.timed().await.unwrap();
    // The clock stands still for the scraper.
    let seen = scrape(endpoint()).await;
    let sum = ended(&seen, "client_call_duration_seconds_sum", "OK", "timed");
    assert!((0.3..0.31).contains(&sum), "{sum}");
    let bucket = |bound: &str| {
        let labels = format!("code=\"OK\",method=\"timed\",service=\"Tally\",le=\"{bound}\"");
        seen.get(&format!("farcall_client_call_duration_seconds_bucket{{{labels}}}"))
    };
    assert_eq!([bucket("0.25"), bucket("0.5"), bucket("+Inf")], [0.0, 1.0, 1.0]);
}

#[tokio::test]
async fn a_methods_own_error_is_no_status_and_a_panic_is_one() {
    let (_server, client) = serve().await;
    client.half(1).await.unwrap_err();
    client.half(4).await.unwrap();
    client.boom().await.unwrap_err();
    let seen = scrape(endpoint()).await;
    for side in ["client", "server"] {
        let name = format!("{side}_calls_finished_total");
        assert_eq!(ended(&seen, &name, "METHOD_ERROR", "half"), 1.0, "{}", seen.text);
        assert_eq!(ended(&seen, &name, "OK", "half"), 1.0);
        assert_eq!(ended(&seen, &name, "INTERNAL", "boom"), 1.0);
        // Its error is an answer, too; a status is none.
        assert_eq!(of(&seen, &format!("{side}_call_response_size_bytes_count"), "half"), 2.0);
        assert_eq!(of(&seen, &format!("{side}_call_response_size_bytes_count"), "boom"), 0.0);
    }
}

#[tokio::test]
async fn a_call_is_in_flight_until_it_is_dropped_on_both_sides() {
    let (_server, client) = serve().await;
    let hanging = tokio::spawn(client.hang());
    comes_true(endpoint(), |seen| of(seen, "server_calls_in_flight", "hang") == 1.0).await;
    let seen = scrape(endpoint()).await;
    assert_eq!(of(&seen, "client_calls_in_flight", "hang"), 1.0);
    assert_eq!(of(&seen, "client_calls_started_total", "hang"), 1.0);
    assert_eq!(ended(&seen, "client_calls_finished_total", "CANCELLED", "hang"), 0.0);
    hanging.abort();
    comes_true(endpoint(), |seen| ended(seen, "server_calls_finished_total", "CANCELLED", "hang") == 1.0)
        .await;
    let seen = comes_true(endpoint(), |seen| of(seen, "client_calls_in_flight", "hang") == 0.0).await;
    assert_eq!(of(&seen, "server_calls_in_flight", "hang"), 0.0);
    assert_eq!(ended(&seen, "client_calls_finished_total", "CANCELLED", "hang"), 1.0);
}

#[tokio::test]
async fn streams_are_counted_by_item_in_both_directions() {
    let (_server, client) = serve().await;
    assert_eq!(client.count(100).await.unwrap().count().await, 100);
    assert_eq!(client.sum(stream::iter(1..=10)).await.unwrap(), 55);
    let is_over = |seen: &Scrape| of(seen, "server_call_request_size_bytes_count", "sum") == 1.0;
    let seen = comes_true(endpoint(), is_over).await;
    for (name, method, items) in [
        ("client_call_items_sent_total", "sum", 10.0),
        ("server_call_items_received_total", "sum", 10.0),
        ("server_call_items_sent_total", "count", 100.0),
        ("client_call_items_received_total", "count", 100.0),
        ("client_call_items_received_total", "sum", 0.0),
        ("server_call_items_sent_total", "sum", 0.0),
        ("client_call_items_sent_total", "count", 0.0),
        // A byte each; of an empty message there are none.
        ("client_call_request_size_bytes_sum", "sum", 10.0),
        ("server_call_request_size_bytes_sum", "sum", 10.0),
        ("client_call_response_size_bytes_sum", "count", 100.0),
        ("server_call_response_size_bytes_sum", "count", 100.0),
    ] {
        assert_eq!(of(&seen, name, method), items, "{name} of {method}\n{}", seen.text);
    }
    assert_eq!(ended(&seen, "client_calls_finished_total", "OK", "count"), 1.0);
}

#[tokio::test]
async fn a_stream_is_in_flight_until_it_is_dropped() {
    let (_server, client) = serve().await;
    let mut items = client.count_half(2).await.unwrap();
    items.next().await.unwrap().unwrap();
    items.next().await.unwrap().unwrap();
    let seen = scrape(endpoint()).await;
    assert_eq!(of(&seen, "client_calls_in_flight", "count_half"), 1.0);
    drop(items);
    // A scrape reads one metric after the other, while the server's end is on its way.
    let is_over = |seen: &Scrape| {
        of(seen, "server_calls_in_flight", "count_half") == 0.0
            && ended(seen, "server_calls_finished_total", "CANCELLED", "count_half") == 1.0
    };
    let seen = comes_true(endpoint(), is_over).await;
    assert_eq!(ended(&seen, "client_calls_finished_total", "CANCELLED", "count_half"), 1.0);
}

/// Refuses the first attempts of each call.
fn refusing(attempts: u32) -> impl Service {
    let refused = std::sync::atomic::AtomicU32::new(0);
    layer_fn(move |request: Request, next: Next| {
        let number = refused.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        async move {
            if number < attempts {
                return Err(Error::new(ErrorKind::Refused, "on purpose"));
            }
            next.call(request).await
        }
    })
    .layer(TallyServer::new(Plain))
}

#[tokio::test(start_paused = true)]
async fn calls_and_attempts_are_told_apart() {
    endpoint();
    let layers = || Stack::new(Metrics::client(), Stack::new(Retry::new(), Metrics::attempts()));
    let client = TallyClient::new(layers().layer(refusing(2)));
    assert_eq!(client.flaky().await.unwrap(), 7);
    let client = TallyClient::new(layers().layer(refusing(9)));
    client.broken().await.unwrap_err();
    let seen = scrape(endpoint()).await;
    for (name, code, method, calls) in [
        ("client_calls_finished_total", "OK", "flaky", 1.0),
        ("client_calls_finished_total", "UNAVAILABLE", "flaky", 0.0),
        ("client_attempts_finished_total", "UNAVAILABLE", "flaky", 2.0),
        ("client_attempts_finished_total", "OK", "flaky", 1.0),
        ("client_attempt_duration_seconds_count", "UNAVAILABLE", "flaky", 2.0),
        ("client_calls_finished_total", "UNAVAILABLE", "broken", 1.0),
        ("client_attempts_finished_total", "UNAVAILABLE", "broken", 3.0),
    ] {
        assert_eq!(ended(&seen, name, code, method), calls, "{name} {code} of {method}\n{}", seen.text);
    }
    for method in ["flaky", "broken"] {
        assert_eq!(of(&seen, "client_calls_started_total", method), 1.0);
        assert_eq!(of(&seen, "client_attempts_started_total", method), 3.0);
        assert_eq!(of(&seen, "client_attempts_in_flight", method), 0.0);
        assert_eq!(of(&seen, "client_retries_total", method), 2.0);
    }
}

#[tokio::test]
async fn strangers_cannot_make_up_labels() {
    endpoint();
    let service =
        Server::builder().service(TallyServer::new(Plain)).layer(Metrics::server()).build().unwrap();
    for id in 0..1000 {
        let body = farcall::Body::new("x".into());
        let error =
            service.call(Request::by_id(MethodId::new(id), Default::default(), body)).await.unwrap_err();
        assert_eq!(error.code(), Code::Unimplemented);
    }
    let seen = scrape(endpoint()).await;
    let others: Vec<_> = seen
        .named("farcall_server_calls_finished_total")
        .into_iter()
        .filter(|(name, _)| name.contains("UNIMPLEMENTED"))
        .collect();
    let other =
        "farcall_server_calls_finished_total{code=\"UNIMPLEMENTED\",method=\"_OTHER\",service=\"_OTHER\"}";
    assert_eq!(others, [(other, 1000.0)]);
}

#[tokio::test]
async fn a_status_that_a_layer_within_answers_with_is_the_code() {
    endpoint();
    let denied =
        layer_fn(|_: Request, _: Next| async { Err(Status::new(Code::PermissionDenied, "no").into()) });
    let client = TallyClient::new(Stack::new(Metrics::client(), denied).layer(Router::new()));
    client.denied().await.unwrap_err();
    let mut dropped =
        Box::pin(TallyClient::new(Metrics::client().layer(TallyServer::new(Plain))).hang_here());
    assert!(dropped.as_mut().now_or_never().is_none());
    drop(dropped);
    let seen = scrape(endpoint()).await;
    assert_eq!(ended(&seen, "client_calls_finished_total", "PERMISSION_DENIED", "denied"), 1.0);
    assert_eq!(ended(&seen, "client_calls_finished_total", "CANCELLED", "hang_here"), 1.0);
}

#[test]
fn each_layer_says_what_it_measures() {
    let layers = Stack::new(Metrics::client(), Stack::new(Metrics::attempts(), Metrics::server()));
    let lines = farcall::layers::describe(&layers.layer(Router::new()));
    assert_eq!(lines[..3], ["Metrics(client)", "Metrics(attempts)", "Metrics(server)"]);
}
