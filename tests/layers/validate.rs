//! `Validate`: a look at requests before the service has them.

use farcall::layers::Validate;
use farcall::{Code, Layer, Request, Server, Status};

use crate::shop::{Corner, Script, ShopClient, ShopRequest, ShopServer};

fn named(request: &Request) -> Result<(), Status> {
    match request.message() {
        Ok(ShopRequest::Price { item } | ShopRequest::Buy { item }) if item.is_empty() => {
            let method = request.descriptor().map(ToString::to_string).unwrap_or_default();
            Err(Status::new(Code::InvalidArgument, format!("{method} needs an item")))
        }
        _ => Ok(()),
    }
}

#[tokio::test]
async fn on_a_server_what_is_rejected_does_not_reach_the_handler() {
    let server = Server::builder().service(ShopServer::new(Corner)).layer(Validate::new(named));
    let server = server.bind("mem://").await.unwrap();
    let client = ShopClient::connect(server.uri()).await.unwrap();
    let error = client.buy(String::new()).await.unwrap_err();
    assert_eq!(error.status().unwrap().to_string(), "INVALID_ARGUMENT: Shop/buy needs an item");
    assert_eq!(client.buy("ink".into()).await.unwrap(), 3);
}

#[tokio::test]
async fn on_a_client_what_is_rejected_is_not_sent() {
    let script = Script::default();
    let client = ShopClient::new(Validate::new(named).layer(script.service()));
    assert_eq!(client.price(String::new()).await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(script.attempts().len(), 0);
    assert_eq!(client.price("ink".into()).await.unwrap(), 7);
}
