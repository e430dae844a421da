pub struct NoSerde;

type Result<T> = std::result::Result<T, NoSerde>;

#[farcall::service]
pub trait Greeter {
    async fn greet(&self, name: &str) -> Result<String>;
}

fn main() {}
