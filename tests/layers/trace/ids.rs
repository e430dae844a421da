//! What goes along in metadata: ids of spans while somebody listens, else what came.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use farcall::layers::{Trace, answer};
use farcall::{
    BoxService, Channel, Context, Layer, Metadata, Request, Server, Stack, TraceParent, Value, service,
};

use crate::recorded::{Silence, Spans};
use crate::shop::{ShopClient, stand_in};

const TRACE: &str = "12345678901234567890123456789012";
const VALID: &str = "00-12345678901234567890123456789012-1234567890123456-01";

/// Answers calls, and keeps the metadata of each.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Metadata>>>);

impl Kept {
    fn service(&self) -> BoxService {
        let kept = self.0.clone();
        stand_in(move |request: Request| {
            kept.lock().unwrap().push(request.metadata().clone());
            async move { answer(&request, &1_u64) }
        })
    }

    fn client(&self) -> ShopClient<impl farcall::Service + use<>> {
        ShopClient::new(Trace::server().layer(self.service()))
    }

    fn last(&self) -> Metadata {
        self.0.lock().unwrap().last().unwrap().clone()
    }

    fn trace(&self) -> TraceParent {
        TraceParent::parse(self.last().text("traceparent").unwrap()).unwrap()
    }
}

fn id(trace: TraceParent) -> String {
    format!("{:032x}", trace.trace_id())
}

#[tokio::test]
async fn a_well_formed_parent_is_kept_and_a_malformed_one_starts_a_new_trace() {
    let (_spans, _guard) = Spans::listen();
    let kept = Kept::default();
    let client = kept.client();
    for valid in
        [VALID, "cc-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like"]
    {
        client.buy("x".into()).metadata("traceparent", valid).await.unwrap();
        assert_eq!(id(kept.trace()), TRACE);
        assert_ne!(kept.trace().parent_id(), 0x1234_5678_9012_3456, "the span of this call is a new one");
        assert!(kept.last().text("traceparent").unwrap().starts_with("00-"));
    }
    let malformed = [
        Value::from(VALID.replace("00-", "ff-")),
        Value::from(VALID.replace("-01", "-01-more")),
        Value::from(VALID.replace(TRACE, &"0".repeat(32))),
        Value::from(VALID.replace("1234567890123456-01", "0000000000000000-01")),
        Value::from(format!("{VALID},{VALID}")),
        Value::from(""),
        Value::from(VALID.as_bytes()),
    ];
    for value in malformed {
        let call = client.buy("x".into()).metadata("traceparent", value.clone());
        call.metadata("tracestate", "foo=1").metadata("baggage", "tenant=a1").await.unwrap();
        assert_ne!(id(kept.trace()), TRACE, "{value:?}");
        assert!(kept.trace().is_sampled());
        assert_eq!(kept.last().value("tracestate"), None, "it says nothing without the trace that it is of");
        assert_eq!(kept.last().text("baggage"), Some("tenant=a1"));
    }
}

#[tokio::test]
async fn each_call_of_a_trace_is_a_span_of_its_own() {
    let (_spans, _guard) = Spans::listen();
    let kept = Kept::default();
    let client = kept.client();
    let mut spans = Vec::new();
    for _ in 0..3 {
        client.buy("x".into()).metadata("traceparent", VALID).await.unwrap();
        assert_eq!(id(kept.trace()), TRACE);
        spans.push(kept.trace().parent_id());
    }
    let mut traces = Vec::new();
    for _ in 0..3 {
        client.buy("x".into()).await.unwrap();
        traces.push(kept.trace().trace_id());
        spans.push(kept.trace().parent_id());
    }
    let spans: BTreeSet<u64> = spans.into_iter().collect();
    let traces: BTreeSet<u128> = traces.into_iter().collect();
    assert_eq!((spans.len(), traces.len()), (6, 3));
}

#[tokio::test]
async fn what_is_over_a_limit_does_not_go_on() {
    let (_spans, _guard) = Spans::listen();
    let kept = Kept::default();
    let client = kept.client();
    let members =
        |count: usize| (0..count).map(|number| format!("k{number}=v")).collect::<Vec<_>>().join(",");
    for (key, value, expected) in [
        ("tracestate", "foo=1 , bar=2".to_owned(), Some("foo=1,bar=2".to_owned())),
        ("tracestate", members(32), Some(members(32))),
        ("tracestate", members(33), None),
        ("tracestate", "foo=1,foo=2".to_owned(), None),
        ("tracestate", String::new(), None),
        ("baggage", members(64), Some(members(64))),
        ("baggage", members(65), Some(members(64))),
        ("baggage", "a=1,?".to_owned(), Some("a=1".to_owned())),
        ("baggage", " ".to_owned(), None),
    ] {
        client.buy("x".into()).metadata("traceparent", VALID).metadata(key, value.clone()).await.unwrap();
        assert_eq!(kept.last().text(key).map(str::to_owned), expected, "{key}: {value}");
        assert_eq!(id(kept.trace()), TRACE);
    }
    let binary = Value::from(&b"a=1"[..]);
    client.buy("x".into()).metadata("baggage", binary).await.unwrap();
    assert_eq!(kept.last().value("baggage"), None);
}

