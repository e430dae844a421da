//! The order of layers: what it decides, and how to see it.

use std::time::Duration;

use farcall::layers::{
    AccessLog, Cache, CatchPanic, ConcurrencyLimit, Fallback, Quota, RateLimit, RequestId, Retry, Timeout,
    Validate, describe,
};
use farcall::{Code, ErrorKind, Layer, Request, Server, Stack, layer_fn};

use crate::shop::{Corner, Fails, Script, ShopClient, ShopServer, stand_in};

#[tokio::test(start_paused = true)]
async fn a_time_out_around_a_retry_bounds_all_attempts_and_within_it_each() {
    let second = Duration::from_secs(1);
    let slow = || stand_in(|_| std::future::pending());
    let start = tokio::time::Instant::now();
    let around = Stack::new(Timeout::new(second), Retry::new()).layer(slow());
    ShopClient::new(around).price("x".into()).await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 1);
    let start = tokio::time::Instant::now();
    let within = Stack::new(Retry::new(), Timeout::new(second)).layer(slow());
    ShopClient::new(within).price("x".into()).await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_within_a_retry_leaves_nothing_to_make_again() {
    let stand_in = || Fallback::new(|request: &Request, _| Some(Fails::Not.result(request)));
    let within = Script::new([Fails::Refused]);
    ShopClient::new(Stack::new(Retry::new(), stand_in()).layer(within.service()))
        .buy("x".into())
        .await
        .unwrap();
    let around = Script::new([Fails::Refused]);
    ShopClient::new(Stack::new(stand_in(), Retry::new()).layer(around.service()))
        .buy("x".into())
        .await
        .unwrap();
    assert_eq!([within.attempts().len(), around.attempts().len()], [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_limit_around_a_retry_counts_calls_and_within_it_attempts() {
    let once = || RateLimit::new().total(Quota::per_second(1).burst(1));
    let script = Script::new([Fails::Refused]);
    let start = tokio::time::Instant::now();
    ShopClient::new(Stack::new(once(), Retry::new()).layer(script.service())).buy("x".into()).await.unwrap();
    assert!(start.elapsed() < Duration::from_millis(100));
    let script = Script::new([Fails::Refused]);
    let start = tokio::time::Instant::now();
    ShopClient::new(Stack::new(Retry::new(), once()).layer(script.service())).buy("x".into()).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 1, "the second attempt had to wait for the rate");
}

#[tokio::test]
async fn a_server_says_what_stands_around_its_services() {
    let service = Server::builder()
        .service(ShopServer::new(Corner))
        .layer(RequestId::new())
        .layer(AccessLog::new())
        .layer(CatchPanic::new(|_, _| {}))
        .layer(Timeout::new(Duration::from_millis(2_500)))
        .layer(RateLimit::new().total(Quota::per_second(9)).per_metadata("tenant", Quota::per_second(8)))
        .layer(ConcurrencyLimit::new(64).per_method(9).queue(8))
        .layer(Retry::new())
        .layer(Fallback::new(|_: &Request, _: &farcall::Error| None))
        .layer(Cache::new(Duration::from_secs(1)))
        .layer(Validate::new(|_: &Request| Ok(())))
        .layer(layer_fn(|request: Request, next: farcall::Next| async move { next.call(request).await }))
        .build()
        .unwrap();
    let lines = [
        "RequestId",
        "AccessLog",
        "CatchPanic",
        "Timeout(2.5s)",
        "RateLimit(9/s, 9 at once in all, 8/s, 8 at once per tenant)",
        "ConcurrencyLimit(64 calls, 9 per method, 8 waiting)",
        "Retry(3 attempts)",
        "Fallback",
        "Cache(1s)",
        "Validate",
        "layer_fn",
        r#"{"Shop"}"#,
    ];
    assert_eq!(describe(&service), lines);
    let client = ShopClient::new(service);
    assert_eq!(client.price("ink".into()).await.unwrap(), 3);
    assert_eq!(client.fill(futures::stream::iter([1, 2])).await.unwrap(), 3);
    assert_eq!(futures::StreamExt::count(client.offers(5).await.unwrap()).await, 5);
    assert_eq!(client.boom().await.unwrap_err().code(), Code::Internal);
}

#[tokio::test]
async fn a_client_says_what_stands_around_its_channel() {
    let channel = farcall::Channel::builder("mem://nobody").lazy().unwrap();
    let lines = describe(&Retry::new().layer(channel));
    assert_eq!(lines, ["Retry(3 attempts)", "Channel(mem://nobody)"]);
}

#[tokio::test]
async fn layers_of_a_channel_see_requests_in_the_order_in_which_they_are_added() {
    let server = Server::builder().service(ShopServer::new(Corner)).bind("mem://").await.unwrap();
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let note = |name: &'static str| {
        let seen = seen.clone();
        layer_fn(move |request: Request, next: farcall::Next| {
            seen.lock().unwrap().push(name);
            async move { next.call(request).await }
        })
    };
    let channel = farcall::Channel::builder(server.uri())
        .layer(note("outer"))
        .layer(Timeout::new(Duration::from_secs(2)))
        .connect_timeout(Duration::from_secs(5))
        .layer(note("inner"))
        .pool(farcall::Pool::up_to(2))
        .connect()
        .await
        .unwrap();
    let around = format!("Channel({}, 1 to 2 connections)", server.uri());
    assert_eq!(describe(&channel), ["layer_fn", "Timeout(2s)", "layer_fn", &around]);
    let client = ShopClient::new(channel);
    assert_eq!(client.price("ink".into()).await.unwrap(), 3);
    assert_eq!(*seen.lock().unwrap(), ["outer", "inner"]);
}

#[tokio::test]
async fn clients_share_the_layers_of_a_channel() {
    let server = Server::builder().service(ShopServer::new(Corner)).bind("mem://").await.unwrap();
    let once = RateLimit::new().total(Quota::per_second(1).burst(1));
    let channel = farcall::Channel::builder(server.uri()).layer(once).lazy().unwrap();
    let channel = std::sync::Arc::new(channel);
    let clients = [ShopClient::new(channel.clone()), ShopClient::new(channel)];
    assert_eq!(clients[0].price("ink".into()).await.unwrap(), 3);
    let error = clients[1].price("ink".into()).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted, "the first took all of the rate");
}

#[tokio::test]
async fn a_layer_fn_on_a_server_sees_the_descriptor() {
    let only_marked = layer_fn(|request: Request, next: farcall::Next| async move {
        match request.descriptor() {
            Some(method) if method.is_idempotent() => next.call(request).await,
            _ => Err(farcall::Error::new(ErrorKind::Refused, "not now")),
        }
    });
    let server =
        Server::builder().service(ShopServer::new(Corner)).layer(only_marked).bind("mem://").await.unwrap();
    assert_eq!(server.describe(), ["layer_fn", r#"{"Shop"}"#]);
    let client = ShopClient::connect(server.uri()).await.unwrap();
    assert_eq!(client.price("ink".into()).await.unwrap(), 3);
    assert_eq!(client.buy("ink".into()).await.unwrap_err().kind(), ErrorKind::Refused);
}
