#[farcall::service]
pub trait Greeter {
    type Name;
    const GREETING: &'static str;
    vec![];
    async fn greet(&self);
}

fn main() {}
