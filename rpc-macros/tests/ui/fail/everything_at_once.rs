use farcall::{Channel, Error, Router};

// Each mistake is one error; nobody who uses the service sees another.
#[farcall::service(nme = "greeter")]
pub trait Greeter {
    async fn right(&self, name: String) -> String;
    async fn pattern(&self, (first, last): (String, String)) -> String;
    fn not_async(&self) -> String;
    async fn generic<T>(&self, name: T) -> String;
}

struct Polite;

impl Greeter for Polite {
    async fn right(&self, name: String) -> String {
        name
    }
    async fn pattern(&self, (first, last): (String, String)) -> String {
        first + &last
    }
    fn not_async(&self) -> String {
        String::new()
    }
    async fn generic<T>(&self, _: T) -> String {
        String::new()
    }
}

pub async fn call() -> Result<String, Error> {
    let _ = Router::new().with(GreeterServer::new(Polite))?;
    let _: Option<(GreeterRequest, GreeterResponse)> = None;
    let client: GreeterClient<Channel> = GreeterClient::connect("tcp://127.0.0.1:1").await?;
    client.right("Ada".into()).await
}

fn main() {}
