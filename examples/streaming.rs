//! Methods of all four shapes, and what happens when a stream is dropped half way.

use std::fmt;

use farcall::{Error, Server, Streaming, service};
use futures::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Why a text is not written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum TextError {
    /// The caller did not say who it is.
    Anonymous,
    /// The caller's stream broke off.
    Broken(String),
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("say who you are"),
            Self::Broken(why) => write!(f, "the stream broke off: {why}"),
        }
    }
}

impl std::error::Error for TextError {}

impl From<Error> for TextError {
    fn from(error: Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// Works on texts.
#[service]
pub trait Texts {
    /// One value, one result.
    async fn upper(&self, text: String) -> String;
    /// A stream of results: every `step`th number below `end`.
    fn count(&self, end: u64, step: u64) -> impl Stream<Item = u64> + Send;
    /// A stream of values beside other arguments, which come first.
    async fn join(&self, separator: &str, parts: Streaming<String>) -> Result<String, TextError>;
    /// Both: each line is answered while the caller may still send more.
    async fn chat(
        &self,
        name: &str,
        lines: Streaming<String>,
    ) -> Result<impl Stream<Item = String> + Send, TextError>;
}

struct Writer {
    dropped: mpsc::UnboundedSender<&'static str>,
}

impl Texts for Writer {
    async fn upper(&self, text: String) -> String {
        text.to_uppercase()
    }

    fn count(&self, end: u64, step: u64) -> impl Stream<Item = u64> + Send {
        let guard = OnDrop { what: "count", dropped: self.dropped.clone() };
        stream::unfold((0_u64, guard), move |(number, guard)| async move {
            (number < end).then(|| (number, (number.saturating_add(step), guard)))
        })
    }

    async fn join(&self, separator: &str, mut parts: Streaming<String>) -> Result<String, TextError> {
        let mut joined = Vec::new();
        while let Some(part) = parts.next().await {
            // An item is a `Result`: the caller may go away half way.
            joined.push(part?);
        }
        Ok(joined.join(separator))
    }

    // What is returned may borrow from the handler and from the arguments.
    async fn chat(
        &self,
        name: &str,
        lines: Streaming<String>,
    ) -> Result<impl Stream<Item = String> + Send, TextError> {
        if name.is_empty() {
            return Err(TextError::Anonymous);
        }
        Ok(lines.filter_map(async |line| line.ok()).map(move |line| format!("{line}, {name}? Tell me more.")))
    }
}

/// Tells when the stream that holds it is dropped, be it at its end or earlier.
struct OnDrop {
    what: &'static str,
    dropped: mpsc::UnboundedSender<&'static str>,
}

impl Drop for OnDrop {
    fn drop(&mut self) {
        // Nobody listens once the example is over.
        let _ = self.dropped.send(self.what);
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (dropped, mut drops) = mpsc::unbounded_channel();
    let server =
        Server::builder().service(TextsServer::new(Writer { dropped })).bind("tcp://127.0.0.1:0").await?;
    let texts = TextsClient::connect(server.uri()).await?;

    println!("upper: {}", texts.upper("quiet".into()).await?);

    let mut counted = texts.count(10, 3).await?;
    while let Some(number) = counted.next().await {
        println!("count: {}", number?);
    }
    println!("the server has dropped {:?} at its end", drops.recv().await);

    let parts = stream::iter(["a", "b", "c"]).map(String::from);
    println!("join: {}", texts.join(" + ", parts).await?);

    // Send a line, wait for its answer, then send the next one.
    let (say, said) = mpsc::channel(1);
    let mut answers = texts.chat("Ada", ReceiverStream::new(said)).await?;
    for line in ["It rains", "It snows"] {
        say.send(line.to_owned()).await?;
        println!("chat: {}", answers.next().await.transpose()?.unwrap_or_default());
    }
    drop(say);
    println!("chat is over: {}", answers.next().await.is_none());
    if let Err(error) = texts.chat("", stream::empty()).await {
        println!("chat: {error}");
    }

    // Dropping a stream tells the server that no more is wanted: the handler is dropped long before its end.
    let mut endless = texts.count(u64::MAX, 1).await?;
    let first: Vec<_> = endless.by_ref().take(3).collect().await;
    println!("took {} of {} items", first.len(), u64::MAX);
    drop(endless);
    println!("the server has dropped {:?} half way", drops.recv().await);

    server.shutdown().await;
    Ok(())
}
