#![deny(warnings)]

#[path = "../fault.rs"]
mod fault;
use fault::Fault;

use futures::{Stream, stream};

#[farcall::service]
pub trait Defaults {
    async fn name(&self) -> String {
        "default".into()
    }
    async fn greet(&self, mut greeting: String, name: &str) -> Result<String, Fault> {
        greeting.push_str(name);
        let name = self.name().await;
        if name.is_empty() {
            return Ok(name);
        }
        Ok(greeting)
    }
    async fn items(&self, up_to: u8) -> Result<impl Stream<Item = u8> + Send, String> {
        if up_to == 0 {
            return Err("nothing".to_owned());
        }
        Ok(stream::iter(0..up_to))
    }
    async fn unit(&self) {
        let _ = self.name().await;
    }
}

struct Nothing;

impl Defaults for Nothing {}

fn main() {
    let client = DefaultsClient::new(DefaultsServer::new(Nothing));
    let greeted = futures::executor::block_on(client.greet("Hello, ".into(), "Ada"));
    assert_eq!(greeted.unwrap(), "Hello, Ada");
}
