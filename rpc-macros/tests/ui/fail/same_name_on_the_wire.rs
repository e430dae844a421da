#[farcall::service]
pub trait Greeter {
    async fn greet(&self);
    #[rpc(name = "greet")]
    async fn welcome(&self);
}

fn main() {}
