//! What is no longer wanted is stopped, on the other side too.

use std::time::Duration;

use futures::future::{FutureExt, join_all};

use crate::kit::{self, soon};

#[tokio::test]
async fn dropping_a_call_cancels_its_handler() {
    let set = kit::serve().await;
    let mut call = Box::pin(set.client.hang());
    assert!(call.as_mut().now_or_never().is_none());
    set.probe.wait(|counts| counts.started == 1).await;
    assert_eq!(set.probe.counts().dropped, 0);
    drop(call);
    set.probe.wait(|counts| counts.dropped == 1).await;
}

#[tokio::test]
async fn dropping_a_stream_cancels_its_handler() {
    let set = kit::serve().await;
    let mut items = set.client.trickle().await.unwrap();
    assert_eq!(soon(items.next()).await.unwrap().unwrap(), 1);
    drop(items);
    set.probe.wait(|counts| counts.dropped == 1).await;
}

#[tokio::test]
async fn a_deadline_cancels_the_handler_too() {
    let set = kit::serve().await;
    let error = soon(set.client.hang().timeout(Duration::from_millis(20))).await.unwrap_err();
    assert_eq!(error.code(), farcall::Code::DeadlineExceeded);
    set.probe.wait(|counts| counts.dropped == 1).await;
}

#[tokio::test]
async fn a_connection_that_goes_away_cancels_its_handlers() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let client = kit::LabClient::connect(set.server.uri()).await.unwrap();
    let calls = join_all((0..5).map(|_| client.hang()));
    let task = tokio::spawn(calls);
    set.probe.wait(|counts| counts.started == 5).await;
    task.abort();
    drop(client);
    set.probe.wait(|counts| counts.dropped == 5).await;
}

#[tokio::test]
async fn cancelled_calls_give_their_slots_back() {
    let limits = farcall::Limits::default().calls_in_flight(8);
    let set = kit::serve_with("mem://", |server| server, limits).await;
    for round in 0..100 {
        let mut calls: Vec<_> = (0..8).map(|_| Box::pin(set.client.hang())).collect();
        for call in &mut calls {
            assert!(call.as_mut().now_or_never().is_none());
        }
        drop(calls);
        assert_eq!(soon(set.client.echo(format!("{round}"))).await.unwrap(), format!("{round}"));
    }
}
