use farcall::Streaming;

#[farcall::service]
pub trait Greeter {
    async fn greet(&self, names: Streaming<String>, greetings: Streaming<String>);
}

fn main() {}
