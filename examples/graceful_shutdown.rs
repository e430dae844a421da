//! How a server goes: calls under way finish, new ones are refused, and what never ends is ended after a grace period.

use std::time::Duration;

use farcall::{Error, Server, service};
use futures::{Stream, StreamExt, stream};
use tokio::sync::{Notify, oneshot};

/// Does work.
#[service]
pub trait Worker {
    /// Does something that takes a while.
    async fn work(&self) -> String;
    /// Does something short.
    async fn ping(&self);
    /// Says once that it is there, and then nothing for ever.
    fn events(&self) -> impl Stream<Item = String> + Send;
}

#[derive(Default)]
struct Bench {
    started: std::sync::Arc<Notify>,
    may_finish: std::sync::Arc<Notify>,
}

impl Worker for Bench {
    async fn work(&self) -> String {
        self.started.notify_one();
        self.may_finish.notified().await;
        "done".to_owned()
    }

    async fn ping(&self) {}

    fn events(&self) -> impl Stream<Item = String> + Send {
        stream::iter(["here".to_owned()]).chain(stream::pending())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let bench = Bench::default();
    let (started, may_finish) = (bench.started.clone(), bench.may_finish.clone());
    let server = Server::builder()
        .service(WorkerServer::new(bench))
        .shutdown_grace(Duration::from_millis(500))
        .bind("tcp://127.0.0.1:0")
        .await?;
    let worker = WorkerClient::connect(server.uri()).await?;

    let work = tokio::spawn(worker.work());
    started.notified().await;
    let mut events = worker.events().await?;
    println!("event: {:?}", events.next().await.transpose()?);

    let (gone, mut is_gone) = oneshot::channel();
    tokio::spawn(async move {
        server.shutdown().await;
        gone.send(())
    });

    // The server says that it goes; calls that come later did not run, so they can be made again elsewhere.
    let refused = refusal(&worker).await;
    println!("a new call is refused; it can be made again: {}", refused.is_retryable());
    println!("the server is gone: {}", is_gone.try_recv().is_ok());

    may_finish.notify_one();
    println!("the call under way: {}", work.await??);

    match events.next().await {
        Some(Err(error)) => println!("the stream was ended: {}", error.code()),
        other => println!("the stream went on: {other:?}"),
    }
    is_gone.await?;
    println!("the server is gone");
    Ok(())
}

/// Calls until the news that the server goes has arrived.
async fn refusal(worker: &WorkerClient) -> Error {
    loop {
        if let Err(error) = worker.ping().await {
            return error;
        }
    }
}
