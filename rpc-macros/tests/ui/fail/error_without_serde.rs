#[derive(Debug)]
pub struct NoSerde;

#[farcall::service]
pub trait Greeter {
    async fn greet(&self, name: &str) -> Result<String, NoSerde>;
    async fn greet_many(&self) -> Result<impl futures::Stream<Item = Result<u8, NoSerde>> + Send, NoSerde>;
}

fn main() {}
