pub struct NoSerde;

#[farcall::service]
pub trait Greeter {
    async fn greet(&self, name: &str) -> NoSerde;
}

fn main() {}
