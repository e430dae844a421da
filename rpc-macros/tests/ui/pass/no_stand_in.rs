#![deny(warnings)]

#[path = "../fault.rs"]
mod fault;
use fault::Fault;

// The error cannot be made from farcall's, so the client is no `Fallible`; all else is there.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Own;

#[farcall::service]
pub trait Fallible {
    async fn run(&self) -> Result<u8, Own>;
    async fn other(&self) -> Result<u8, Fault>;
}

type Alias<T> = Result<T, Own>;

#[farcall::service]
pub trait ByAlias<V> {
    async fn run(&self) -> self::inner::Result<V>;
    async fn other(&self) -> Result<u8, Fault>;
}

mod inner {
    pub type Result<T> = super::Alias<T>;
}

trait Super {}

#[farcall::service]
trait WithSuper: Super + std::fmt::Debug {
    async fn run(&self) -> Result<u8, Fault>;
}

fn main() {
    let _ = FallibleClient::new(farcall::Router::new()).run();
    let _ = WithSuperClient::new(farcall::Router::new()).run();
}
