//! A proxy that can stop passing bytes on without a word to either side: a link that is down.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub struct Valve {
    pub uri: String,
    /// How many times it was shut: links from before that are dead.
    shut: Arc<watch::Sender<u64>>,
    links: watch::Receiver<u64>,
}

impl Valve {
    /// Passes on what comes to a server.
    pub async fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("tcp://{}", listener.local_addr().unwrap());
        let server = server.trim_start_matches("tcp://").to_owned();
        let shut = Arc::new(watch::channel(0).0);
        let (count, links) = watch::channel(0);
        let shut_of_links = shut.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                count.send_modify(|links| *links += 1);
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = TcpStream::connect(&server).await.unwrap().into_split();
                tokio::spawn(pass_on(from_client, to_server, shut_of_links.subscribe()));
                tokio::spawn(pass_on(from_server, to_client, shut_of_links.subscribe()));
            }
        });
        Self { uri, shut, links }
    }

    /// From here on the links that there are pass nothing on, and do not end; new ones do.
    pub fn shut(&self) {
        self.shut.send_modify(|times| *times += 1);
    }

    pub fn links(&self) -> u64 {
        *self.links.borrow()
    }
}

async fn pass_on(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut shut: watch::Receiver<u64>) {
    let mut bytes = vec![0; 64 << 10];
    loop {
        tokio::select! {
            biased;
            _ = shut.changed() => break,
            read = from.read(&mut bytes) => match read {
                Ok(1..) if to.write_all(&bytes[..read.unwrap()]).await.is_ok() => {}
                _ => return,
            },
        }
    }
    // The sockets stay open, and nobody hears of the other.
    std::future::pending::<()>().await;
}
