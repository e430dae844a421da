//! A key-value store that can be watched: a server, and a client that is another process.
//!
//! ```text
//! kv serve --bind tcp://127.0.0.1:7000
//! kv watch --to tcp://127.0.0.1:7000 lamp/
//! kv set --to tcp://127.0.0.1:7000 lamp/kitchen on
//! kv get --to tcp://127.0.0.1:7000 lamp/kitchen
//! ```

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::Parser;
use farcall::{Server, service};
use futures::{Stream, StreamExt, TryStreamExt, future};
use serde::{Deserialize, Serialize};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

/// A key that has got a value.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Change {
    /// The key.
    pub key: String,
    /// Its value from now on.
    pub value: String,
}

/// Why the store cannot do what it is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StoreError {
    /// No value was set for the key.
    Missing(String),
    /// The watcher was too slow, and so many changes were lost.
    Behind(u64),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(key) => write!(f, "there is no value for {key:?}"),
            Self::Behind(changes) => write!(f, "too slow: {changes} changes were lost"),
        }
    }
}

impl std::error::Error for StoreError {}

/// Keeps a value for each key.
#[service]
pub trait Store {
    /// Sets a value.
    #[rpc(idempotent)]
    async fn set(&self, key: &str, value: &str);
    /// Returns a value.
    #[rpc(idempotent, timeout = "5s")]
    async fn get(&self, key: &str) -> Result<String, StoreError>;
    /// Returns each change from now on of a key that begins with `prefix`.
    fn watch(&self, prefix: &str) -> impl Stream<Item = Result<Change, StoreError>> + Send;
}

struct Memory {
    values: Mutex<HashMap<String, String>>,
    changes: broadcast::Sender<Change>,
}

impl Memory {
    fn values(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    async fn set(&self, key: &str, value: &str) {
        let mut values = self.values();
        values.insert(key.to_owned(), value.to_owned());
        // Sent under the lock, so that watchers see changes in the order in which they were made; nobody may be watching.
        let _ = self.changes.send(Change { key: key.to_owned(), value: value.to_owned() });
    }

    async fn get(&self, key: &str) -> Result<String, StoreError> {
        self.values().get(key).cloned().ok_or_else(|| StoreError::Missing(key.to_owned()))
    }

    fn watch(&self, prefix: &str) -> impl Stream<Item = Result<Change, StoreError>> + Send {
        let is_wanted = move |change: &Result<Change, _>| {
            future::ready(change.as_ref().map_or(true, |change| change.key.starts_with(prefix)))
        };
        BroadcastStream::new(self.changes.subscribe())
            .map_err(|BroadcastStreamRecvError::Lagged(changes)| StoreError::Behind(changes))
            .filter(is_wanted)
    }
}

/// A key-value store that can be watched.
#[derive(Parser)]
enum Command {
    /// Keeps the values until it gets Ctrl-C or SIGTERM.
    Serve {
        /// Where to listen; port 0 lets the system choose.
        #[arg(long, value_name = "URI", default_value = "tcp://127.0.0.1:0")]
        bind: String,
    },
    /// Sets a value.
    Set {
        #[command(flatten)]
        to: To,
        /// The key.
        key: String,
        /// Its value.
        value: String,
    },
    /// Prints a value.
    Get {
        #[command(flatten)]
        to: To,
        /// The key.
        key: String,
    },
    /// Prints changes as they are made.
    Watch {
        #[command(flatten)]
        to: To,
        /// What the keys begin with.
        #[arg(default_value = "")]
        prefix: String,
    },
}

#[derive(clap::Args)]
struct To {
    /// Where the server is.
    #[arg(long, value_name = "URI")]
    to: String,
}

impl To {
    async fn store(&self) -> Result<StoreClient, farcall::Error> {
        StoreClient::connect(&self.to).await
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Serve { bind } => serve(bind).await?,
        Command::Set { to, key, value } => to.store().await?.set(&key, &value).await?,
        Command::Get { to, key } => println!("{}", to.store().await?.get(&key).await?),
        Command::Watch { to, prefix } => {
            let mut changes = to.store().await?.watch(&prefix).await?;
            eprintln!("watching {prefix:?}");
            while let Some(Change { key, value }) = changes.next().await.transpose()? {
                println!("{key}={value}");
            }
        }
    }
    Ok(())
}

async fn serve(bind: String) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let store = Memory { values: Mutex::default(), changes: broadcast::channel(1024).0 };
    let server = Server::builder()
        .service(StoreServer::new(store))
        // Watchers never end by themselves.
        .shutdown_grace(Duration::from_secs(1))
        .bind(bind)
        .await?;
    println!("listening on {}", server.uri());
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    server.shutdown().await;
    println!("stopped");
    Ok(())
}
