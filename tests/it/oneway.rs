//! Oneway calls outlive their callers, and are bounded all the same.

use std::sync::Arc;
use std::time::Duration;

use farcall::{Server, ServerBuilder};
use tokio::sync::{Notify, mpsc};

use crate::kit::soon;

#[farcall::service]
trait Later {
    #[rpc(oneway)]
    async fn later(&self);
    async fn now(&self);
}

struct Waiting(mpsc::UnboundedSender<&'static str>, Arc<Notify>);

impl Later for Waiting {
    async fn later(&self) {
        let _ = self.0.send("started");
        self.1.notified().await;
        let _ = self.0.send("done");
    }

    async fn now(&self) {
        let _ = self.0.send("now");
    }
}

/// A server whose handlers wait until they are let go on, and what they tell.
async fn server(
    uri: &str,
    set: impl FnOnce(ServerBuilder) -> ServerBuilder,
) -> (Server, Arc<Notify>, mpsc::UnboundedReceiver<&'static str>) {
    let (events, happened) = mpsc::unbounded_channel();
    let go_on = Arc::new(Notify::new());
    let service = LaterServer::new(Waiting(events, go_on.clone()));
    let server = set(Server::builder()).service(service).bind(uri).await.unwrap();
    (server, go_on, happened)
}

#[tokio::test]
async fn a_oneway_call_outlives_its_caller() {
    let (server, go_on, mut happened) = server("tcp://127.0.0.1:0", |server| server).await;
    let client = LaterClient::connect(server.uri()).await.unwrap();
    client.later().await.unwrap();
    drop(client);
    assert_eq!(soon(happened.recv()).await, Some("started"));
    go_on.notify_one();
    assert_eq!(soon(happened.recv()).await, Some("done"));
}

#[tokio::test]
async fn a_oneway_call_whose_caller_is_gone_finishes_though_the_server_shuts_down() {
    let (server, go_on, mut happened) = server("mem://", |server| server).await;
    let client = LaterClient::connect(server.uri()).await.unwrap();
    client.later().await.unwrap();
    drop(client);
    assert_eq!(soon(happened.recv()).await, Some("started"));
    let mut shutdown = Box::pin(server.shutdown());
    tokio::time::timeout(Duration::from_millis(50), &mut shutdown).await.unwrap_err();
    go_on.notify_one();
    soon(shutdown).await;
    assert_eq!(soon(happened.recv()).await, Some("done"));
}

#[tokio::test]
async fn oneway_calls_are_bounded_over_all_connections() {
    let (server, go_on, mut happened) = server("mem://", |server| server.max_oneway_calls(2)).await;
    for _ in 0..3 {
        // Each on a connection of its own, which is gone when the next comes.
        let client = LaterClient::connect(server.uri()).await.unwrap();
        client.later().await.unwrap();
        // Calls of a connection are taken up in their order.
        client.now().await.unwrap();
    }
    let mut told = Vec::new();
    while told.iter().filter(|event| **event == "now").count() < 3 {
        told.push(soon(happened.recv()).await.unwrap());
    }
    go_on.notify_one();
    while !told.contains(&"done") {
        told.push(soon(happened.recv()).await.unwrap());
    }
    assert_eq!(told.iter().filter(|event| **event == "started").count(), 2, "{told:?}");
    let client = LaterClient::connect(server.uri()).await.unwrap();
    client.later().await.unwrap();
    assert_eq!(soon(happened.recv()).await, Some("started"), "there is room again");
    go_on.notify_waiters();
}
