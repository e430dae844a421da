use std::sync::Arc;

#[farcall::service]
pub trait Greeter {
    async fn none(name: String) -> String;
    async fn by_value(self) -> String
    where
        Self: Sized;
    async fn mutable(&mut self) -> String;
    async fn shared(self: Arc<Self>) -> String;
    async fn right(&self) -> String;
}

fn main() {}
