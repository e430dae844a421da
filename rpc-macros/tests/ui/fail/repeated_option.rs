#[farcall::service(name = "a", name = "b")]
pub trait Greeter {
    #[rpc(idempotent, id = 1, idempotent)]
    async fn greet(&self);
    #[rpc(timeout = "2s")]
    #[rpc(timeout = "3s")]
    async fn wait(&self);
}

fn main() {}
