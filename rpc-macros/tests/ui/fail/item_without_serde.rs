pub struct NoSerde;

#[farcall::service]
pub trait Greeter {
    fn greetings(&self) -> impl futures::Stream<Item = NoSerde> + Send;
    async fn greet(&self, names: farcall::Streaming<NoSerde>) -> String;
}

fn main() {}
