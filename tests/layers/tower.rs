//! tower's layers in the place of ours, ours in the place of tower's, and what becomes of errors in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use farcall::layers::{FromTower, Retry, Timeout, ToTower, describe, tower};
use farcall::{
    BoxError, BoxService, Channel, Code, Error, ErrorKind, Fate, Layer, Request, Response, Server, Stack,
    Status,
};
use futures::StreamExt;
use futures::future::{Ready, join_all, ready};
use tokio::time::Instant;
use tower::buffer::BufferLayer;
use tower::limit::{ConcurrencyLimitLayer, RateLimitLayer};
use tower::retry::{Policy, RetryLayer};
use tower::timeout::TimeoutLayer;
use tower::util::{MapErrLayer, MapRequestLayer, MapResponseLayer};
use tower::{ServiceBuilder, ServiceExt};

use crate::shop::{Corner, Fails, Script, ShopClient, ShopServer, fate, stand_in};

const SECOND: Duration = Duration::from_secs(1);

/// Answers after a second, and counts how many it does at a time.
fn slow() -> (BoxService, Arc<[AtomicU32; 2]>) {
    let counts: Arc<[AtomicU32; 2]> = Arc::default();
    let counted = counts.clone();
    let service = stand_in(move |request| {
        let counts = counted.clone();
        async move {
            let now = counts[0].fetch_add(1, Ordering::SeqCst) + 1;
            counts[1].fetch_max(now, Ordering::SeqCst);
            tokio::time::sleep(SECOND).await;
            counts[0].fetch_sub(1, Ordering::SeqCst);
            Fails::Not.result(&request)
        }
    });
    (service, counts)
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_tower_ends_a_call_as_one_that_may_have_run() {
    let hangs = stand_in(|_| std::future::pending());
    let client = ShopClient::new(tower(TimeoutLayer::new(SECOND)).layer(hangs));
    let start = Instant::now();
    let error = client.buy("ink".into()).await.unwrap_err();
    assert_eq!((start.elapsed(), fate(&error)), (SECOND, (ErrorKind::DeadlineExceeded, Fate::MaybeExecuted)));
    assert_eq!(error.method(), Some("Shop/buy"));
}

#[tokio::test(start_paused = true)]
async fn a_concurrency_limit_of_tower_holds_calls_back_within_the_call() {
    let (service, counts) = slow();
    let client = ShopClient::new(tower(ConcurrencyLimitLayer::new(2)).layer(service));
    let start = Instant::now();
    let answers = join_all((0..6).map(|_| client.buy("ink".into()))).await;
    assert!(answers.into_iter().all(|answer| answer.is_ok()));
    assert_eq!((start.elapsed(), counts[1].load(Ordering::SeqCst)), (3 * SECOND, 2));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_gives_back_the_readiness_that_it_had_or_waited_for() {
    let (service, _) = slow();
    let client = ShopClient::new(tower(ConcurrencyLimitLayer::new(1)).layer(service));
    let running = tokio::spawn(client.buy("runs".into()));
    let waiting = tokio::spawn(client.buy("waits".into()));
    tokio::time::sleep(SECOND / 2).await;
    waiting.abort();
    running.abort();
    let start = Instant::now();
    client.buy("ink".into()).await.unwrap();
    assert_eq!(start.elapsed(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_load_shed_of_tower_refuses_what_did_not_run() {
    let (service, _) = slow();
    let layers = ServiceBuilder::new().load_shed().concurrency_limit(1);
    let client = ShopClient::new(tower(layers).layer(service));
    let running = tokio::spawn(client.buy("ink".into()));
    tokio::task::yield_now().await;
    let error = client.buy("ink".into()).await.unwrap_err();
    assert_eq!(fate(&error), (ErrorKind::Refused, Fate::Refused));
    assert!(error.is_retryable());
    running.await.unwrap().unwrap();
}

/// Makes again what did not run, if it can be copied.
#[derive(Clone)]
struct Again(u32);

impl Policy<Request, Response, Error> for Again {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut Request, result: &mut Result<Response, Error>) -> Option<Ready<()>> {
        let again = self.0 > 0 && result.as_ref().is_err_and(Error::is_retryable);
        again.then(|| {
            self.0 -= 1;
            ready(())
        })
    }

    fn clone_request(&mut self, request: &Request) -> Option<Request> {
        request.try_clone()
    }
}

#[tokio::test]
async fn a_retry_of_tower_sees_our_errors_and_copies_our_requests() {
    let script = Script::new([Fails::Refused, Fails::NeverSent, Fails::Lost]);
    let client = ShopClient::new(tower(RetryLayer::new(Again(5))).layer(script.service()));
    let error = client.buy("ink".into()).await.unwrap_err();
    assert_eq!(fate(&error), (ErrorKind::ConnectionLost, Fate::MaybeExecuted), "itself, not wrapped");
    assert!(std::error::Error::source(&error).is_none());
    assert_eq!(script.attempts().len(), 3);
    client.buy("ink".into()).await.unwrap();
    // A request that streams cannot be copied: it is made once.
    let script = Script::new([Fails::Refused]);
    let client = ShopClient::new(tower(RetryLayer::new(Again(5))).layer(script.service()));
    client.fill(futures::stream::iter([1])).await.unwrap_err();
    assert_eq!(script.attempts().len(), 1);
}

#[tokio::test]
async fn requests_and_responses_can_be_mapped_on_both_sides_of_a_connection() {
    let named = MapRequestLayer::new(|mut request: Request| {
        let name = request.descriptor().map_or("unknown", |method| method.name());
        request.metadata_mut().insert("method", name);
        request
    });
    let tagged = MapResponseLayer::new(|response: Response| {
        let mut metadata = response.metadata().clone();
        metadata.insert("tagged", "yes");
        response.with_metadata(metadata)
    });
    let server = Server::builder()
        .service(ShopServer::new(Corner))
        .layer(tower(ServiceBuilder::new().layer(tagged).layer(named.clone())))
        .bind("mem://")
        .await
        .unwrap();
    assert_eq!(server.describe(), ["tower MapResponseLayer", "tower MapRequestLayer", r#"{"Shop"}"#]);
    let channel = Channel::builder(server.uri()).layer(tower(named)).connect().await.unwrap();
    assert_eq!(describe(&channel)[0], "tower MapRequestLayer");
    let client = ShopClient::new(channel);
    let (price, metadata) = client.price("ink".into()).with_response_metadata().await.unwrap();
    assert_eq!((price, metadata.text("tagged")), (3, Some("yes")));
    assert_eq!(client.offers(5).await.unwrap().count().await, 5);
    assert_eq!(client.fill(futures::stream::iter([1, 2])).await.unwrap(), 3);
}

#[derive(Debug)]
struct Wrapped(Error);

impl std::fmt::Display for Wrapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("wrapped")
    }
}

impl std::error::Error for Wrapped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// What becomes of a refused call whose error a tower layer changes.
async fn becomes(change: impl Fn(Error) -> BoxError + Clone + Send + Sync + 'static) -> Error {
    let refuses = Script::new([Fails::Refused]).service();
    ShopClient::new(tower(MapErrLayer::new(change)).layer(refuses)).buy("ink".into()).await.unwrap_err()
}

#[tokio::test]
async fn errors_keep_what_they_are_through_towers_boxes() {
    let error = becomes(|error| error.into()).await;
    assert_eq!(fate(&error), (ErrorKind::Refused, Fate::Refused));
    assert!(std::error::Error::source(&error).is_none(), "it is the error itself");
    let error = becomes(|error| Wrapped(error).into()).await;
    assert_eq!(fate(&error), (ErrorKind::Refused, Fate::Refused));
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "wrapped");
    let status = |error: Error| Error::from(Status::new(Code::NotFound, error.to_string()));
    let error = becomes(move |error| Wrapped(status(error)).into()).await;
    assert_eq!((error.kind(), error.code()), (ErrorKind::Status, Code::NotFound));
    let error = becomes(|_| Status::new(Code::PermissionDenied, "not you").into()).await;
    assert_eq!((error.code(), error.status().unwrap().message()), (Code::PermissionDenied, "not you"));
    let error = becomes(|_| "a secret of the layer".into()).await;
    assert_eq!((error.code(), error.fate()), (Code::Unknown, Fate::Failed));
    assert!(!error.to_string().contains("secret"));
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "a secret of the layer");
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_is_not_clone_goes_into_a_buffer() {
    let layers = ServiceBuilder::new().layer(BufferLayer::new(8)).layer(RateLimitLayer::new(1, SECOND));
    let script = Script::new([Fails::Not, Fails::Refused]);
    let client = ShopClient::new(tower(layers).layer(script.service()));
    let start = Instant::now();
    client.buy("ink".into()).await.unwrap();
    let error = client.buy("ink".into()).await.unwrap_err();
    assert_eq!((start.elapsed().as_secs(), error.kind()), (1, ErrorKind::Refused));
}

/// Never gets ready.
#[derive(Clone)]
struct Broken;

impl tower::Service<Request> for Broken {
    type Response = Response;
    type Error = BoxError;
    type Future = Ready<Result<Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), BoxError>> {
        std::task::Poll::Ready(Err("out of order".into()))
    }

    fn call(&mut self, _: Request) -> Self::Future {
        unreachable!("it is never ready")
    }
}

#[tokio::test]
async fn what_does_not_get_ready_was_not_sent() {
    let error = ShopClient::new(FromTower::new(Broken)).buy("ink".into()).await.unwrap_err();
    assert_eq!((error.code(), error.fate()), (Code::Unknown, Fate::NeverSent));
}

#[tokio::test]
async fn a_service_of_ours_stands_in_a_stack_of_towers_and_comes_back() {
    let corner = Server::builder().service(ShopServer::new(Corner)).build().unwrap();
    let service = ServiceBuilder::new().timeout(SECOND).service(ToTower::new(corner));
    let layers = Stack::new(Retry::new(), Timeout::new(2 * SECOND));
    let client = ShopClient::new(layers.layer(FromTower::new(service)));
    assert_eq!(client.price("ink".into()).await.unwrap(), 3);
    // By hand, as a stack of tower's does.
    let prices = stand_in(|request| async move { Fails::Not.result(&request) });
    let method = ShopClient::DESCRIPTOR.methods().first().unwrap();
    let codec = farcall::CodecKind::Postcard;
    let request = Request::new(method, codec, farcall::Body::new(bytes::Bytes::new()));
    let response = ToTower::new(prices).oneshot(request).await.unwrap();
    assert_eq!(response.codec(), codec);
}
