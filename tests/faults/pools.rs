//! Channels over several connections, of which one or all go bad.

use std::time::Duration;

use farcall::{Backoff, Channel, ErrorKind, Fate, Limits, Pool};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::kit::{self, LabClient, soon};
use crate::process::comes_true;
use crate::valve::Valve;
use crate::wire::{self, RawPeer, frame};

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("tcp://{}", listener.local_addr().unwrap());
    (listener, uri)
}

async fn answer(peer: &mut RawPeer, id: u64) {
    peer.send(&frame(wire::REPLY, wire::END, id, b"\x01x")).await;
}

#[tokio::test]
async fn fault_06_a_reset_ends_the_calls_of_its_connection_and_no_others() {
    let (listener, uri) = listen().await;
    let channel = Channel::builder(uri).pool(Pool::fixed(2)).lazy().unwrap();
    let client = LabClient::new(channel.clone());
    let lost = tokio::spawn(client.echo("lost".into()));
    let mut one = RawPeer::accept(&listener).await;
    one.next(wire::OPEN).await;
    let mut other = RawPeer::accept(&listener).await;
    comes_true(async || channel.stats().open == 2).await;
    let goes_on = tokio::spawn(client.echo("goes on".into()));
    let id = other.next(wire::OPEN).await.id;
    one.reset();
    let error = soon(lost).await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.fate()), (ErrorKind::ConnectionLost, Fate::MaybeExecuted));
    assert_eq!((channel.stats().open, channel.stats().calls), (1, 1));
    // The next goes to the one that is left, and waits for no connection; it has the place of the lost one made.
    let next = tokio::spawn(client.echo("next".into()));
    let open = other.next(wire::OPEN).await;
    assert!(open.content.ends_with(b"\x04next"), "{open:?}");
    for id in [id, open.id] {
        answer(&mut other, id).await;
    }
    assert_eq!(soon(goes_on).await.unwrap().unwrap(), "x");
    assert_eq!(soon(next).await.unwrap().unwrap(), "x");
    let _third = RawPeer::accept(&listener).await;
    comes_true(async || channel.stats().open == 2).await;
    assert_eq!(channel.stats().made, 3);
}

#[tokio::test]
async fn fault_30_a_pool_says_farewell_on_all_connections_when_its_channel_is_dropped() {
    let (listener, uri) = listen().await;
    let connecting = tokio::spawn(Channel::builder(uri).pool(Pool::fixed(3)).connect());
    let mut peers = Vec::new();
    for _ in 0..3 {
        peers.push(RawPeer::accept(&listener).await);
    }
    let channel = soon(connecting).await.unwrap().unwrap();
    comes_true(async || channel.stats().open == 3).await;
    drop(channel);
    for mut peer in peers {
        assert_eq!(peer.farewell().await.1, "the client is done");
    }
}

/// While the rest of a pool cannot be had, it is tried again later each time, whatever the load.
#[tokio::test(start_paused = true)]
async fn fault_31_a_pool_that_cannot_grow_backs_off() {
    let (listener, uri) = listen().await;
    let backoff = Backoff::default().first(Duration::from_millis(100)).jitter(0.0);
    let channel = Channel::builder(uri).pool(Pool::fixed(8)).backoff(backoff).lazy().unwrap();
    let client = LabClient::new(channel.clone());
    let call = tokio::spawn(client.echo("x".into()));
    let mut peer = RawPeer::accept(&listener).await;
    let tries = tokio::spawn(async move {
        let mut tries = Vec::new();
        let began_at = Instant::now();
        while began_at.elapsed() < Duration::from_secs(10) {
            if let Ok(accepted) = tokio::time::timeout(Duration::from_secs(10), listener.accept()).await {
                drop(accepted);
                tries.push(began_at.elapsed());
            }
        }
        tries
    });
    let mut calls = vec![call];
    while !tries.is_finished() {
        let id = peer.next(wire::OPEN).await.id;
        answer(&mut peer, id).await;
        soon(calls.pop().unwrap()).await.unwrap().unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
        calls.push(tokio::spawn(client.echo("x".into())));
    }
    let tries = tries.await.unwrap();
    // 100 ms, 160 ms, 256 ms and so on: nine fit into ten seconds, and one comes after them.
    assert!((6..=11).contains(&tries.len()), "{tries:?}");
    let waits: Vec<_> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits.windows(2).all(|pair| pair[0] < pair[1]), "{waits:?}");
    assert_eq!(channel.stats().made, 1);
}

/// A server may open connections only to close them: the one that is there, however old, is better than none.
#[tokio::test]
async fn fault_31_an_old_connection_goes_on_while_no_other_lasts() {
    let (listener, uri) = listen().await;
    let pool = Pool::fixed(1).max_age(Duration::from_millis(50)).idle_timeout(Duration::from_millis(40));
    let client = LabClient::new(Channel::builder(uri).pool(pool).lazy().unwrap());
    let mut call = tokio::spawn(client.echo("x".into()));
    let mut old = RawPeer::accept(&listener).await;
    for _ in 0..5 {
        let id = old.next(wire::OPEN).await.id;
        answer(&mut old, id).await;
        soon(call).await.unwrap().unwrap();
        drop(RawPeer::accept(&listener).await);
        call = tokio::spawn(client.echo("x".into()));
    }
}

/// All connections of a pool are half open: every call is made once, over a new one.
#[tokio::test(start_paused = true)]
async fn fault_04_calls_of_a_pool_whose_links_all_went_down_are_made_elsewhere() {
    let timeout = Duration::from_secs(3);
    let limits = || Limits::default().ping_timeout(timeout);
    let set = kit::serve_with("tcp://127.0.0.1:0", |server| server.limits(limits()), limits()).await;
    let valve = Valve::before(set.server.uri()).await;
    let connect = Channel::builder(&valve.uri).limits(limits()).pool(Pool::fixed(3)).connect();
    let channel = connect.await.unwrap();
    comes_true(async || channel.stats().open == 3).await;
    let client = LabClient::new(channel.clone());
    soon(client.echo("before".into())).await.unwrap();
    valve.shut();
    tokio::time::sleep(Duration::from_secs(11)).await;
    let called_at = Instant::now();
    let calls = (0..12).map(|number| client.echo(number.to_string()));
    let answers = soon(futures::future::join_all(calls)).await;
    for (number, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.unwrap(), number.to_string());
    }
    assert!(called_at.elapsed() < timeout + Duration::from_secs(1), "{:?}", called_at.elapsed());
    assert_eq!(set.probe.counts().started, 13, "each was made once");
}
