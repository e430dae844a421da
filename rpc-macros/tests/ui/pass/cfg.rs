#![deny(warnings)]

#[path = "../fault.rs"]
mod fault;
use fault::Fault;

use farcall::service;

#[derive(serde::Serialize, serde::Deserialize)]
pub struct NoDebug;

#[service]
pub trait Cfg {
    #[cfg(all())]
    async fn here(&self, a: NoDebug) -> Result<NoDebug, Fault>;
    #[cfg(any())]
    async fn gone(&self, a: Gone, b: &str) -> Result<Lost, Nowhere>;
    #[cfg(any())]
    async fn gone_too(&self, a: farcall::Streaming<Gone>) -> Result<impl futures::Stream<Item = Result<Gone, Nowhere>> + Send, Nowhere>;
    #[cfg(all())]
    #[cfg(any())]
    async fn either(&self) -> Result<Gone, Nowhere>;
    #[cfg(not(any()))]
    async fn either(&self) -> Result<u8, Fault>;
}

#[service]
pub trait AllGone<V> {
    #[cfg(any())]
    async fn gone(&self, a: V, b: &str) -> Vec<V>;
}

#[cfg(any())]
#[service]
pub trait Whole {
    async fn gone(&self) -> Gone;
}

#[service]
#[cfg(any())]
pub trait Below {
    async fn gone(&self) -> Gone;
}

fn stands_in<T: Cfg>(_: &T) {}

fn main() {
    assert_eq!(CfgClient::DESCRIPTOR.methods().len(), 2);
    stands_in(&CfgClient::new(farcall::Router::new()));
}
