//! A client, a server in the middle and one at the end, each with an exporter of its own.

use std::sync::mpsc;

use farcall::layers::Trace;
use farcall::{
    BoxService, Channel, Code, Context, Error, Layer, Next, Request, Response, Router, Server, ServerBuilder,
    Service, Status, layer_fn, service,
};
use futures::{Stream, StreamExt, stream};
use opentelemetry_sdk::trace::Sampler;
use tokio::sync::oneshot;
use tracing::{Instrument, info_span};

use crate::collector::{Collector, Span};
use crate::process::process;

#[service]
pub trait Leaf {
    /// Gives back in which trace, and in which span, it was called.
    async fn trace(&self) -> String;
    async fn fail(&self) -> Result<(), Failed>;
    fn count(&self, to: u64) -> impl Stream<Item = u64> + Send;
}

#[service]
pub trait Middle {
    async fn trace(&self) -> String;
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Failed;

struct Last;

impl Leaf for Last {
    async fn trace(&self) -> String {
        Context::current().trace().unwrap().to_string()
    }

    async fn fail(&self) -> Result<(), Failed> {
        Err(Failed)
    }

    fn count(&self, to: u64) -> impl Stream<Item = u64> + Send {
        // The first items may come while the call is answered, the last one does not.
        stream::iter(0..to).inspect(move |item| {
            if item + 1 == to {
                drop(info_span!("item").entered());
            }
        })
    }
}

struct Between(LeafClient<BoxService>);

impl Middle for Between {
    async fn trace(&self) -> String {
        self.0.fail().await.unwrap_err();
        assert_eq!(self.0.count(500).await.unwrap().count().await, 500);
        // A span of the program's own stands between the two.
        self.0.trace().instrument(info_span!("plan")).await.unwrap()
    }
}

async fn connect(uri: &str) -> BoxService {
    BoxService::new(Trace::client().address(uri).layer(Channel::connect(uri).await.unwrap()))
}

/// Binds a server, says where it is, and serves until it is told to stop.
async fn serve(
    server: ServerBuilder<impl Layer<Router, Service: Service>>,
    at: mpsc::Sender<String>,
    stop: oneshot::Receiver<()>,
) {
    let server = server.bind("tcp://127.0.0.1:0").await.unwrap();
    at.send(server.uri().to_owned()).unwrap();
    stop.await.unwrap();
    server.shutdown().await;
}

/// Makes one call from the first process through the second to the third; returns what the last handler saw.
fn call_through(collector: &Collector, client: Sampler) -> String {
    let recorded = || Sampler::ParentBased(Box::new(Sampler::AlwaysOn));
    let (at, leaf_at) = mpsc::channel();
    let (stop_leaf, stopped) = oneshot::channel();
    let leaf = process("leaf", collector.uri(), recorded(), move || {
        serve(Server::builder().service(LeafServer::new(Last)).layer(Trace::server()), at, stopped)
    });
    let leaf_uri = leaf_at.recv().unwrap();
    let (at, middle_at) = mpsc::channel();
    let (stop_middle, stopped) = oneshot::channel();
    let middle = process("middle", collector.uri(), recorded(), move || async move {
        let between = Between(LeafClient::new(connect(&leaf_uri).await));
        serve(Server::builder().service(MiddleServer::new(between)).layer(Trace::server()), at, stopped)
            .await;
    });
    let middle_uri = middle_at.recv().unwrap();
    let (tell, told) = mpsc::channel();
    let first = process("client", collector.uri(), client, move || async move {
        let client = MiddleClient::new(connect(&middle_uri).await);
        let call = client.trace().metadata("baggage", "tenant=a1");
        tell.send(call.instrument(info_span!("checkout")).await.unwrap()).unwrap();
    });
    let seen = told.recv().unwrap();
    stop_middle.send(()).unwrap();
    stop_leaf.send(()).unwrap();
    for process in [first, middle, leaf] {
        process.join().unwrap();
    }
    seen
}

/// The spans by process, kind and name; no two have the same.
struct Tree(Vec<Span>);

impl Tree {
    #[track_caller]
    fn span(&self, process: &str, kind: i32, name: &str) -> &Span {
        let is_it =
            |span: &&Span| (span.process.as_str(), span.kind, span.name.as_str()) == (process, kind, name);
        let found: Vec<_> = self.0.iter().filter(is_it).collect();
        assert_eq!(found.len(), 1, "{process} {kind} {name}: {:#?}", self.0);
        found[0]
    }
}

const INTERNAL: i32 = 1;
const SERVER: i32 = 2;
const CLIENT: i32 = 3;

#[test]
fn three_processes_make_one_trace_with_the_right_parents_times_and_errors() {
    let collector = Collector::start();
    let seen = call_through(&collector, Sampler::AlwaysOn);
    let tree = Tree(collector.spans());
    let lines = [
        (("client", INTERNAL, "checkout"), None),
        (("client", CLIENT, "Middle/trace"), Some(("client", INTERNAL, "checkout"))),
        (("middle", SERVER, "Middle/trace"), Some(("client", CLIENT, "Middle/trace"))),
        (("middle", CLIENT, "Leaf/fail"), Some(("middle", SERVER, "Middle/trace"))),
        (("leaf", SERVER, "Leaf/fail"), Some(("middle", CLIENT, "Leaf/fail"))),
        (("middle", CLIENT, "Leaf/count"), Some(("middle", SERVER, "Middle/trace"))),
        (("leaf", SERVER, "Leaf/count"), Some(("middle", CLIENT, "Leaf/count"))),
        (("leaf", INTERNAL, "item"), Some(("leaf", SERVER, "Leaf/count"))),
        (("middle", INTERNAL, "plan"), Some(("middle", SERVER, "Middle/trace"))),
        (("middle", CLIENT, "Leaf/trace"), Some(("middle", INTERNAL, "plan"))),
        (("leaf", SERVER, "Leaf/trace"), Some(("middle", CLIENT, "Leaf/trace"))),
    ];
    assert_eq!(tree.0.len(), lines.len(), "{:#?}", tree.0);
    let root = tree.span("client", INTERNAL, "checkout");
    for ((process, kind, name), parent) in lines {
        let span = tree.span(process, kind, name);
        assert_eq!(span.trace_id, root.trace_id);
        let Some((process, kind, name)) = parent else {
            assert_eq!(span.parent, "");
            continue;
        };
        let parent = tree.span(process, kind, name);
        assert_eq!(span.parent, parent.id, "{span:#?}");
        let is_within = parent.began_ns <= span.began_ns && span.ended_ns <= parent.ended_ns;
        assert!(is_within && span.began_ns <= span.ended_ns, "{span:#?} within {parent:#?}");
    }
    for span in &tree.0 {
        let is_error = (span.kind, span.name.as_str()) == (CLIENT, "Leaf/fail");
        assert_eq!(span.is_error, is_error, "{span:#?}");
        let ids = [("trace_id", &span.trace_id), ("span_id", &span.id)];
        for (key, value) in ids.iter().filter(|_| span.kind != INTERNAL) {
            assert_eq!(span.attributes.get(*key), Some(*value));
        }
    }
    let fail = tree.span("middle", CLIENT, "Leaf/fail");
    assert_eq!(
        (fail.attributes["error.type"].as_str(), fail.attributes["farcall.failed"].as_str()),
        ("method_error", "true")
    );
    let last = tree.span("leaf", SERVER, "Leaf/trace");
    assert_eq!(
        seen,
        format!("00-{}-{}-01", last.trace_id, last.id),
        "what a handler sees is what is exported"
    );
    assert_eq!(last.attributes["rpc.system.name"], "farcall");
    assert_eq!(last.attributes["rpc.response.status_code"], "OK");
    assert_eq!(last.attributes["network.peer.address"], "127.0.0.1");
    assert!(last.attributes["network.peer.port"].parse::<u16>().is_ok());
}

#[test]
fn a_sampler_of_opentelemetry_that_says_no_is_heard_by_all_hops() {
    let collector = Collector::start();
    let seen = call_through(&collector, Sampler::AlwaysOff);
    assert!(seen.ends_with("-00"), "{seen}");
    assert!(collector.spans().is_empty(), "{:#?}", collector.spans());
}

/// Answers as it is told.
async fn refuse(request: Request) -> Result<Response, Error> {
    let text = request.metadata().text("traceparent").unwrap().to_owned();
    let state = request.metadata().text("tracestate").unwrap_or_default().to_owned();
    Err(Status::new(Code::Unavailable, format!("{text} {state}")).into())
}

#[test]
fn a_remote_parent_becomes_the_parent_with_its_state_and_a_server_that_fails_is_marked() {
    let collector = Collector::start();
    let (tell, told) = mpsc::channel();
    let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOff));
    let parent = "00-12345678901234567890123456789012-1234567890123456-01";
    process("server", collector.uri(), sampler, move || async move {
        let refuse = layer_fn(|request, _: Next| refuse(request)).layer(Router::new());
        let client = LeafClient::new(Trace::server().layer(refuse));
        let call = client.trace().metadata("traceparent", parent).metadata("tracestate", "foo=1,bar=2");
        // The span that is current is of another trace: the one that the call names is meant.
        let error = call.instrument(info_span!("other")).await.unwrap_err();
        tell.send(error.status().unwrap().message().to_owned()).unwrap();
        client.trace().metadata("traceparent", parent.replace("-01", "-00")).await.unwrap_err();
    })
    .join()
    .unwrap();
    let spans = collector.spans();
    assert_eq!(spans.len(), 1, "{spans:#?}");
    assert_eq!(spans[0].trace_id, "12345678901234567890123456789012");
    assert_eq!((spans[0].parent.as_str(), spans[0].state.as_str()), ("1234567890123456", "foo=1,bar=2"));
    assert!(spans[0].is_error);
    assert_eq!(spans[0].attributes["error.type"], "UNAVAILABLE");
    assert_eq!(told.recv().unwrap(), format!("00-{}-{}-01 foo=1,bar=2", spans[0].trace_id, spans[0].id));
}
