#![deny(warnings)]

// Methods whose names are those of methods that `Arc`, `Clone` or rpc-core's types have.
#[farcall::service]
pub trait Edges {
    async fn borrow(&self) -> u8;
    async fn as_ref(&self) -> u8;
    async fn call(&self, request: u8) -> u8;
    async fn handle(&self, streams: u8) -> u8;
    async fn fmt(&self, f: u8) -> u8;
    async fn run(&self) -> u8;
    async fn descriptor(&self) -> u8;
    async fn request(&self) -> u8;
    async fn ok(&self) -> u8;
    async fn err(&self) -> u8;
    async fn service(&self) -> u8;
    #[allow(non_snake_case)]
    async fn getX(&self) -> u8;
    async fn getx(&self) -> u8;
    async fn héllo(&self, größe: u8) -> u8;
}

struct Real;

impl Edges for Real {
    async fn borrow(&self) -> u8 { 1 }
    async fn as_ref(&self) -> u8 { 2 }
    async fn call(&self, request: u8) -> u8 { request }
    async fn handle(&self, streams: u8) -> u8 { streams }
    async fn fmt(&self, f: u8) -> u8 { f }
    async fn run(&self) -> u8 { 3 }
    async fn descriptor(&self) -> u8 { 4 }
    async fn request(&self) -> u8 { 5 }
    async fn ok(&self) -> u8 { 6 }
    async fn err(&self) -> u8 { 7 }
    async fn service(&self) -> u8 { 8 }
    async fn getX(&self) -> u8 { 9 }
    async fn getx(&self) -> u8 { 10 }
    async fn héllo(&self, größe: u8) -> u8 { größe }
}

fn main() {
    #[allow(unused_imports)]
    use std::borrow::Borrow;
    let client = EdgesClient::new(EdgesServer::new(Real));
    futures::executor::block_on(async {
        assert_eq!(client.borrow().await.unwrap(), 1);
        assert_eq!(client.as_ref().await.unwrap(), 2);
        assert_eq!(client.call(5).await.unwrap(), 5);
        assert_eq!(client.getX().await.unwrap(), 9);
        assert_eq!(client.getx().await.unwrap(), 10);
        assert_eq!(client.héllo(11).await.unwrap(), 11);
    });
}
