//! Where the time of a failed call went, as its caller reads it.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use farcall::{Backoff, CallError, Channel, Code, Error, ErrorKind, Fate, Limits, Server, Status, service};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::kit::{self, BOUND, soon};

const SLOW: Duration = Duration::from_millis(100);

/// Why a service has no answer, in the words of the one that it asked.
#[derive(Debug, Serialize, Deserialize)]
pub struct Unanswered(String);

impl From<Error> for Unanswered {
    fn from(error: Error) -> Self {
        Self(format!("{error:#}"))
    }
}

#[service]
pub trait Leaf {
    async fn weigh(&self, item: String) -> u64;
}

#[service]
pub trait Middle {
    /// Gives what goes wrong as its own error.
    async fn price(&self, item: String) -> Result<u64, Unanswered>;
    /// Answers at once.
    async fn quick(&self) -> u64;
}

struct Scales(Duration);

impl Leaf for Scales {
    async fn weigh(&self, _: String) -> u64 {
        sleep(self.0).await;
        7
    }
}

struct Prices(LeafClient);

impl Middle for Prices {
    async fn price(&self, item: String) -> Result<u64, Unanswered> {
        Ok(self.0.weigh(item).timeout(SLOW * 4 / 5).await? * 3)
    }

    async fn quick(&self) -> u64 {
        1
    }
}

async fn leaf(takes: Duration) -> (Server, LeafClient) {
    let service = LeafServer::new(Scales(takes));
    let server = Server::builder().service(service).bind("tcp://127.0.0.1:0").await.unwrap();
    // A busy machine is late by milliseconds, and the server's answer is to be here first.
    let channel = Channel::builder(server.uri()).deadline_margin(SLOW / 10).connect().await.unwrap();
    (server, LeafClient::new(channel))
}

/// The milliseconds that stand right before `what`.
fn milliseconds(line: &str, what: &str) -> f64 {
    let (before, _) =
        line.split_once(&format!(" ms {what}")).unwrap_or_else(|| panic!("no {what} in {line}"));
    before.rsplit([' ', '[', '(']).next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_caller_reads_that_the_handler_of_the_last_of_three_took_the_time() {
    let (leaf, onward) = leaf(SLOW).await;
    let service = MiddleServer::new(Prices(onward));
    let middle = Server::builder().service(service).bind("tcp://127.0.0.1:0").await.unwrap();
    let client = MiddleClient::connect(middle.uri()).await.unwrap();
    client.quick().await.unwrap();
    let error = match soon(client.price("plum".into()).timeout(BOUND)).await.unwrap_err() {
        CallError::Method(Unanswered(text)) => text,
        CallError::Rpc(error) => panic!("{error:#}"),
    };
    assert!(error.starts_with(&format!("Leaf/weigh at {} failed: ", leaf.uri())), "{error}");
    assert!(error.contains("the deadline passed at the server while the handler ran"), "{error}");
    let handler = milliseconds(&error, "handler");
    assert!(handler > 60.0 && handler > 5.0 * milliseconds(&error, "queue, "), "{error}");
    assert!(milliseconds(&error, "waiting for the answer") >= handler.floor(), "{error}");
}

/// Passes calls on to the leaf, and what goes wrong with them back, as a gateway does.
#[tokio::test]
async fn a_status_that_is_passed_on_says_where_the_time_went() {
    let (leaf, _) = leaf(BOUND).await;
    let onward = Channel::builder(leaf.uri()).deadline_margin(SLOW / 10).connect().await.unwrap();
    let gateway = Server::builder().layer(farcall::layer_fn(move |mut request: farcall::Request, _| {
        let onward = onward.clone();
        async move {
            request.set_deadline(Some(std::time::Instant::now() + SLOW));
            farcall::Service::call(&onward, request).await
        }
    }));
    let gateway = gateway.service(LeafServer::new(Scales(SLOW))).bind("tcp://127.0.0.1:0").await.unwrap();
    let client = LeafClient::connect(gateway.uri()).await.unwrap();
    let error = soon(client.weigh("plum".into())).await.unwrap_err();
    let text = error.status().expect("the gateway has answered").message().to_owned();
    assert!(text.contains(&format!("{}: ", leaf.uri())), "{text}");
    assert!(milliseconds(&text, "handler") >= 80.0, "{text}");
    let times = error.timeline().unwrap().server().unwrap();
    assert!(times.handler() >= SLOW * 8 / 10, "the gateway's own: {times}");
}

#[tokio::test]
async fn a_margin_leaves_half_of_its_time_to_a_call() {
    let (server, _) = leaf(Duration::ZERO).await;
    let channel = Channel::builder(server.uri()).deadline_margin(BOUND).connect().await.unwrap();
    assert_eq!(soon(LeafClient::new(channel).weigh("plum".into()).timeout(BOUND / 2)).await.unwrap(), 7);
}

/// A port that takes connections and never says a word.
async fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("tcp://{}", listener.local_addr().unwrap());
    (listener, uri)
}

