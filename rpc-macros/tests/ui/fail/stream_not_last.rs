use farcall::Streaming;

#[farcall::service]
pub trait Greeter {
    async fn greet(&self, names: Streaming<String>, greeting: String);
}

fn main() {}
