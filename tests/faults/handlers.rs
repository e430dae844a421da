//! Handlers that panic, alone and in the middle of a stream.

use std::time::{Duration, Instant};

use farcall::{Code, ErrorKind, Fate};

use crate::kit::{self, soon};
use crate::process::{ServerProcess, Times, comes_true, tasks};
use crate::wire::{self, RawPeer, code, frame, id};

#[tokio::test]
async fn fault_48_a_panic_is_internal_to_its_call_and_leaves_nothing() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let beside = tokio::spawn(set.client.hang());
    let mut stream = set.client.trickle().await.unwrap();
    assert_eq!(soon(stream.next()).await.unwrap().unwrap(), 1);
    set.probe.wait(|counts| counts.started == 2).await;
    let at_rest = tasks();
    for _ in 0..100 {
        let error = soon(set.client.boom()).await.unwrap_err();
        assert_eq!(error.status().unwrap().code(), Code::Internal);
        assert_eq!(error.status().unwrap().message(), "the handler panicked; see the server's log");
        assert_eq!(error.method(), Some("Lab/boom"));
    }
    comes_true(async || tasks() == at_rest).await;
    let counts = set.probe.counts();
    assert!(counts.dropped == 0 && !beside.is_finished(), "the calls beside it go on");
    assert_eq!(soon(set.client.echo("live".into())).await.unwrap(), "live");
}

#[tokio::test]
async fn fault_48_a_panic_is_a_status_on_the_wire() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let mut peer = RawPeer::open(set.server.uri()).await;
    // Within one read, and in the same slot as soon as it is free.
    let boom =
        |sequence, slot| frame(wire::OPEN, wire::END, id(sequence, slot), &wire::call("Lab/boom", b""));
    peer.send(&[boom(1, 0), boom(2, 1), wire::open(3, "Lab/echo", b"\x02ok")].concat()).await;
    for _ in 0..2 {
        assert_eq!(peer.next(wire::STATUS).await.status().0, code::INTERNAL);
    }
    peer.send(&boom(4, 0)).await;
    assert_eq!(peer.next(wire::STATUS).await.id, id(4, 0));
}

/// Nothing can be caught there: the process is gone, with all its calls, and none is told more than that.
#[tokio::test(flavor = "multi_thread")]
async fn fault_48_a_handler_that_aborts_its_process_fails_its_calls_in_time_and_other_servers_live() {
    let no_core = ["sh", "-c", "ulimit -c 0; exec \"$0\" \"$@\""];
    let start = || ServerProcess::start_with("tcp://127.0.0.1:0", Times::default(), &no_core, |_| {});
    let (mut server, other) = (start(), start());
    let ((lab, ward), (other_lab, other_ward)) = (server.clients().await, other.clients().await);
    let (beside, elsewhere) = (tokio::spawn(lab.hang()), tokio::spawn(other_lab.hang()));
    comes_true(async || ward.gauge().await.unwrap().started == 1).await;
    comes_true(async || other_ward.gauge().await.unwrap().started == 1).await;
    let called_at = Instant::now();
    let errors = [soon(ward.abort()).await.unwrap_err(), soon(beside).await.unwrap().unwrap_err()];
    let took = called_at.elapsed();
    println!("failed {took:?} after the call: {}", errors[0]);
    for error in errors {
        assert_eq!((error.kind(), error.code()), (ErrorKind::ConnectionLost, Code::Unavailable));
        assert_eq!((error.fate(), error.is_retryable()), (Fate::MaybeExecuted, false));
    }
    // The system ends the link; nobody has to wait for a ping.
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(!server.child().wait().unwrap().success());
    let error = soon(lab.echo("gone".into())).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (ErrorKind::Connect, Fate::NeverSent));
    assert_eq!(soon(other_lab.echo("lives".into())).await.unwrap(), "lives");
    assert!(!elsewhere.is_finished());
}

#[tokio::test]
async fn fault_67_a_stream_that_panics_ends_with_internal_and_its_neighbours_go_on() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let mut beside = set.client.flood().await.unwrap();
    soon(beside.next()).await.unwrap().unwrap();
    let mut items = Box::pin(set.client.count(1 << 40).await.unwrap());
    let at_rest = tasks();
    for round in 0..50 {
        let mut booming = soon(set.client.boom_later()).await.unwrap();
        // What was ready before the panic may be on its way already.
        let first = soon(booming.next()).await.unwrap();
        let error = match first {
            Ok(item) => {
                assert_eq!(item, 0);
                soon(booming.next()).await.unwrap().unwrap_err()
            }
            Err(error) => error,
        };
        assert_eq!(error.code(), Code::Internal, "{error}");
        assert!(!error.to_string().contains("on purpose"), "a panic's text is not for the peer: {error}");
        assert!(soon(booming.next()).await.is_none(), "and that was the end");
        assert_eq!(soon(items.next()).await.unwrap().unwrap(), round);
        soon(beside.next()).await.unwrap().unwrap();
    }
    comes_true(async || tasks() == at_rest).await;
}