/// Has no error of its own to tell with: what it waits for is told without its help.
struct Waits(LeafClient);

impl Leaf for Waits {
    async fn weigh(&self, item: String) -> u64 {
        self.0.weigh(item).await.unwrap_or_default()
    }
}

#[tokio::test]
async fn a_deadline_says_what_the_handler_waited_for() {
    let (_listener, uri) = silent().await;
    let middle = |discreet| {
        let onward = LeafClient::new(Channel::builder(&uri).lazy().unwrap());
        let middle = Server::builder().discreet(discreet).service(LeafServer::new(Waits(onward)));
        middle.bind("tcp://127.0.0.1:0")
    };
    for discreet in [false, true] {
        let middle = middle(discreet).await.unwrap();
        let channel = Channel::builder(middle.uri()).deadline_margin(SLOW).connect().await.unwrap();
        let error = soon(LeafClient::new(channel).weigh(String::new()).timeout(SLOW * 2)).await.unwrap_err();
        let text = error.status().expect("the server has answered").message().to_owned();
        let told =
            format!("the deadline passed at the server while the handler waited for Leaf/weigh at {uri} [");
        if discreet {
            assert!(text.starts_with("the deadline passed at the server while the handler ran: "), "{text}");
            assert_eq!(error.timeline().unwrap().server(), None);
        } else {
            assert!(text.starts_with(&told) && text.ends_with(" ms connecting]"), "{text}");
            assert!(milliseconds(&text, "connecting") >= 60.0, "{text}");
            assert!(error.timeline().unwrap().server().unwrap().handler() >= SLOW * 6 / 10, "{error:#}");
        }
    }
}

#[tokio::test]
async fn a_discreet_server_names_nothing_that_lies_behind_it() {
    let onward = LeafClient::new(Channel::builder("mem://nobody-behind").lazy().unwrap());
    let gateway = |discreet| {
        let onward = onward.clone();
        let layer = farcall::layer_fn(move |_, _| {
            let onward = onward.clone();
            async move { Err(onward.weigh(String::new()).await.unwrap_err()) }
        });
        let service = LeafServer::new(Scales(SLOW));
        Server::builder().layer(layer).discreet(discreet).service(service).bind("tcp://127.0.0.1:0")
    };
    for discreet in [false, true] {
        let server = gateway(discreet).await.unwrap();
        let client = LeafClient::connect(server.uri()).await.unwrap();
        let error = soon(client.weigh("plum".into())).await.unwrap_err();
        let text = error.to_string();
        assert_eq!(text.contains("nobody-behind"), !discreet, "{text}");
        let told = "UNAVAILABLE: a call to a service behind this server failed; see the server's log";
        assert_eq!(text.contains(told), discreet, "{text}");
    }
}

#[tokio::test]
async fn who_is_not_let_in_is_not_told_how_long_the_looking_took() {
    for (code, told) in
        [(Code::Unauthenticated, false), (Code::PermissionDenied, false), (Code::NotFound, true)]
    {
        let layer = farcall::layer_fn(move |_, _| async move { Err(Status::new(code, "no").into()) });
        let server = Server::builder().layer(layer).service(LeafServer::new(Scales(SLOW)));
        let server = server.bind("tcp://127.0.0.1:0").await.unwrap();
        let client = LeafClient::connect(server.uri()).await.unwrap();
        let error = soon(client.weigh("plum".into())).await.unwrap_err();
        assert_eq!(error.timeline().unwrap().server().is_some(), told, "{error:#}");
    }
}

