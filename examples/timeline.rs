//! Where the time went: a client asks a shop, which asks a store that is slow. What the client prints tells which of them it was.

use std::time::Duration;

use farcall::{Channel, Error, Server, service};
use serde::{Deserialize, Serialize};

/// Why the shop has no answer.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShopError(String);

impl From<Error> for ShopError {
    fn from(error: Error) -> Self {
        // The alternate form says where the time went, and so does what the shop's caller prints.
        Self(format!("{error:#}"))
    }
}

impl std::fmt::Display for ShopError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ShopError {}

/// Knows what there is.
#[service]
pub trait Store {
    /// Counts an item.
    async fn level(&self, item: String) -> u64;
}

/// Sells what there is.
#[service]
pub trait Shop {
    /// Says how many can be bought.
    async fn offer(&self, item: String) -> Result<u64, ShopError>;
}

struct Shelves;

impl Store for Shelves {
    async fn level(&self, item: String) -> u64 {
        if item == "plum" {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        7
    }
}

struct Counter(StoreClient);

impl Shop for Counter {
    async fn offer(&self, item: String) -> Result<u64, ShopError> {
        // Less than its callers allow, so that there is time to say what went wrong.
        Ok(self.0.level(item).timeout(Duration::from_millis(300)).await?)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let store = Server::builder().service(StoreServer::new(Shelves)).bind("tcp://127.0.0.1:0").await?;
    // The store is told to be done a little earlier, so that it can say that it was too late, and how long it took.
    let channel = Channel::builder(store.uri()).deadline_margin(Duration::from_millis(20)).connect().await?;
    let counter = Counter(StoreClient::new(channel));
    let shop = Server::builder().service(ShopServer::new(counter)).bind("tcp://127.0.0.1:0").await?;
    let client = ShopClient::connect(shop.uri()).await?;

    let (level, times) = client.offer("pear".into()).with_server_times().await?;
    println!("pears: {level}; the shop says how long it took: {}", times.is_some());

    if let Err(error) = client.offer("plum".into()).timeout(Duration::from_secs(10)).await {
        println!("plums: {error:#}");
    }

    // Something listens there, and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0")?;
    let uri = format!("tcp://{}", silent.local_addr()?);
    let client = ShopClient::new(Channel::builder(uri).lazy()?);
    if let Err(error) = client.offer("pear".into()).timeout(Duration::from_millis(100)).await {
        println!("silent: {error:#}");
    }
    Ok(())
}
