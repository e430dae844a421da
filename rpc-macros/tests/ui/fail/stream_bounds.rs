use futures::Stream;

#[farcall::service]
pub trait Greeter {
    fn not_send(&self) -> impl Stream<Item = u8>;
    async fn no_item(&self) -> Result<impl Stream + Send, String>;
    fn borrowed_item(&self) -> impl Stream<Item = &str> + Send;
}

fn main() {}
