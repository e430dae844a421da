#[farcall::service]
pub trait Greeter {
    async fn greet(&self, #[rpc(name = "who")] name: String);
    async fn maybe(&self, #[cfg(unix)] name: String);
}

fn main() {}
