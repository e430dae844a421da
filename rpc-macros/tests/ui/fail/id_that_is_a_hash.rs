#[farcall::service(name = "g")]
pub trait Greeter {
    async fn a(&self);
    #[rpc(id = 15284462977592530270)]
    async fn b(&self);
}

fn main() {}
