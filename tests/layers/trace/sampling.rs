//! Which calls are recorded.

use farcall::layers::{Trace, answer, describe};
use farcall::{Layer, Request, Server, Stack, TraceParent};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Registry, reload};

use crate::recorded::{Listening, Spans};
use crate::shop::{Corner, ShopClient, ShopServer, stand_in};

const SAMPLED: &str = "00-12345678901234567890123456789012-1234567890123456-01";

/// Two hops; the answer is what arrived at the last: the trace's id, halved for its low part, and whether it is recorded.
fn hops(client: Trace, server: Trace) -> ShopClient<impl farcall::Service> {
    ShopClient::new(Stack::new(client, server).layer(stand_in(|request: Request| async move {
        let trace = TraceParent::parse(request.metadata().text("traceparent").unwrap()).unwrap();
        answer(&request, &u64::from(trace.is_sampled()))
    })))
}

#[tokio::test]
async fn a_trace_that_is_not_recorded_has_no_spans_and_says_so_downstream() {
    let (spans, _guard) = Spans::listen();
    let client = hops(Trace::client().ratio(0.0), Trace::server().ratio(1.0));
    assert_eq!(client.buy("x".into()).await.unwrap(), 0);
    assert!(spans.all().is_empty());
}

#[tokio::test]
async fn the_callers_flag_rules_and_the_ratio_only_where_there_is_no_caller() {
    let (spans, _guard) = Spans::listen();
    let client = hops(Trace::client().ratio(0.0), Trace::server().ratio(0.0));
    assert_eq!(client.buy("x".into()).metadata("traceparent", SAMPLED).await.unwrap(), 1);
    assert_eq!(spans.all().len(), 2);
    spans.clear();
    let client = hops(Trace::client(), Trace::server());
    let unsampled = SAMPLED.replace("-01", "-00");
    assert_eq!(client.buy("x".into()).metadata("traceparent", unsampled).await.unwrap(), 0);
    assert!(spans.all().is_empty());
    // Flags that this version does not know do not count.
    let others = SAMPLED.replace("-01", "-fe");
    assert_eq!(client.buy("x".into()).metadata("traceparent", others).await.unwrap(), 0);
}

#[tokio::test]
async fn a_ratio_records_that_part_of_the_traces_and_their_ids_decide() {
    let (spans, _guard) = Spans::listen();
    let client = hops(Trace::client().ratio(0.25), Trace::server().ratio(0.25));
    let mut recorded = 0;
    for _ in 0..2_000 {
        recorded += client.buy("x".into()).await.unwrap();
    }
    assert!((350..650).contains(&recorded), "{recorded} of 2,000");
    assert_eq!(spans.all().len() as u64, 2 * recorded);
    for span in spans.all() {
        let low = u64::from_str_radix(&span.get("trace_id")[16..], 16).unwrap() >> 1;
        assert!((low as f64) < 0.25 * (1_u64 << 63) as f64);
    }
}

#[tokio::test]
async fn a_filter_that_is_changed_while_the_program_runs_counts_from_the_next_call_on() {
    let spans = Spans::default();
    let (filter, handle) = reload::Layer::new(LevelFilter::WARN);
    let _guard = Listening::with(Registry::default().with(filter).with(spans.clone()));
    let server = Server::builder().service(ShopServer::new(Corner)).layer(Trace::server());
    let server = server.bind("mem://").await.unwrap();
    let client = ShopClient::connect(server.uri()).await.unwrap();
    for (level, expected) in [(LevelFilter::INFO, 1), (LevelFilter::OFF, 1), (LevelFilter::INFO, 2)] {
        handle.reload(level).unwrap();
        client.price("ink".into()).await.unwrap();
        assert_eq!(spans.all().len(), expected, "{level}");
    }
    server.shutdown().await;
}

#[test]
fn settings_are_clamped_and_described() {
    let service =
        Stack::new(Trace::client().ratio(7.0), Trace::server().ratio(-1.0)).layer(farcall::Router::new());
    let expected = ["Trace(client, 1 of new traces)", "Trace(server, 0 of new traces)", "{}"];
    assert_eq!(describe(&service), expected);
}
