use farcall::Router;

pub struct NoSerde;

#[farcall::service]
pub trait Greeter {
    async fn greet(&self, name: NoSerde) -> String;
    async fn again(&self, name: NoSerde) -> String;
}

struct Polite;

impl Greeter for Polite {
    async fn greet(&self, _: NoSerde) -> String {
        String::new()
    }
    async fn again(&self, _: NoSerde) -> String {
        String::new()
    }
}

pub fn make() -> (GreeterServer<impl Greeter>, GreeterClient<Router>) {
    (GreeterServer::new(Polite), GreeterClient::new(Router::new()))
}

fn main() {}
