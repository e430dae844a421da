//! A chain of three services: what ends at its root ends at its leaf.

use std::time::Duration;

use farcall::{Channel, Code, Limits, Server, service};
use futures::FutureExt;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::kit::soon;
use crate::process::{comes_true, tasks};

#[service]
trait Hop {
    /// Calls the next hop; the last one never answers.
    async fn pass(&self);
    async fn answer(&self) -> u32;
}

struct Hopper {
    name: &'static str,
    next: Option<HopClient>,
    events: mpsc::UnboundedSender<(&'static str, &'static str, Instant)>,
}

/// Says when the handler that holds it goes.
struct Guard<'a>(&'a Hopper);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let _ = self.0.events.send((self.0.name, "dropped", Instant::now()));
    }
}

impl Hop for Hopper {
    async fn pass(&self) {
        let _ = self.events.send((self.name, "started", Instant::now()));
        let _guard = Guard(self);
        match &self.next {
            Some(next) => next.pass().await.unwrap(),
            None => std::future::pending().await,
        }
    }

    async fn answer(&self) -> u32 {
        match &self.next {
            Some(next) => next.answer().await.unwrap(),
            None => 42,
        }
    }
}

/// Front, middle and leaf, and what they say.
async fn chain() -> (HopClient, Vec<Server>, mpsc::UnboundedReceiver<(&'static str, &'static str, Instant)>) {
    let (events, said) = mpsc::unbounded_channel();
    let (mut next, mut servers) = (None, Vec::new());
    for name in ["leaf", "middle", "front"] {
        let hopper = HopServer::new(Hopper { name, next: next.take(), events: events.clone() });
        let server = Server::builder().service(hopper).bind("mem://").await.unwrap();
        let few = Limits::default().calls_in_flight(4);
        let channel = Channel::builder(server.uri()).limits(few).connect().await.unwrap();
        next = Some(HopClient::new(channel));
        servers.push(server);
    }
    (next.unwrap(), servers, said)
}

#[tokio::test(start_paused = true)]
async fn fault_46_a_deadline_stops_three_hops_within_10_ms_of_each_other() {
    let (client, _servers, mut said) = chain().await;
    let started_at = Instant::now();
    let error = client.pass().timeout(Duration::from_millis(50)).await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    let mut dropped = Vec::new();
    while dropped.len() < 3 {
        let (name, what, at) = soon(said.recv()).await.unwrap();
        if what == "dropped" {
            let after = at - started_at;
            assert!(after >= Duration::from_millis(49), "{name} stopped {after:?} after the start");
            assert!(after <= Duration::from_millis(60), "{name} stopped {after:?} after the start");
            dropped.push(name);
        }
    }
    dropped.sort_unstable();
    assert_eq!(dropped, ["front", "leaf", "middle"]);
    assert!(started_at.elapsed() <= Duration::from_millis(60));
    assert_eq!(client.answer().await.unwrap(), 42);
}

#[tokio::test(start_paused = true)]
async fn fault_47_cancelling_at_the_root_drops_the_leaf_and_gives_all_slots_back() {
    let (client, _servers, mut said) = chain().await;
    assert_eq!(client.answer().await.unwrap(), 42);
    let at_rest = tasks();
    // A slot that was lost on any of the three connections would stop the fifth round.
    for _ in 0..100 {
        let mut call = Box::pin(client.pass());
        assert!(call.as_mut().now_or_never().is_none());
        while soon(said.recv()).await.unwrap().0 != "leaf" {}
        drop(call);
        let mut dropped = 0;
        while dropped < 3 {
            dropped += usize::from(soon(said.recv()).await.unwrap().1 == "dropped");
        }
        comes_true(async || tasks() == at_rest).await;
    }
    assert_eq!(client.answer().await.unwrap(), 42);
}
