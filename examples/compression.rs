//! What messages take on the wire: as they are, and compressed, in two codecs.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use farcall::{Channel, CodecKind, Compression, Compressor, Server, service};
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};

/// A line of a shop's books.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sale {
    /// What was sold.
    pub item: String,
    /// Where.
    pub shop: String,
    /// For how much.
    pub cents: u64,
}

/// Keeps the books.
#[service]
pub trait Books {
    /// Gives the sales of a month.
    async fn month(&self, number: u32) -> Vec<Sale>;
}

struct Ledger;

impl Books for Ledger {
    async fn month(&self, number: u32) -> Vec<Sale> {
        let items = ["a pound of tea", "a dozen eggs", "a loaf of bread"];
        let sale = |line: u32| Sale {
            item: items[(line % 3) as usize].into(),
            shop: format!("branch {}", line % 7),
            cents: u64::from(line * 37 % 1_999 + number),
        };
        (0..5_000).map(sale).collect()
    }
}

/// Stands between client and server, and counts what comes back.
async fn counting(server: &str, bytes: Arc<AtomicU64>) -> anyhow::Result<String> {
    let target = server.trim_start_matches("tcp://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let uri = format!("tcp://{}", listener.local_addr()?);
    tokio::spawn(async move {
        let (client, _) = listener.accept().await?;
        let (mut from_client, mut to_client) = client.into_split();
        let (from_server, mut to_server) = TcpStream::connect(target).await?.into_split();
        tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
        let mut buffer = vec![0; 64 << 10];
        loop {
            from_server.readable().await?;
            match from_server.try_read(&mut buffer) {
                Ok(0) => return io::Result::Ok(()),
                Ok(read) => {
                    bytes.fetch_add(read as u64, Ordering::Relaxed);
                    tokio::io::AsyncWriteExt::write_all(&mut to_client, &buffer[..read]).await?;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    });
    Ok(uri)
}

/// Asks for a month, and returns what the answer took on the wire.
async fn measure(codec: CodecKind, compressor: Option<Compressor>) -> anyhow::Result<u64> {
    let mut server = Server::builder().service(BooksServer::new(Ledger));
    if let Some(compressor) = compressor {
        server = server.compression(Compression::new(compressor));
    }
    let server = server.bind("tcp://127.0.0.1:0").await?;
    let bytes = Arc::new(AtomicU64::new(0));
    let channel = Channel::connect(counting(server.uri(), bytes.clone()).await?).await?;
    let sales = BooksClient::with_codec(channel, codec).month(7).await?;
    assert_eq!(sales.len(), 5_000);
    let bytes = bytes.load(Ordering::Relaxed);
    server.shutdown().await;
    Ok(bytes)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    println!("5,000 sales, in bytes on the wire:");
    for codec in [CodecKind::Postcard, CodecKind::Json] {
        println!("{:>8} as they are: {:>7}", codec.name(), measure(codec, None).await?);
        for compressor in [Compressor::Gzip, Compressor::Zstd, Compressor::Lz4] {
            let bytes = measure(codec, Some(compressor)).await?;
            println!("{:>8} with {:>6}: {bytes:>7}", codec.name(), compressor.name());
        }
    }
    Ok(())
}
