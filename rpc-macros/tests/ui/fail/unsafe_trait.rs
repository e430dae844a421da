#[farcall::service]
pub unsafe trait Greeter {
    async fn greet(&self);
}

fn main() {}
