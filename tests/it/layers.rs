//! Layers around a server and around a client.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use farcall::{Code, Error, ErrorKind, Layer, Limits, Next, Request, Response, Service, Status, layer_fn};

use crate::kit::{self, LabClient};

#[tokio::test]
async fn a_layer_may_reject_by_what_it_sees() {
    let guard = layer_fn(|request: Request, next: Next| async move {
        match request.metadata().text("token") {
            Some("secret") => next.call(request).await,
            _ => {
                Err(Status::new(Code::Unauthenticated, format!("{} wants a token", request.method_name()))
                    .into())
            }
        }
    });
    let probe = kit::Probe::new();
    let server = kit::builder(&probe).layer(guard).bind("mem://").await.unwrap();
    let client = LabClient::connect(server.uri()).await.unwrap();
    let error = client.echo("x".into()).await.unwrap_err();
    assert_eq!(error.code(), Code::Unauthenticated);
    assert_eq!(probe.counts().started, 0);
    assert_eq!(client.echo("x".into()).metadata("token", "secret").await.unwrap(), "x");
}

#[tokio::test]
async fn the_layer_that_was_added_first_sees_a_request_first() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let tag = |name: &'static str| {
        let seen = seen.clone();
        layer_fn(move |request: Request, next: Next| {
            seen.lock().unwrap().push(name);
            async move { next.call(request).await }
        })
    };
    let probe = kit::Probe::new();
    let server = kit::builder(&probe).layer(tag("outer")).layer(tag("inner")).bind("mem://").await.unwrap();
    LabClient::connect(server.uri()).await.unwrap().echo("x".into()).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), ["outer", "inner"]);
}

struct Counted<S>(S, Arc<AtomicU64>);

impl<S: Service> Service for Counted<S> {
    async fn call(&self, request: Request) -> Result<Response, Error> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.call(request).await
    }
}

struct Count(Arc<AtomicU64>);

impl<S: Service> Layer<S> for Count {
    type Service = Counted<S>;

    fn layer(self, inner: S) -> Counted<S> {
        Counted(inner, self.0)
    }
}

#[tokio::test]
async fn a_client_may_be_layered_over_a_channel() {
    let set = kit::serve().await;
    let calls = Arc::new(AtomicU64::new(0));
    let client = LabClient::new(Count(calls.clone()).layer(set.channel.clone()));
    client.echo("x".into()).await.unwrap();
    client.divide(1, 1).await.unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_layer_may_send_the_same_request_again() {
    struct Flaky(AtomicU64);

    impl Service for Flaky {
        async fn call(&self, request: Request) -> Result<Response, Error> {
            match self.0.fetch_add(1, Ordering::Relaxed) {
                0 => Err(Error::new(ErrorKind::Refused, "not now")),
                _ => Ok(Response::new(request.codec(), request.body().try_clone().unwrap())),
            }
        }
    }

    let again = layer_fn(|request: Request, next: Next| async move {
        let copy = request.try_clone();
        match (next.call(request).await, copy) {
            (Err(error), Some(copy)) if error.is_retryable() => next.call(copy).await,
            (result, _) => result,
        }
    });
    let client = LabClient::new(again.layer(Flaky(AtomicU64::new(0))));
    assert_eq!(client.echo("x".into()).await.unwrap(), "x");
}

#[tokio::test]
async fn a_refusal_of_a_layer_is_known_not_to_have_run() {
    let full = layer_fn(|_: Request, _: Next| async { Err(Error::new(ErrorKind::Refused, "full")) });
    let probe = kit::Probe::new();
    let server = kit::builder(&probe).layer(full).bind("mem://").await.unwrap();
    let error = LabClient::connect(server.uri()).await.unwrap().echo("x".into()).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (ErrorKind::Refused, farcall::Fate::Refused));
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_proxy_forwards_what_it_does_not_know() {
    let set = kit::serve().await;
    let upstream = set.channel.clone();
    let forward = layer_fn(move |request: Request, _: Next| {
        let upstream = upstream.clone();
        async move { upstream.call(request).await }
    });
    let server =
        farcall::Server::builder().layer(forward).limits(Limits::default()).bind("mem://").await.unwrap();
    let client = LabClient::connect(server.uri()).await.unwrap();
    assert_eq!(client.divide(9, 3).await.unwrap(), 3);
    let items = client.count(1000).await.unwrap();
    assert_eq!(futures::StreamExt::count(items).await, 1000);
    assert_eq!(client.sum(1, futures::stream::iter(0..100u64)).await.unwrap(), 4951);
}
