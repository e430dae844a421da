use farcall::Streaming;
use futures::Stream;

#[farcall::service]
pub trait Greeter {
    #[rpc(oneway)]
    async fn value(&self) -> u8;
    #[rpc(oneway)]
    fn stream(&self) -> impl Stream<Item = u8> + Send;
    #[rpc(oneway)]
    async fn streaming(&self, names: Streaming<String>);
    #[rpc(oneway)]
    async fn right(&self, name: String);
}

fn main() {}
