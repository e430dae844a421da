#![deny(warnings)]

use farcall::{Streaming, service};
use futures::Stream;

#[derive(serde::Serialize, serde::Deserialize)]
pub struct NoDebug;

#[service]
pub trait Cfg {
    #[cfg(all())]
    async fn here(&self, a: NoDebug) -> Result<NoDebug, farcall::Error>;
    #[cfg(any())]
    async fn gone(&self, a: Gone, b: &str) -> Result<Lost, Nowhere>;
    #[cfg(any())]
    async fn gone_too(&self, a: Streaming<Gone>) -> Result<impl Stream<Item = Gone> + Send, Nowhere>;
    #[cfg(all())]
    #[cfg(any())]
    async fn either(&self) -> Gone;
    #[cfg(not(any()))]
    async fn either(&self) -> Result<u8, farcall::Error>;
}

#[service]
pub trait AllGone<V> {
    #[cfg(any())]
    async fn gone(&self, a: Gone<V>, b: &str) -> Lost<V>;
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
