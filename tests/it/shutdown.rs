//! How a server ends: nothing under way is lost, and it does end.

use std::time::Duration;

use farcall::{Code, Limits};
use futures::stream;

use crate::kit::{self, LabClient, soon};

#[tokio::test]
async fn calls_under_way_finish_and_then_the_server_is_gone() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let (say, said) = tokio::sync::mpsc::channel(1);
    let sum = tokio::spawn(set.client.sum(0, tokio_stream::wrappers::ReceiverStream::new(said)));
    say.send(1u64).await.unwrap();
    set.client.echo("the sum is under way before this is answered".into()).await.unwrap();
    let uri = set.server.uri().to_owned();
    let shutdown = tokio::spawn(set.server.shutdown());
    // Until the server drains its own port is taken; then a new connection is refused.
    while LabClient::connect(&uri).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!shutdown.is_finished());
    say.send(2).await.unwrap();
    drop(say);
    assert_eq!(soon(sum).await.unwrap().unwrap(), 3);
    soon(shutdown).await.unwrap();
}

#[tokio::test]
async fn a_draining_server_takes_no_further_calls_and_says_they_did_not_run() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let hanging = tokio::spawn(set.client.hang());
    set.probe.wait(|counts| counts.started == 1).await;
    let shutdown = tokio::spawn(set.server.shutdown());
    let error = loop {
        match soon(set.client.divide(1, 1)).await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(error.is_retryable(), "{error:?}");
    hanging.abort();
    soon(shutdown).await.unwrap();
}

#[tokio::test]
async fn fault_33_streams_that_never_end_are_ended_after_the_grace_period() {
    let grace = Duration::from_millis(50);
    let set =
        kit::serve_with("tcp://127.0.0.1:0", |server| server.shutdown_grace(grace), Limits::default()).await;
    let mut items = set.client.trickle().await.unwrap();
    assert_eq!(soon(items.next()).await.unwrap().unwrap(), 1);
    let flood = set.client.flood().await.unwrap();
    let hanging = tokio::spawn(set.client.hang());
    let never_said = tokio::spawn(set.client.sum(0, stream::pending::<u64>()));
    set.probe.wait(|counts| counts.started == 3).await;
    soon(set.server.shutdown()).await;
    set.probe.wait(|counts| counts.dropped == 3).await;
    for code in [
        soon(items.next()).await.unwrap().unwrap_err().code(),
        soon(hanging).await.unwrap().unwrap_err().code(),
        soon(never_said).await.unwrap().unwrap_err().code(),
    ] {
        assert_eq!(code, Code::Unavailable);
    }
    drop(flood);
}

#[tokio::test]
async fn a_server_that_is_dropped_ends_its_calls() {
    let set = kit::serve().await;
    let hanging = tokio::spawn(set.client.hang());
    set.probe.wait(|counts| counts.started == 1).await;
    drop(set.server);
    assert_eq!(soon(hanging).await.unwrap().unwrap_err().code(), Code::Unavailable);
    set.probe.wait(|counts| counts.dropped == 1).await;
}

#[tokio::test]
async fn a_handle_ends_a_server_that_waits() {
    let set = kit::serve().await;
    let handle = set.server.handle();
    let waiting = tokio::spawn(set.server.wait());
    set.client.echo("serving".into()).await.unwrap();
    handle.shutdown();
    soon(waiting).await.unwrap();
}
