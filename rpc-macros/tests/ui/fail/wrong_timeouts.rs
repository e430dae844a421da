#[farcall::service]
pub trait Greeter {
    #[rpc(timeout = "0s")]
    async fn zero(&self);
    #[rpc(timeout = "soon")]
    async fn soon(&self);
    #[rpc(timeout = 2)]
    async fn number(&self);
    #[rpc(timeout = "1.5s")]
    async fn fraction(&self);
    #[rpc(timeout = "99999999999999999999h")]
    async fn long(&self);
    #[rpc(timeout = "-1s")]
    async fn negative(&self);
}

fn main() {}
