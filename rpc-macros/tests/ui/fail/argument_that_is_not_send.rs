use std::marker::PhantomData;
use std::rc::Rc;

#[derive(serde::Serialize, serde::Deserialize)]
pub struct NotSend(PhantomData<Rc<u8>>);

#[farcall::service]
pub trait Greeter {
    async fn greet(&self, name: NotSend) -> String;
}

fn main() {}
