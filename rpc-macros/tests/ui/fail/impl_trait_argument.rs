#[farcall::service]
pub trait Greeter {
    async fn stream(&self, names: impl futures::Stream<Item = String> + Send);
    async fn other(&self, name: impl Into<String>);
    async fn nested(&self, names: Vec<impl Into<String>>);
}

fn main() {}
