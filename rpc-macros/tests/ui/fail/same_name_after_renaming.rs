#[farcall::service(rename_all = "kebab-case")]
pub trait Greeter {
    #[rpc(name = "say-hello")]
    async fn greet(&self);
    async fn say_hello(&self);
}

fn main() {}
