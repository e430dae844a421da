//! One-line set-up: a server with a service of all shapes, a client, and a probe into what the handlers do.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use farcall::{Channel, Context, Limits, Server, ServerBuilder, Streaming, service};
use futures::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// Longer than anything here takes; a wait that reaches it has failed.
pub const BOUND: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum LabError {
    DivisionByZero,
    Rpc(String),
}

impl From<farcall::Error> for LabError {
    fn from(error: farcall::Error) -> Self {
        Self::Rpc(error.to_string())
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    pub has_deadline: bool,
    pub tenant: Option<String>,
    pub peer: Option<String>,
    pub method: Option<String>,
    pub trace_id: Option<u128>,
}

#[service]
pub trait Lab {
    async fn echo(&self, text: String) -> String;
    async fn blob(&self, bytes: Bytes) -> Bytes;
    async fn divide(&self, a: i64, b: i64) -> Result<i64, LabError>;
    async fn measure(&self, key: &str, value: &[u8]) -> (u64, u64);
    /// Never answers.
    async fn hang(&self);
    async fn boom(&self);
    async fn seen(&self) -> Seen;
    #[rpc(oneway)]
    async fn note(&self, text: String);
    fn count(&self, to: u64) -> impl Stream<Item = u64> + Send;
    /// Items of 1 KiB without end.
    fn flood(&self) -> impl Stream<Item = Bytes> + Send;
    /// Sends one item and then nothing, without end.
    fn trickle(&self) -> impl Stream<Item = u64> + Send;
    async fn divide_all(
        &self,
        all: Vec<(i64, i64)>,
    ) -> Result<impl Stream<Item = Result<i64, LabError>> + Send, LabError>;
    async fn sum(&self, start: u64, parts: Streaming<u64>) -> u64;
    async fn shout(
        &self,
        end: &str,
        said: Streaming<String>,
    ) -> Result<impl Stream<Item = String> + Send, LabError>;
    /// Panics after one item.
    fn boom_later(&self) -> impl Stream<Item = u64> + Send;
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    pub started: u64,
    pub dropped: u64,
    pub items: u64,
    pub notes: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct Probe(Arc<watch::Sender<Counts>>);

impl Probe {
    pub fn new() -> Self {
        Self(Arc::new(watch::channel(Counts::default()).0))
    }

    fn change(&self, change: impl FnOnce(&mut Counts)) {
        self.0.send_modify(change);
    }

    pub fn counts(&self) -> Counts {
        self.0.borrow().clone()
    }

    /// Waits until the handlers have come this far.
    pub async fn wait(&self, reached: impl FnMut(&Counts) -> bool) -> Counts {
        let mut counts = self.0.subscribe();
        let reached = tokio::time::timeout(BOUND, counts.wait_for(reached)).await;
        reached.expect("the handlers come this far in time").expect("the probe lives").clone()
    }

    /// Counts a handler as started, and as dropped when the guard goes.
    pub fn enter(&self) -> Inside {
        self.change(|counts| counts.started += 1);
        Inside(self.clone())
    }
}

pub struct Inside(Probe);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.change(|counts| counts.dropped += 1);
    }
}

#[derive(Clone)]
pub struct Bench(pub Probe);

impl Lab for Bench {
    async fn echo(&self, text: String) -> String {
        let _inside = self.0.enter();
        text
    }

    async fn blob(&self, bytes: Bytes) -> Bytes {
        bytes
    }

    async fn divide(&self, a: i64, b: i64) -> Result<i64, LabError> {
        a.checked_div(b).ok_or(LabError::DivisionByZero)
    }

    async fn measure(&self, key: &str, value: &[u8]) -> (u64, u64) {
        (key.len() as u64, value.len() as u64)
    }

    async fn hang(&self) {
        let _inside = self.0.enter();
        pending().await
    }

    async fn boom(&self) {
        panic!("on purpose");
    }

    async fn seen(&self) -> Seen {
        let context = Context::current();
        context.set_response_metadata("served-by", "bench");
        Seen {
            has_deadline: context.deadline().is_some(),
            tenant: context.metadata().text("tenant").map(str::to_owned),
            peer: context.peer().map(|peer| peer.uri().to_owned()),
            method: context.method().map(ToString::to_string),
            trace_id: context.trace().map(|trace| trace.trace_id()),
        }
    }

    async fn note(&self, text: String) {
        self.0.change(|counts| counts.notes.push(text));
    }

    fn count(&self, to: u64) -> impl Stream<Item = u64> + Send {
        stream::iter(0..to)
    }

    fn flood(&self) -> impl Stream<Item = Bytes> + Send {
        let inside = self.0.enter();
        stream::repeat_with(move || {
            inside.0.change(|counts| counts.items += 1);
            Bytes::from_static(&[7; 1024])
        })
    }

    fn trickle(&self) -> impl Stream<Item = u64> + Send {
        let inside = self.0.enter();
        stream::iter([1]).chain(stream::pending()).inspect(move |_| {
            let _ = &inside;
        })
    }

    async fn divide_all(
        &self,
        all: Vec<(i64, i64)>,
    ) -> Result<impl Stream<Item = Result<i64, LabError>> + Send, LabError> {
        if all.is_empty() {
            return Err(LabError::DivisionByZero);
        }
        Ok(stream::iter(all).map(|(a, b)| a.checked_div(b).ok_or(LabError::DivisionByZero)))
    }

    async fn sum(&self, start: u64, mut parts: Streaming<u64>) -> u64 {
        let mut sum = start;
        while let Some(Ok(part)) = parts.next().await {
            sum += part;
        }
        sum
    }

    async fn shout(
        &self,
        end: &str,
        said: Streaming<String>,
    ) -> Result<impl Stream<Item = String> + Send, LabError> {
        let inside = self.0.enter();
        let end = end.to_owned();
        Ok(said.filter_map(|text| async { text.ok() }).map(move |text| {
            let _ = &inside;
            format!("{}{end}", text.to_uppercase())
        }))
    }

    fn boom_later(&self) -> impl Stream<Item = u64> + Send {
        stream::iter(0..2).then(|item| async move {
            // What is ready goes out before the panic.
            tokio::task::yield_now().await;
            assert!(item == 0, "on purpose");
            item
        })
    }
}

/// A running server with one client.
pub struct Set {
    pub client: LabClient,
    pub channel: Channel,
    pub probe: Probe,
    pub server: Server,
}

pub fn builder(probe: &Probe) -> ServerBuilder {
    Server::builder().service(LabServer::new(Bench(probe.clone())))
}

/// Serves over a link within the process.
pub async fn serve() -> Set {
    serve_on("mem://").await
}

pub async fn serve_on(uri: &str) -> Set {
    serve_with(uri, |server| server, Limits::default()).await
}

pub async fn serve_with(
    uri: &str,
    set_up: impl FnOnce(ServerBuilder) -> ServerBuilder,
    limits: Limits,
) -> Set {
    let probe = Probe::new();
    let server = set_up(builder(&probe)).bind(uri).await.unwrap();
    let channel = Channel::builder(server.uri()).limits(limits).connect().await.unwrap();
    Set { client: LabClient::new(channel.clone()), channel, probe, server }
}

/// Waits for what must come, but not for ever.
pub async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(BOUND, future).await.expect("it comes in time")
}
