#![deny(warnings)]

#[path = "../fault.rs"]
mod fault;
use fault::Fault;

use farcall::Router;

mod outer {
    pub(in crate::outer) type Secret = u8;

    mod inner {
        #[farcall::service]
        pub(in crate::outer) trait Restricted {
            async fn tell(&self, secret: super::Secret) -> super::Secret;
        }
    }

    pub fn describe() -> &'static str {
        inner::RestrictedClient::DESCRIPTOR.name()
    }
}

fn main() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Local(u8);

    #[farcall::service]
    trait InBody {
        async fn twice(&self, a: Local) -> Result<Local, Fault>;
    }

    struct Real;

    impl InBody for Real {
        async fn twice(&self, a: Local) -> Result<Local, Fault> {
            Ok(Local(a.0 * 2))
        }
    }

    let client = InBodyClient::new(Router::new().with(InBodyServer::new(Real)).unwrap());
    let call = client.twice(Local(4));
    assert_eq!(futures::executor::block_on(call).unwrap().0, 8);
    assert_eq!(outer::describe(), "Restricted");
}
