//! `Cache`: answers that are given again.

use std::time::Duration;

use farcall::layers::{Cache, Idempotent, describe};
use farcall::{Code, ErrorKind, Layer, Server};
use tokio::time::advance;

use crate::shop::{Corner, Fails, Script, ShopClient, ShopServer};

const PRICE: Idempotent = Idempotent::new(ShopClient::DESCRIPTOR, "price");
const TTL: Duration = Duration::from_secs(5);

fn client(script: &Script, cache: Cache) -> ShopClient<impl farcall::Service> {
    ShopClient::new(cache.layer(script.service()))
}

#[tokio::test(start_paused = true)]
async fn the_same_call_is_answered_again_for_a_while() {
    let script = Script::default();
    let client = client(&script, Cache::new(TTL).method(PRICE));
    for _ in 0..10 {
        assert_eq!(client.price("tea".into()).await.unwrap(), 7);
    }
    assert_eq!(script.attempts().len(), 1);
    client.price("ink".into()).await.unwrap();
    assert_eq!(script.attempts().len(), 2, "other arguments are another call");
    advance(TTL).await;
    client.price("tea".into()).await.unwrap();
    assert_eq!(script.attempts().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn only_methods_that_are_named_are_kept() {
    let script = Script::default();
    let client = client(&script, Cache::new(TTL));
    client.price("tea".into()).await.unwrap();
    client.price("tea".into()).await.unwrap();
    assert_eq!(script.attempts().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn callers_can_be_kept_apart() {
    let script = Script::default();
    let client = client(&script, Cache::new(TTL).method(PRICE).vary("tenant"));
    for tenant in ["a", "b", "a", "b"] {
        client.price("tea".into()).metadata("tenant", tenant).await.unwrap();
    }
    client.price("tea".into()).await.unwrap();
    assert_eq!(script.attempts().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_not_kept() {
    let script = Script::new([Fails::code(Code::Unavailable)]);
    let client = client(&script, Cache::new(TTL).method(PRICE));
    client.price("tea".into()).await.unwrap_err();
    assert_eq!(client.price("tea".into()).await.unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn no_more_is_kept_than_may_be() {
    let script = Script::default();
    let client = client(&script, Cache::new(TTL).method(PRICE).entries_max(2));
    for item in ["a", "b", "c", "a", "b", "c"] {
        client.price(item.into()).await.unwrap();
    }
    assert!(script.attempts().len() >= 4, "three do not fit into two");
}

#[tokio::test]
async fn on_a_server_the_handler_is_spared() {
    let script = Script::default();
    let counted = script.service();
    let answers = farcall::layer_fn(move |request: farcall::Request, _: farcall::Next| {
        let counted = counted.clone();
        async move { farcall::Service::call(&counted, request).await }
    });
    let server = Server::builder().service(ShopServer::new(Corner)).layer(Cache::new(TTL).method(PRICE));
    let server = server.layer(answers).bind("mem://").await.unwrap();
    let client = ShopClient::connect(server.uri()).await.unwrap();
    for _ in 0..3 {
        assert_eq!(client.price("tea".into()).await.unwrap(), 7);
    }
    assert_eq!(script.attempts().len(), 1);
}

#[test]
fn a_method_that_is_not_marked_is_refused_at_set_up() {
    for name in ["buy", "none"] {
        let error = Idempotent::find(ShopClient::DESCRIPTOR, name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    }
    let cache = Cache::new(TTL).method(Idempotent::find(ShopClient::DESCRIPTOR, "price").unwrap());
    assert_eq!(describe(&cache.layer(farcall::Router::new())), ["Cache(5s)", "{}"]);
}