#[service]
trait Middle {
    async fn pass_on(&self) -> (String, Option<String>);
}

struct Through<S>(ShopClient<S>);

impl<S: farcall::Service> Middle for Through<S> {
    async fn pass_on(&self) -> (String, Option<String>) {
        self.0.buy("x".into()).await.unwrap();
        let trace = Context::current().trace().unwrap().to_string();
        let tenant = Context::current().baggage().value("tenant").map(|tenant| tenant.into_owned());
        // A task of its own takes the context along, and with it the trace.
        tokio::spawn(Context::current().scope(self.0.buy("x".into()))).await.unwrap().unwrap();
        (trace, tenant)
    }
}

async fn two_hops() {
    let kept = Kept::default();
    let leaf = ShopClient::new(Stack::new(Trace::client(), Trace::server()).layer(kept.service()));
    let middle = Server::builder().service(MiddleServer::new(Through(leaf))).layer(Trace::server());
    let middle = middle.bind("mem://").await.unwrap();
    let client = MiddleClient::new(Trace::client().layer(Channel::connect(middle.uri()).await.unwrap()));
    let call = client.pass_on().metadata("traceparent", VALID).metadata("tracestate", "foo=1");
    let (handlers, tenant) = call.metadata("baggage", "tenant=a%201").await.unwrap();
    assert_eq!(tenant.as_deref(), Some("a 1"));
    let handlers = TraceParent::parse(&handlers).unwrap();
    assert_eq!(id(handlers), TRACE);
    let arrived = kept.0.lock().unwrap().clone();
    let mut spans = vec![handlers.parent_id(), 0x1234_5678_9012_3456];
    for metadata in arrived {
        let trace = TraceParent::parse(metadata.text("traceparent").unwrap()).unwrap();
        assert_eq!(id(trace), TRACE);
        assert_eq!(
            (metadata.text("tracestate"), metadata.text("baggage")),
            (Some("foo=1"), Some("tenant=a%201"))
        );
        spans.push(trace.parent_id());
    }
    spans.sort_unstable();
    spans.dedup();
    assert_eq!(spans.len(), 4, "the caller's, the handler's, and one for each of its calls");
}

#[tokio::test]
async fn while_nobody_listens_a_call_goes_on_as_it_came() {
    let _silence = Silence::new();
    let kept = Kept::default();
    let client = kept.client();
    client.buy("x".into()).await.unwrap();
    assert!(kept.last().is_empty(), "{:?}", kept.last());
    for (traceparent, tracestate, baggage) in
        [(VALID, "foo=1 , bar=2", "a=1,?"), ("no trace at all", "foo=1,foo=2", "")]
    {
        let call = client.buy("x".into()).metadata("traceparent", traceparent);
        call.metadata("tracestate", tracestate).metadata("baggage", baggage).await.unwrap();
        let arrived = kept.last();
        assert_eq!(arrived.text("traceparent"), Some(traceparent));
        assert_eq!((arrived.text("tracestate"), arrived.text("baggage")), (Some(tracestate), Some(baggage)));
    }
}

#[tokio::test]
async fn while_nobody_listens_a_trace_goes_through_a_handler_to_the_calls_that_it_makes() {
    let _silence = Silence::new();
    let kept = Kept::default();
    let leaf = ShopClient::new(Stack::new(Trace::client(), Trace::server()).layer(kept.service()));
    let middle = MiddleServer::new(Through(leaf));
    let client = MiddleClient::new(Stack::new(Trace::client(), Trace::server()).layer(middle));
    let call = client.pass_on().metadata("traceparent", VALID).metadata("tracestate", "foo=1");
    let (handlers, _) = call.await.unwrap();
    assert_eq!(handlers, VALID);
    let arrived = kept.0.lock().unwrap().clone();
    let carried = arrived.iter().map(|metadata| (metadata.text("traceparent"), metadata.text("tracestate")));
    assert_eq!(carried.collect::<Vec<_>>(), [(Some(VALID), Some("foo=1")); 2]);
}

#[tokio::test]
async fn calls_of_a_handler_are_its_children() {
    let (spans, _guard) = Spans::listen();
    two_hops().await;
    let all = spans.all();
    assert_eq!(all.len(), 6, "one on each side of three calls");
    // client, server, client, server, client, server: each within the one before, but for the second call of the handler.
    for (span, parent) in [(1, 0), (2, 1), (3, 2), (4, 1), (5, 4)] {
        assert_eq!(all[span].get("parent_span_id"), all[parent].get("span_id"), "{span}: {all:?}");
    }
    assert!(all.iter().all(|span| span.get("trace_id") == TRACE && span.is_closed));
}
