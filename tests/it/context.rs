//! What a handler sees of its call, and what its own calls inherit.

use std::time::Duration;

use farcall::{Context, service};

use crate::kit::{self, LabClient, Seen, soon};

#[tokio::test]
async fn a_handler_sees_deadline_metadata_peer_method_and_trace() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let trace = "00-0000000000000000000000000000002a-00f067aa0ba902b7-01";
    let seen = set
        .client
        .seen()
        .timeout(Duration::from_secs(5))
        .metadata("tenant", "a1")
        .metadata("traceparent", trace)
        .await
        .unwrap();
    assert!(seen.has_deadline);
    assert_eq!(seen.tenant.as_deref(), Some("a1"));
    assert!(seen.peer.unwrap().starts_with("tcp://127.0.0.1:"));
    assert_eq!(seen.method.as_deref(), Some("Lab/seen"));
    assert_eq!(seen.trace_id, Some(42));
    assert!(!set.client.seen().await.unwrap().has_deadline);
}

#[tokio::test]
async fn a_reply_carries_metadata_back() {
    let set = kit::serve().await;
    let (_, metadata) = set.client.seen().with_response_metadata().await.unwrap();
    assert_eq!(metadata.text("served-by"), Some("bench"));
}

#[service]
trait Middle {
    async fn pass_on(&self) -> Seen;
    async fn wait(&self) -> bool;
}

struct Through(LabClient);

impl Middle for Through {
    async fn pass_on(&self) -> Seen {
        self.0.seen().await.unwrap()
    }

    async fn wait(&self) -> bool {
        self.0.hang().await.is_ok()
    }
}

async fn two_hops() -> (kit::Set, farcall::Server, MiddleClient) {
    let leaf = kit::serve().await;
    let middle = MiddleServer::new(Through(leaf.client.clone()));
    let server = farcall::Server::builder().service(middle).bind("mem://").await.unwrap();
    let client = MiddleClient::connect(server.uri()).await.unwrap();
    (leaf, server, client)
}

#[tokio::test]
async fn calls_of_a_handler_inherit_deadline_and_what_is_marked() {
    let (_leaf, _server, client) = two_hops().await;
    let seen = client.pass_on().timeout(Duration::from_secs(5)).propagate("tenant", "a1").await.unwrap();
    assert!(seen.has_deadline);
    assert_eq!(seen.tenant.as_deref(), Some("a1"));
    let seen = client.pass_on().metadata("tenant", "a1").await.unwrap();
    assert!(!seen.has_deadline);
    assert_eq!(seen.tenant, None, "what is not marked stays with its call");
}

#[tokio::test]
async fn traces_go_along_unmarked() {
    let (_leaf, _server, client) = two_hops().await;
    let trace = "00-0000000000000000000000000000002a-00f067aa0ba902b7-01";
    assert_eq!(client.pass_on().metadata("traceparent", trace).await.unwrap().trace_id, Some(42));
}

#[tokio::test]
async fn fault_47_cancelling_at_the_root_drops_the_leaf() {
    let (leaf, _server, client) = two_hops().await;
    let task = tokio::spawn(client.wait());
    leaf.probe.wait(|counts| counts.started == 1).await;
    task.abort();
    leaf.probe.wait(|counts| counts.dropped == 1).await;
}

#[tokio::test]
async fn fault_46_a_deadline_stops_all_hops() {
    let (leaf, _server, client) = two_hops().await;
    let error = soon(client.wait().timeout(Duration::from_millis(50))).await.unwrap_err();
    assert_eq!(error.code(), farcall::Code::DeadlineExceeded);
    leaf.probe.wait(|counts| counts.dropped == 1).await;
}

#[service]
trait Spawner {
    async fn spawn_and_hang(&self);
}

struct Spawning(tokio::sync::mpsc::UnboundedSender<&'static str>);

impl Spawner for Spawning {
    async fn spawn_and_hang(&self) {
        let (context, events) = (Context::current(), self.0.clone());
        tokio::spawn(async move {
            let _ = events.send("spawned");
            context.cancelled().await;
            let _ = events.send("cancelled");
        });
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_spawned_task_can_watch_for_the_end_of_its_call() {
    let (events, mut happened) = tokio::sync::mpsc::unbounded_channel();
    let server = farcall::Server::builder()
        .service(SpawnerServer::new(Spawning(events)))
        .bind("mem://")
        .await
        .unwrap();
    let client = SpawnerClient::connect(server.uri()).await.unwrap();
    let task = tokio::spawn(client.spawn_and_hang());
    assert_eq!(soon(happened.recv()).await, Some("spawned"));
    task.abort();
    assert_eq!(soon(happened.recv()).await, Some("cancelled"));
}

#[tokio::test]
async fn a_spawned_task_learns_of_a_panic_of_its_call() {
    #[service]
    trait Falling {
        async fn fall(&self);
    }

    struct Falls(tokio::sync::mpsc::UnboundedSender<()>);

    impl Falling for Falls {
        async fn fall(&self) {
            let (context, events) = (Context::current(), self.0.clone());
            tokio::spawn(async move {
                context.cancelled().await;
                let _ = events.send(());
            });
            panic!("on purpose");
        }
    }

    let (events, mut happened) = tokio::sync::mpsc::unbounded_channel();
    let server =
        farcall::Server::builder().service(FallingServer::new(Falls(events))).bind("mem://").await.unwrap();
    FallingClient::connect(server.uri()).await.unwrap().fall().await.unwrap_err();
    assert_eq!(soon(happened.recv()).await, Some(()));
}