#[tokio::test]
async fn a_timeout_says_on_which_side_it_is() {
    let layer = || farcall::layers::Timeout::new(SLOW);
    let server = Server::builder().layer(layer()).service(LeafServer::new(Scales(BOUND)));
    let server = server.bind("tcp://127.0.0.1:0").await.unwrap();
    let at_server = LeafClient::connect(server.uri()).await.unwrap();
    let text = soon(at_server.weigh(String::new())).await.unwrap_err().to_string();
    assert!(text.contains("the server's Timeout of 100ms passed before the answer came"), "{text}");
    let (slow, _) = leaf(BOUND).await;
    let at_client = Channel::builder(slow.uri()).layer(layer()).connect().await.unwrap();
    let text = soon(LeafClient::new(at_client).weigh(String::new())).await.unwrap_err().to_string();
    assert!(text.contains("the caller's Timeout of 100ms passed before the answer came"), "{text}");
}

/// Blocks its thread, or counts its calls.
struct Blocks(Arc<AtomicU64>);

impl Leaf for Blocks {
    async fn weigh(&self, item: String) -> u64 {
        if item == "block" {
            std::thread::sleep(SLOW);
        }
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// The time counts from when the call came, not from when its turn was.
#[tokio::test]
async fn rule_p2_a_call_that_waits_too_long_for_its_turn_is_not_run() {
    let runs = Arc::new(AtomicU64::new(0));
    let server = Server::builder().service(LeafServer::new(Blocks(runs.clone())));
    let server = server.bind("mem://").await.unwrap();
    let client = LeafClient::connect(server.uri()).await.unwrap();
    let (blocked, late) =
        tokio::join!(client.weigh("block".into()), client.weigh("late".into()).timeout(SLOW / 2));
    assert_eq!((blocked.unwrap(), late.unwrap_err().kind()), (0, ErrorKind::DeadlineExceeded));
    assert_eq!(soon(client.weigh("after".into())).await.unwrap(), 1, "what was late has not run");
}

#[tokio::test]
async fn a_deadline_says_that_the_handler_was_waited_for_and_how_long_it_had() {
    let set = kit::serve().await;
    let error = soon(set.client.hang().timeout(SLOW)).await.unwrap_err();
    let timeline = error.timeline().unwrap();
    assert!(timeline.was_sent() && timeline.waiting() >= SLOW * 9 / 10, "{timeline}");
    assert_eq!((timeline.connecting(), timeline.queue()), (Duration::ZERO, Duration::ZERO));
    assert!(error.peer().is_some() && error.fate() == Fate::MaybeExecuted, "{error}");
    assert!(format!("{error:#}").contains("waiting for the answer"), "{error:#}");
}

/// The server sees nothing of it: its loop is stuck, so the client gives up by itself.
#[tokio::test]
async fn a_client_that_gives_up_by_itself_says_what_it_waited_for() {
    let (_listener, uri) = silent().await;
    let client = kit::LabClient::new(Channel::builder(&uri).lazy().unwrap());
    let error = soon(client.echo(String::new()).timeout(SLOW)).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (ErrorKind::DeadlineExceeded, Fate::NeverSent));
    assert_eq!(error.peer(), Some(&*uri));
    let timeline = error.timeline().unwrap();
    assert!(!timeline.was_sent() && timeline.connecting() >= SLOW, "{timeline}");
    assert!(error.to_string().ends_with("(the call did not run)"), "{error}");
    assert!(format!("{error:#}").ends_with(" ms connecting]"), "{error:#}");
}

#[tokio::test]
async fn a_call_that_waits_for_a_slot_says_so() {
    let set = kit::serve().await;
    let limits = Limits::default().calls_in_flight(1);
    let channel = Channel::builder(set.server.uri()).limits(limits).connect().await.unwrap();
    let client = kit::LabClient::new(channel);
    let hanging = tokio::spawn(client.hang().into_future());
    set.probe.wait(|counts| counts.started == 1).await;
    let error = soon(client.echo(String::new()).timeout(SLOW)).await.unwrap_err();
    let timeline = error.timeline().unwrap();
    assert!(timeline.queue() >= SLOW && !timeline.was_sent(), "{timeline}");
    assert_eq!(error.fate(), Fate::NeverSent);
    hanging.abort();
}

#[tokio::test]
async fn failures_to_connect_say_how_long_that_took() {
    let backoff = Backoff::default();
    let client = kit::LabClient::new(Channel::builder("mem://nobody-there").backoff(backoff).lazy().unwrap());
    let error = soon(client.echo(String::new())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    let timeline = error.timeline().unwrap();
    let parts = timeline.layers() + timeline.connecting();
    assert_eq!((timeline.total(), timeline.waiting()), (parts, Duration::ZERO), "{timeline}");
}

#[tokio::test]
async fn who_is_not_let_in_is_not_told_who_said_so() {
    let refuses =
        farcall::layer_fn(|_, _| async { Err(Status::new(Code::PermissionDenied, "ask the owner").into()) });
    let guard = Server::builder().layer(refuses).service(LeafServer::new(Scales(Duration::ZERO)));
    let guard = guard.bind("tcp://127.0.0.1:0").await.unwrap();
    let onward = LeafClient::connect(guard.uri()).await.unwrap();
    let asks = farcall::layer_fn(move |_, _| {
        let onward = onward.clone();
        async move { Err(onward.weigh(String::new()).await.unwrap_err()) }
    });
    let gateway = Server::builder().layer(asks).service(LeafServer::new(Scales(Duration::ZERO)));
    let gateway = gateway.bind("tcp://127.0.0.1:0").await.unwrap();
    let client = LeafClient::connect(gateway.uri()).await.unwrap();
    let error = soon(client.weigh("plum".into())).await.unwrap_err();
    let told = "a call to a service behind this server failed; see the server's log";
    assert_eq!((error.code(), error.status().unwrap().message()), (Code::PermissionDenied, told));
    assert_eq!(error.timeline().unwrap().server(), None);
}

#[tokio::test]
async fn a_caller_tells_the_network_from_the_server() {
    let (server, client) = leaf(SLOW / 4).await;
    let (weight, times) = soon(client.weigh("plum".into()).with_server_times()).await.unwrap();
    let times = times.expect("the call asks for it");
    assert!(weight == 7 && times.handler() >= SLOW / 4 && times.queue() < SLOW / 4, "{times}");

    let in_process = LeafClient::new(LeafServer::new(Scales(Duration::ZERO)));
    assert_eq!(soon(in_process.weigh("plum".into()).with_server_times()).await.unwrap().1, None);
    let discreet = Server::builder().discreet(true).service(LeafServer::new(Scales(Duration::ZERO)));
    let discreet = discreet.bind("tcp://127.0.0.1:0").await.unwrap();
    let client = LeafClient::connect(discreet.uri()).await.unwrap();
    assert_eq!(soon(client.weigh("plum".into()).with_server_times()).await.unwrap().1, None);
    server.shutdown().await;
}

/// Keeps what layers of a client see.
#[tokio::test]
async fn a_channel_asks_where_it_is_told_to() {
    let (server, _) = leaf(Duration::ZERO).await;
    for asks in [false, true] {
        let channel = Channel::builder(server.uri()).server_times(asks);
        let channel = channel.layer(farcall::layer_fn(move |request, next: farcall::Next| async move {
            let response = next.call(request).await?;
            assert_eq!(response.server_times().is_some(), asks);
            Ok(response)
        }));
        let client = LeafClient::new(channel.connect().await.unwrap());
        assert_eq!(soon(client.weigh("plum".into())).await.unwrap(), 7);
    }
}

#[tokio::test]
async fn quick_handlers_in_place_are_timed_too() {
    let (_server, client) = leaf(Duration::ZERO).await;
    for _ in 0..100 {
        let (_, times) = soon(client.weigh(String::new()).with_server_times()).await.unwrap();
        assert!(times.unwrap().handler() < BOUND);
    }
}

#[tokio::test]
async fn a_call_without_a_channel_says_how_long_it_took() {
    struct Never;
    impl Leaf for Never {
        async fn weigh(&self, _: String) -> u64 {
            pending().await
        }
    }
    let client = LeafClient::new(LeafServer::new(Never));
    let error = soon(client.weigh(String::new()).timeout(SLOW)).await.unwrap_err();
    assert!(error.timeline().unwrap().layers() >= SLOW);
    assert!(format!("{error:#}").ends_with(" ms in layers here]"), "{error:#}");
}

#[tokio::test]
async fn a_timeout_of_a_layer_says_where_the_time_went() {
    let (server, _) = leaf(BOUND).await;
    let layer = farcall::layers::Timeout::new(SLOW);
    let client = LeafClient::new(Channel::builder(server.uri()).layer(layer).connect().await.unwrap());
    let error = soon(client.weigh(String::new())).await.unwrap_err();
    let timeline = error.timeline().unwrap();
    assert!(timeline.was_sent() && timeline.waiting() >= SLOW * 9 / 10, "{timeline}");
}
