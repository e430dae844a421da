#[farcall::service(nmae = "greeter", vers = 1, retries = 3)]
pub trait Greeter {
    #[rpc(idempotnt)]
    async fn greet(&self);
    #[rpc(time_out = "2s")]
    async fn wait(&self);
    #[rpc(compress)]
    async fn send(&self);
}

fn main() {}
