#[farcall::service]
pub trait Greeter {
    #[rpc(id = 7)]
    async fn greet(&self);
    #[rpc(id = 0x07)]
    async fn welcome(&self);
}

fn main() {}
