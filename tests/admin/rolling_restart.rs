//! Servers are replaced one after the other under load, and no call fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use farcall::admin::{HealthClient, HealthReporter, ServingStatus};
use farcall::{Channel, Server, service};
use tokio::sync::watch;

use crate::kit::soon;

#[service]
trait Work {
    async fn work(&self, number: u64) -> u64;
}

struct Worker;

impl Work for Worker {
    async fn work(&self, number: u64) -> u64 {
        tokio::time::sleep(Duration::from_millis(2)).await;
        number + 1
    }
}

/// One of several servers, as their clients see it.
#[derive(Clone)]
struct Target {
    client: WorkClient,
    serves: watch::Sender<bool>,
}

impl Target {
    async fn connect(uri: &str) -> Self {
        let channel = Channel::connect(uri).await.unwrap();
        let target = Self { client: WorkClient::new(channel.clone()), serves: watch::Sender::new(false) };
        tokio::spawn(target.clone().follow(HealthClient::new(channel)));
        target
    }

    /// Keeps up with the server's health; one that cannot be asked is not called.
    async fn follow(self, health: HealthClient) {
        loop {
            if let Ok(mut changes) = health.watch(String::new()).await {
                while let Some(Ok(status)) = changes.next().await {
                    self.serves.send_replace(status == ServingStatus::Serving);
                }
            }
            self.serves.send_replace(false);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn start(uri: &str, delay: Duration) -> Server {
    let server = Server::builder().service(WorkServer::new(Worker)).service(HealthReporter::new());
    server.drain_delay(delay).bind(uri).await.unwrap()
}

async fn calls_without_end(targets: Arc<[Target]>, is_over: Arc<AtomicBool>, calls: Arc<AtomicU64>) {
    let mut number = 0;
    while !is_over.load(Ordering::Relaxed) {
        number += 1;
        let Some(target) = (0..targets.len())
            .map(|offset| &targets[(number as usize + offset) % targets.len()])
            .find(|target| *target.serves.borrow())
        else {
            panic!("two of three serve at any time");
        };
        assert_eq!(target.client.work(number).await.unwrap(), number + 1, "no call fails");
        calls.fetch_add(1, Ordering::Relaxed);
    }
}

async fn restart_three(uri: &str, delay: Duration) {
    let (mut servers, mut targets) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let server = start(uri, delay).await;
        targets.push(Target::connect(server.uri()).await);
        servers.push(server);
    }
    for target in &targets {
        soon(target.serves.subscribe().wait_for(|serves| *serves)).await.unwrap();
    }
    let targets: Arc<[Target]> = targets.into();
    let (is_over, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let load: Vec<_> = (0..8)
        .map(|_| tokio::spawn(calls_without_end(targets.clone(), is_over.clone(), calls.clone())))
        .collect();
    for (server, target) in servers.iter_mut().zip(targets.iter()) {
        let (uri, before) = (server.uri().to_owned(), calls.load(Ordering::Relaxed));
        let empty = Server::builder().bind("mem://").await.unwrap();
        soon(std::mem::replace(server, empty).shutdown()).await;
        assert!(!*target.serves.borrow(), "its clients have heard");
        assert!(calls.load(Ordering::Relaxed) > before, "the others go on meanwhile");
        *server = start(&uri, delay).await;
        soon(target.serves.subscribe().wait_for(|serves| *serves)).await.unwrap();
    }
    is_over.store(true, Ordering::Relaxed);
    for one in load {
        soon(one).await.unwrap();
    }
    assert!(calls.load(Ordering::Relaxed) > 100, "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn fault_32_a_rolling_restart_under_load_fails_no_call() {
    restart_three("mem://", Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_32_nor_does_one_over_sockets() {
    restart_three("tcp://127.0.0.1:0", Duration::from_millis(700)).await;
}
