#[farcall::service]
pub trait Greeter {
    async fn new(&self) -> String;
    async fn with_codec(&self);
    async fn connect(&self, uri: String);
    async fn clone(&self);
}

fn main() {}
