//! A server under load whose metrics are scraped: calls that succeed, fail, are made again and hang, and the lines that tell.
//! Runs with `--features prometheus`.

use std::net::SocketAddr;
use std::time::Duration;

use farcall::layers::{ConcurrencyLimit, Metrics, Retry, Timeout};
use farcall::metrics::Prometheus;
use farcall::{Channel, Error, Inspector, Layer, MethodId, Server, Stack, service};
use futures::future::join_all;
use futures::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// So many books there are not.
#[derive(Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SoldOut;

/// Sells books.
#[service]
pub trait Shop {
    /// Says what a book costs; asking twice does no harm.
    #[rpc(idempotent)]
    async fn price(&self, book: String) -> u64;
    /// Sells so many.
    async fn buy(&self, books: u64) -> Result<u64, SoldOut>;
    /// Names all there are.
    fn list(&self) -> impl Stream<Item = String> + Send;
    /// Waits for a book that never comes.
    async fn order(&self, book: String) -> u64;
}

struct Corner;

impl Shop for Corner {
    async fn price(&self, book: String) -> u64 {
        // So that calls meet.
        tokio::task::yield_now().await;
        book.len() as u64
    }

    async fn buy(&self, books: u64) -> Result<u64, SoldOut> {
        if books > 3 { Err(SoldOut) } else { Ok(books) }
    }

    fn list(&self) -> impl Stream<Item = String> + Send {
        stream::iter(0..100).map(|number| format!("book {number}"))
    }

    async fn order(&self, _: String) -> u64 {
        std::future::pending().await
    }
}

async fn serve(inspector: &Inspector) -> Result<Server, Error> {
    Server::builder()
        .service(ShopServer::new(Corner))
        .layer(Metrics::server())
        // Two at a time, to have something refused and made again.
        .layer(ConcurrencyLimit::new(64).method(MethodId::hash("Shop", "price"), 2))
        .inspector(inspector)
        .bind("tcp://127.0.0.1:0")
        .await
}

/// What a scraper does.
async fn scrape(endpoint: SocketAddr) -> std::io::Result<Vec<String>> {
    let mut stream = TcpStream::connect(endpoint).await?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.lines().map(str::to_owned).collect())
}

fn print(title: &str, lines: &[String], parts: &[&str]) {
    println!("{title}:");
    for part in parts {
        let telling = lines.iter().filter(|line| line.starts_with(part) && !line.ends_with(" 0"));
        telling.for_each(|line| println!("  {line}"));
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let inspector = Inspector::new();
    // First of all: what is recorded before is lost.
    let prometheus = Prometheus::builder()
        .inspector(&inspector)
        .stuck_after(Duration::from_millis(100))
        .bind("127.0.0.1:0")?;
    let server = serve(&inspector).await?;
    let channel = Channel::connect(server.uri()).await?;
    let layers = Stack::new(Metrics::client(), Timeout::new(Duration::from_secs(10)));
    let shop =
        ShopClient::new(layers.then(Retry::new().attempts(5)).then(Metrics::attempts()).layer(channel));

    for _ in 0..50 {
        join_all((0..4).map(|_| shop.price("Emma".into()))).await;
    }
    for books in 1..=5 {
        let _ = shop.buy(books).await;
    }
    println!("listed {} books", shop.list().await?.count().await);
    let hanging = tokio::spawn(shop.order("Ulysses, volume 2".into()));
    let stuck = "farcall_server_calls_stuck{method=\"order\"";
    let lines = loop {
        let lines = scrape(prometheus.address()).await?;
        if lines.iter().any(|line| line.starts_with(stuck) && line.ends_with(" 1")) {
            break lines;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };

    print(
        "calls of the client",
        &lines,
        &["farcall_client_calls_finished_total", "farcall_client_call_items"],
    );
    let attempts = ["farcall_client_attempts_started_total", "farcall_client_retries_total"];
    print("what they took", &lines, &attempts);
    print(
        "calls of the server",
        &lines,
        &["farcall_server_calls_finished_total", "farcall_limit_refusals_total"],
    );
    let durations =
        ["farcall_server_call_duration_seconds_count", "farcall_server_queue_duration_seconds_count"];
    print("measured", &lines, &durations);
    let connections = [
        "farcall_server_connections{",
        "farcall_server_received_bytes_total",
        "farcall_server_calls_waiting",
    ];
    print("connections", &lines, &connections);
    print("stuck", &lines, &["farcall_server_calls_stuck", "farcall_server_oldest_call_age_seconds"]);
    println!("{} lines in all", lines.len());
    hanging.abort();
    server.shutdown().await;
    Ok(())
}
