#[farcall::service]
pub trait Greeter {
    fn greet(&self, name: String) -> String;
    fn nothing(&self);
    fn later(&self) -> impl Future<Output = String> + Send;
    fn sometimes(&self) -> Result<impl futures::Stream<Item = u8> + Send, String>;
}

fn main() {}
