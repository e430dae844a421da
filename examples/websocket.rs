//! Calls over a WebSocket, and what others are told who ask at its port.

use farcall::{Server, service};
use futures::{Stream, StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Shows news.
#[service]
pub trait News {
    /// Sends headlines, one after the other.
    fn headlines(&self, of: String) -> impl Stream<Item = String> + Send;
}

struct Paper;

impl News for Paper {
    fn headlines(&self, of: String) -> impl Stream<Item = String> + Send {
        stream::iter(1..=3).map(move |number| format!("{of}, number {number}"))
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let server = Server::builder()
        .service(NewsServer::new(Paper))
        // Pages of its own host may call it anyway.
        .web_origins(["https://news.example"])
        .bind("ws://127.0.0.1:0/rpc")
        .await?;
    let news = NewsClient::connect(server.uri()).await?;
    let mut headlines = news.headlines("Monday".into()).await?;
    while let Some(headline) = headlines.next().await {
        println!("{}", headline?);
    }

    let address = server.uri().trim_start_matches("ws://").trim_end_matches("/rpc").to_owned();
    println!("plain HTTP gets: {}", ask(&address, "/rpc").await?);
    println!("another path gets: {}", ask(&address, "/elsewhere").await?);

    drop(headlines);
    server.shutdown().await;
    Ok(())
}

/// Asks in plain HTTP, and gives what the answer says.
async fn ask(address: &str, path: &str) -> anyhow::Result<String> {
    let mut plain = TcpStream::connect(address).await?;
    plain.write_all(format!("GET {path} HTTP/1.1\r\nhost: news.example\r\n\r\n").as_bytes()).await?;
    let mut answer = String::new();
    plain.read_to_string(&mut answer).await?;
    Ok(answer.lines().last().unwrap_or_default().to_owned())
}
