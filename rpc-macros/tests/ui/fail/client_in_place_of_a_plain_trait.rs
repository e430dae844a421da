use farcall::Router;

#[farcall::service]
pub trait Greeter {
    async fn greet(&self) -> String;
}

fn greet(_: &impl Greeter) {}

pub fn call() {
    greet(&GreeterClient::new(Router::new()));
}

fn main() {}
