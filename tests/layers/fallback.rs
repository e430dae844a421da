//! `Fallback`: a stand-in for an answer that did not come.

use farcall::layers::{Fallback, answer};
use farcall::{Code, Error, Layer, Request, Response, Server};
use futures::stream;

use crate::shop::{Corner, Fails, Script, ShopClient, ShopRequest, ShopServer};

fn ninety_nine(request: &Request, error: &Error) -> Option<Result<Response, Error>> {
    let ShopRequest::Price { item } = request.message().ok()? else { return None };
    (error.code() == Code::Unavailable && item == "tea").then(|| answer(request, &99_u64))
}

#[tokio::test]
async fn it_answers_by_request_and_error() {
    let script = Script::new([
        Fails::Lost,
        Fails::code(Code::Unavailable),
        Fails::code(Code::NotFound),
        Fails::Refused,
    ]);
    let client = ShopClient::new(Fallback::new(ninety_nine).layer(script.service()));
    assert_eq!(client.price("tea".into()).await.unwrap(), 99);
    assert_eq!(client.price("ink".into()).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(client.price("tea".into()).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(client.buy("tea".into()).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(client.price("tea".into()).await.unwrap(), 7, "what succeeds is left alone");
}

#[tokio::test]
async fn a_call_that_streams_has_a_fallback_too() {
    let script = Script::new([Fails::Refused]);
    let sum = Fallback::new(|request: &Request, _: &Error| Some(answer(request, &1_u64)));
    let client = ShopClient::new(sum.layer(script.service()));
    assert_eq!(client.fill(stream::iter([1, 2])).await.unwrap(), 1);
}

#[tokio::test]
async fn on_a_server_it_stands_in_for_what_the_layers_within_refuse() {
    let closed = farcall::layer_fn(|_: Request, _: farcall::Next| async {
        Err(Error::new(farcall::ErrorKind::Refused, "closed"))
    });
    let server = Server::builder().service(ShopServer::new(Corner)).layer(Fallback::new(ninety_nine));
    let server = server.layer(closed).bind("mem://").await.unwrap();
    let client = ShopClient::connect(server.uri()).await.unwrap();
    assert_eq!(client.price("tea".into()).await.unwrap(), 99);
    assert!(client.price("ink".into()).await.is_err());
}
