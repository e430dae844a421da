//! `RateLimit`: in all and by key, and what who is over it is told.

use std::time::Duration;

use bytes::Bytes;
use farcall::layers::{Quota, RateLimit, Retry};
use farcall::{
    Body, Channel, Code, CodecKind, Fate, Layer, MethodId, Peer, Pushback, Request, Server, Service,
};

use crate::shop::{Corner, Script, ShopClient, ShopServer};

async fn server(limit: RateLimit) -> Server {
    Server::builder().service(ShopServer::new(Corner)).layer(limit).bind("mem://").await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn who_is_over_the_rate_is_told_when_to_come_back() {
    let server = server(RateLimit::new().total(Quota::per_second(10).burst(2))).await;
    let client = ShopClient::connect(server.uri()).await.unwrap();
    client.buy("x".into()).await.unwrap();
    client.buy("x".into()).await.unwrap();
    let error = client.buy("x".into()).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    let Some(Pushback::After(wait)) = error.status().unwrap().pushback() else { panic!("{error}") };
    assert!(wait <= Duration::from_millis(100), "{wait:?}");
    tokio::time::sleep(wait).await;
    client.buy("x".into()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_retries_keeps_to_it() {
    let server = server(RateLimit::new().total(Quota::per_second(1).burst(1))).await;
    let client = ShopClient::new(Retry::new().layer(Channel::connect(server.uri()).await.unwrap()));
    let start = tokio::time::Instant::now();
    for _ in 0..5 {
        client.price("x".into()).await.unwrap();
    }
    assert_eq!(start.elapsed().as_millis() / 100, 40);
}

#[tokio::test(start_paused = true)]
async fn on_a_client_what_is_over_the_rate_is_not_sent() {
    let script = Script::default();
    let limit = RateLimit::new().total(Quota::per_second(10).burst(1));
    let client = ShopClient::new(limit.layer(script.service()));
    client.buy("x".into()).await.unwrap();
    let error = client.buy("x".into()).await.unwrap_err();
    assert_eq!((error.code(), error.fate()), (Code::ResourceExhausted, Fate::Refused));
    assert_eq!(script.attempts().len(), 1);
    // So it can be made again whatever the method.
    let limit = RateLimit::new().total(Quota::per_second(10).burst(1));
    let client = ShopClient::new(Retry::new().layer(limit.layer(script.service())));
    for _ in 0..3 {
        client.buy("x".into()).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn each_tenant_has_its_own_rate() {
    let limit = RateLimit::new()
        .total(Quota::per_second(100).burst(7))
        .per_metadata("tenant", Quota::per_second(1).burst(2))
        .key("large", Quota::per_second(1).burst(4));
    let server = server(limit).await;
    let client = ShopClient::connect(server.uri()).await.unwrap();
    let passed = async |tenant: &str| {
        let mut passed = 0;
        for _ in 0..10 {
            passed += usize::from(client.buy("x".into()).metadata("tenant", tenant).await.is_ok());
        }
        passed
    };
    assert_eq!([passed("a").await, passed("b").await], [2, 2]);
    assert_eq!(
        passed("large").await,
        3,
        "what tenants were refused does not count in all, and in all it is 7"
    );
    assert!(client.buy("x".into()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_peer_is_a_host_whatever_its_ports() {
    let limit = RateLimit::new().per_peer(Quota::per_second(1).burst(2));
    let service = limit.layer(Script::default().service());
    let call = async |peer: &str| {
        let mut request = Request::by_id(MethodId::new(7), CodecKind::default(), Body::new(Bytes::new()));
        request.set_peer(Peer::new(peer));
        service.call(request).await.map(drop).map_err(|error| error.code())
    };
    assert_eq!(call("tcp://10.0.0.7:4001").await, Ok(()));
    assert_eq!(call("tcp://10.0.0.7:4002").await, Ok(()));
    assert_eq!(call("tcp://10.0.0.7:4003").await, Err(Code::ResourceExhausted));
    assert_eq!(call("tcp://10.0.0.8:4001").await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_function_may_find_the_key() {
    let by_method = |request: &Request| Some(request.method_name());
    let limit = RateLimit::new().per_key(by_method, Quota::per_second(1).burst(1));
    let client = ShopClient::new(limit.layer(Script::default().service()));
    client.buy("x".into()).await.unwrap();
    client.price("x".into()).await.unwrap();
    assert!(client.buy("x".into()).await.is_err());
}
