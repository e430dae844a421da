use farcall::Router;

#[farcall::service]
pub trait Greeter {
    async fn greet(&self, name: String) -> String;
}

struct NotIt;

fn main() {
    let _ = Router::new().with(GreeterServer::new(NotIt));
    let _ = GreeterClient::new(GreeterServer::new(NotIt));
}
