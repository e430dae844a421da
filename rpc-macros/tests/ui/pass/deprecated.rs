#![deny(warnings)]

#[path = "../fault.rs"]
mod fault;
use fault::Fault;

#[farcall::service]
pub trait Old {
    #[deprecated = "use new_way"]
    async fn old_way(&self, a: u8) -> Result<u8, Fault>;
    async fn new_way(&self, a: u8) -> Result<u8, Fault>;
}

#[deprecated]
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct OldType;

#[allow(deprecated)]
mod inner {
    use super::OldType;

    #[farcall::service]
    pub trait OldTypes {
        async fn old(&self, a: OldType) -> OldType;
    }
}

fn main() {}
