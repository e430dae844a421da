//! Writers that are faster than their readers, large answers, and streams that are dropped half way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use farcall::Limits;
use futures::stream;

use crate::kit::{self, soon};
use crate::process::{ServerProcess, Times, comes_true, tasks};
use crate::wire::{self, RawPeer, call, code, frame, id};

#[tokio::test]
async fn fault_26_a_handler_that_does_not_read_stops_its_callers_stream_and_nobody_else() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let taken = Arc::new(AtomicU64::new(0));
    let taken_here = taken.clone();
    let said = stream::repeat_with(move || {
        taken_here.fetch_add(1, Ordering::Relaxed);
        "x".repeat(1000)
    });
    // The handler reads as its answers are read, of which nobody reads any.
    let heard = soon(set.client.shout("!", said)).await.unwrap();
    let mut last = u64::MAX;
    while taken.load(Ordering::Relaxed) != last {
        last = taken.load(Ordering::Relaxed);
        for _ in 0..50 {
            soon(set.client.echo("live".into())).await.unwrap();
        }
    }
    // A window and a batch on the way there, and the same on the way back.
    assert!(last > 0 && last < 1500, "{last} items were taken");
    drop(heard);
    set.probe.wait(|counts| counts.started == counts.dropped).await;
}

#[tokio::test]
async fn fault_26_a_caller_that_sends_more_than_it_was_granted_is_thrown_out() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let mut peer = RawPeer::open(set.server.uri()).await;
    peer.send(&frame(wire::OPEN, 0, id(1, 0), &call("Lab/shout", b"\x01!"))).await;
    let items = frame(wire::DATA, 0, id(1, 0), &wire::text(1000)).repeat(1000);
    let _ = tokio::io::AsyncWriteExt::write_all(&mut peer.stream, &items).await;
    let (code, reason) = peer.farewell().await;
    assert_eq!(code, code::FLOW_CONTROL, "{reason}");
    set.probe.wait(|counts| (counts.started, counts.dropped) == (1, 1)).await;
    assert_eq!(soon(set.client.echo("live".into())).await.unwrap(), "live");
}

#[tokio::test]
async fn fault_27_small_calls_pass_a_large_answer_on_their_connection() {
    let limits = || Limits::default().message_bytes(64 << 20);
    let set = kit::serve_with("tcp://127.0.0.1:0", |server| server.limits(limits()), limits()).await;
    let body = Bytes::from(vec![5; (64 << 20) - 16]);
    let large = set.client.blob(body.clone());
    let mut large = std::pin::pin!(async { soon(large).await.unwrap() });
    let mut small = 0;
    let answer = loop {
        tokio::select! {
            biased;
            echo = set.client.echo("small".into()) => assert_eq!(echo.unwrap(), "small"),
            answer = &mut large => break answer,
        }
        small += 1;
    };
    assert!(answer == body);
    println!("{small} small calls beside one of 64 MiB");
    // 8,192 parts of 16 KiB are passed there and back; a call that had to wait for all of them would be the only one.
    assert!(small > 30, "{small} small calls were answered meanwhile");
}

#[tokio::test]
async fn fault_68_streams_dropped_half_way_give_back_credit_handlers_and_tasks() {
    // Little more than a stream takes: credit that was lost would stop the next but a few.
    let limits = Limits::default().connection_window_bytes(128 << 10).calls_in_flight(4);
    let set = kit::serve_with("tcp://127.0.0.1:0", |server| server, limits).await;
    let at_rest = tasks();
    for _ in 0..2000 {
        let mut items = soon(set.client.flood()).await.unwrap();
        assert_eq!(soon(items.next()).await.unwrap().unwrap().len(), 1024);
    }
    set.probe.wait(|counts| (counts.started, counts.dropped) == (2000, 2000)).await;
    comes_true(async || tasks() == at_rest).await;
    let mut whole = soon(set.client.count(10_000)).await.unwrap();
    for n in 0..10_000 {
        assert_eq!(soon(whole.next()).await.unwrap().unwrap(), n);
    }
}

/// A million with `FARCALL_FAULTS_FULL=1`.
#[tokio::test]
async fn fault_68_streams_dropped_half_way_leave_no_memory_behind() {
    let server = ServerProcess::start(Times::default());
    let (lab, ward) = server.clients().await;
    let drop_streams = async |number: usize| {
        for _ in 0..number {
            let mut items = soon(lab.trickle()).await.unwrap();
            soon(items.next()).await.unwrap().unwrap();
        }
    };
    let tasks = ward.gauge().await.unwrap().tasks;
    drop_streams(2000).await;
    let memory = server.memory_kib();
    let number = if std::env::var_os("FARCALL_FAULTS_FULL").is_some() { 1_000_000 } else { 10_000 };
    drop_streams(number).await;
    comes_true(async || ward.gauge().await.unwrap().tasks == tasks).await;
    let grown = server.memory_kib().saturating_sub(memory);
    println!("{number} streams dropped half way: {grown} KiB more");
    assert!(grown < 1 << 10, "{grown} KiB are left of {number} streams");
    let gauge = ward.gauge().await.unwrap();
    assert_eq!((gauge.started, gauge.dropped), (2000 + number as u64, 2000 + number as u64));
}
