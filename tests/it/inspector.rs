//! What can be seen of a running server from outside.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use farcall::{
    Code, ConnectionView, Error, Handler, Inspector, Limits, Request, Response, Service, ServiceDescriptor,
    WaitsFor,
};
use tokio::sync::watch;

use crate::kit::{self, Bench, LabServer, Probe, soon};

/// Looks until something is seen; each look lets the others go on.
async fn seen<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let look = poll_fn(move |cx| match look() {
        Some(seen) => Poll::Ready(seen),
        None => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    });
    soon(look).await
}

/// What the calls of the only connection wait for, by the names of their methods.
fn waits(inspector: &Inspector) -> Option<Vec<(String, WaitsFor)>> {
    let [ConnectionView { view, .. }] = <[_; 1]>::try_from(inspector.connections()).ok()?;
    let name = |id| inspector.method(id).map(ToString::to_string).unwrap_or_default();
    Some(view.calls.iter().map(|call| (name(call.method), call.waits_for)).collect())
}

#[tokio::test]
async fn each_call_under_way_is_seen_with_what_it_waits_for() {
    let set = kit::serve().await;
    let inspector = set.server.inspector().clone();
    let hanging = tokio::spawn(set.client.hang());
    seen(|| (waits(&inspector)? == [("Lab/hang".to_owned(), WaitsFor::Handler)]).then_some(())).await;
    let _unread = set.client.flood().await.unwrap();
    seen(|| (waits(&inspector)?.get(1)? == &("Lab/flood".to_owned(), WaitsFor::Reader)).then_some(())).await;
    let mut items = set.client.trickle().await.unwrap();
    soon(items.next()).await.unwrap().unwrap();
    seen(|| (waits(&inspector)?.get(2)? == &("Lab/trickle".to_owned(), WaitsFor::Items)).then_some(())).await;
    let [connection] = <[_; 1]>::try_from(inspector.connections()).unwrap();
    let view = connection.view;
    assert!(view.sent_bytes > 60_000 && view.received_bytes > 100, "{view:?}");
    assert!(view.calls.is_sorted_by(|first, second| first.age >= second.age));
    assert_eq!((view.calls_max, view.is_draining), (1024, false));
    hanging.abort();
    drop(items);
    seen(|| (waits(&inspector)?.len() == 1).then_some(())).await;
}

#[tokio::test]
async fn connections_come_and_go() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let inspector = set.server.inspector().clone();
    let second = farcall::Channel::connect(set.server.uri()).await.unwrap();
    let two = seen(|| <[_; 2]>::try_from(inspector.connections()).ok()).await;
    assert!(two[0].number < two[1].number && two[0].age >= two[1].age);
    assert!(two.iter().all(|connection| connection.peer.uri().starts_with("tcp://127.0.0.1:")));
    assert_eq!(inspector.server().unwrap().connections, 2);
    let numbers = |after, max| {
        let some = inspector.connections_after(after, max);
        some.iter().map(|connection| connection.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(0, 1), [two[0].number]);
    assert_eq!(numbers(two[0].number, 9), [two[1].number]);
    assert!(numbers(two[1].number, 9).is_empty() && numbers(0, 0).is_empty());
    drop(second);
    let [left] = seen(|| <[_; 1]>::try_from(inspector.connections()).ok()).await;
    assert_eq!(left.number, two[0].number);
    assert_eq!(inspector.server().unwrap().connections_opened, 2);
    let ended = seen(|| inspector.ended().pop()).await;
    assert_eq!((ended.number, ended.peer.uri()), (two[1].number, two[1].peer.uri()));
    soon(set.server.shutdown()).await;
    assert_eq!(inspector.ended().pop().unwrap().reason, "the server is shutting down");
}

#[tokio::test]
async fn totals_count_connections_that_have_gone() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let inspector = set.server.inspector().clone();
    let mut last = inspector.totals();
    for number in 2..=5 {
        let client = kit::LabClient::connect(set.server.uri()).await.unwrap();
        client.echo("x".repeat(1000)).await.unwrap();
        let open = inspector.totals();
        assert_eq!(open.connections, number);
        assert!(open.received_bytes >= last.received_bytes + 1000, "{last:?} then {open:?}");
        assert!(open.sent_bytes >= last.sent_bytes + 1000, "{last:?} then {open:?}");
        drop(client);
        seen(|| (inspector.connections().len() == 1).then_some(())).await;
        last = inspector.totals();
        assert!(last.received_bytes >= open.received_bytes && last.sent_bytes >= open.sent_bytes);
    }
}

