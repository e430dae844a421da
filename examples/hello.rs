//! The README's example: a trait, a server, a client.

use farcall::{Server, service};

/// Greets people.
#[service]
pub trait Greeter {
    /// Greets `name`.
    async fn greet(&self, name: String) -> String;
}

struct Polite;

impl Greeter for Polite {
    async fn greet(&self, name: String) -> String {
        format!("Hello, {name}!")
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::builder().service(GreeterServer::new(Polite)).bind("tcp://127.0.0.1:0").await?;
    let greeter = GreeterClient::connect(server.uri()).await?;
    println!("{}", greeter.greet("Ada".into()).await?);
    server.shutdown().await;
    Ok(())
}