#[tokio::test]
async fn the_server_is_seen_with_its_limits() {
    let inspector = Inspector::new();
    assert!(inspector.server().is_none() && inspector.connections().is_empty());
    assert!(inspector.services().is_empty());
    let set = kit::serve_with(
        "mem://",
        |server| server.max_connections(7).max_oneway_calls(3).inspector(&inspector),
        Limits::default(),
    )
    .await;
    let view = inspector.server().unwrap();
    assert_eq!((view.connections, view.connections_max, view.oneway_calls_max), (1, 7, 3));
    assert_eq!((&*view.services, &view.uris[..], view.is_leaving), (&["Lab"][..], set.server.uris(), false));
    assert_eq!(view.layers, set.server.describe());
    assert_eq!(inspector.services()[0].name(), "Lab");
    set.server.handle().shutdown();
    assert!(inspector.server().unwrap().is_leaving);
}

#[tokio::test]
async fn what_failed_of_late_is_remembered() {
    let set = kit::serve().await;
    let inspector = set.server.inspector().clone();
    set.client.divide(1, 0).await.unwrap_err();
    set.client.boom().await.unwrap_err();
    // Where the caller's own timer is first, the call is cancelled and has not failed here.
    let timed_out = async {
        loop {
            set.client.hang().timeout(Duration::from_millis(10)).await.unwrap_err();
            if let Some(failure) = inspector.failures().pop().filter(|failure| failure.method == "Lab/hang") {
                return failure;
            }
        }
    };
    assert_eq!(soon(timed_out).await.code, Code::DeadlineExceeded);
    let failures = inspector.failures();
    let boom = failures.iter().find(|failure| failure.method == "Lab/boom").unwrap();
    assert_eq!((boom.code, &*boom.text), (Code::Internal, "the handler panicked; see the server's log"));
    assert!(boom.elapsed.is_some() && boom.peer.uri().starts_with("mem://"));
    assert!(!failures.iter().any(|failure| failure.method == "Lab/divide"), "a method's own error is none");
    for _ in 0..100 {
        set.client.boom().await.unwrap_err();
    }
    assert_eq!(inspector.failures().len(), 64);
    assert!(inspector.server().unwrap().failures >= 102);
}

/// A service that tells when it hears that its server leaves.
struct Leaving<S>(S, watch::Sender<bool>);

impl<S: Handler> Service for Leaving<S> {
    fn call(&self, request: Request) -> impl Future<Output = Result<Response, Error>> + Send {
        self.0.call(request)
    }

    fn leave(&self) {
        self.1.send_replace(true);
    }
}

impl<S: Handler> Handler for Leaving<S> {
    fn descriptor() -> &'static ServiceDescriptor {
        S::descriptor()
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_leaves_says_so_and_goes_on_for_a_while() {
    let (leaves, mut left) = watch::channel(false);
    let service = Leaving(LabServer::new(Bench(Probe::new())), leaves);
    let delay = Duration::from_secs(5);
    let server = farcall::Server::builder().service(service).drain_delay(delay).bind("mem://").await.unwrap();
    let client = kit::LabClient::connect(server.uri()).await.unwrap();
    assert!(!*left.borrow());
    let began_at = tokio::time::Instant::now();
    let shutdown = tokio::spawn(server.shutdown());
    soon(left.wait_for(|left| *left)).await.unwrap();
    while began_at.elapsed() < Duration::from_secs(4) {
        assert_eq!(client.echo("still here".into()).await.unwrap(), "still here");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    soon(shutdown).await.unwrap();
    assert!((5..7).contains(&began_at.elapsed().as_secs()), "{:?}", began_at.elapsed());
    client.echo("gone".into()).await.unwrap_err();
}

/// A service that can see its own server, as those do that show it to others.
struct Seeing<S> {
    inner: S,
    _inspector: Inspector,
    _alive: Arc<()>,
}

impl<S: Handler> Service for Seeing<S> {
    fn call(&self, request: Request) -> impl Future<Output = Result<Response, Error>> + Send {
        self.inner.call(request)
    }
}

impl<S: Handler> Handler for Seeing<S> {
    fn descriptor() -> &'static ServiceDescriptor {
        S::descriptor()
    }
}

#[tokio::test]
async fn a_service_that_holds_the_inspector_goes_with_its_server() {
    let (inspector, alive) = (Inspector::new(), Arc::new(()));
    let inner = LabServer::new(Bench(Probe::new()));
    let service = Seeing { inner, _inspector: inspector.clone(), _alive: alive.clone() };
    let builder = farcall::Server::builder().service(service).inspector(&inspector);
    let server = builder.bind("mem://").await.unwrap();
    assert_eq!(Arc::strong_count(&alive), 2);
    soon(server.shutdown()).await;
    assert_eq!(Arc::strong_count(&alive), 1);
    let echo = farcall::MethodId::hash("Lab", "echo");
    assert_eq!(inspector.method(echo).unwrap().to_string(), "Lab/echo", "what it is called is still known");
}
