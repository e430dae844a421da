//! `ConcurrencyLimit`: waiting and refusing, in all and by method.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use farcall::layers::ConcurrencyLimit;
use farcall::{ErrorKind, Fate, Layer, MethodId};
use futures::future::join_all;
use futures::{FutureExt, StreamExt};

use crate::kit::{self, LabClient, Set, soon};
use crate::shop::{Fails, ShopClient, fate, stand_in};

const REFUSED: (ErrorKind, Fate) = (ErrorKind::Refused, Fate::Refused);

async fn server(limit: ConcurrencyLimit) -> Set {
    let probe = kit::Probe::new();
    let server = kit::builder(&probe).layer(limit).bind("mem://").await.unwrap();
    let channel = farcall::Channel::connect(server.uri()).await.unwrap();
    Set { client: LabClient::new(channel.clone()), channel, probe, server }
}

#[tokio::test]
async fn a_call_too_many_is_refused_and_did_not_run() {
    let set = server(ConcurrencyLimit::new(2)).await;
    let calls = [tokio::spawn(set.client.hang()), tokio::spawn(set.client.hang())];
    set.probe.wait(|counts| counts.started == 2).await;
    let error = soon(set.client.echo("x".into())).await.unwrap_err();
    assert_eq!(fate(&error), REFUSED);
    assert!(error.is_retryable());
    assert_eq!(set.probe.counts().started, 2);
    calls[0].abort();
    set.probe.wait(|counts| counts.dropped == 1).await;
    assert_eq!(soon(set.client.echo("x".into())).await.unwrap(), "x");
}

#[tokio::test]
async fn on_a_client_calls_wait_in_a_queue_that_has_an_end() {
    let set = kit::serve().await;
    let client = LabClient::new(ConcurrencyLimit::new(1).queue(1).layer(set.channel.clone()));
    let running = tokio::spawn(client.hang());
    set.probe.wait(|counts| counts.started == 1).await;
    let mut waiting = pin!(client.echo("waits".into()));
    assert!(waiting.as_mut().now_or_never().is_none());
    assert_eq!(fate(&client.echo("too many".into()).await.unwrap_err()), REFUSED);
    running.abort();
    assert_eq!(soon(waiting).await.unwrap(), "waits");
}

#[tokio::test]
async fn a_caller_that_goes_away_gives_its_place_back_in_the_queue_as_well() {
    let set = kit::serve().await;
    let client = LabClient::new(ConcurrencyLimit::new(1).queue(1).layer(set.channel.clone()));
    for _ in 0..100 {
        let mut running = Box::pin(client.hang());
        assert!(running.as_mut().now_or_never().is_none());
        let mut waiting = Box::pin(client.hang());
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(waiting);
        let mut waiting = Box::pin(client.echo("x".into()));
        assert!(waiting.as_mut().now_or_never().is_none(), "the place in the queue is free again");
        drop(running);
        assert_eq!(soon(waiting).await.unwrap(), "x");
    }
}

#[tokio::test]
async fn those_who_wait_are_served_in_their_order() {
    let served = Arc::new(Mutex::new(Vec::new()));
    let noted = served.clone();
    let service = stand_in(move |request| {
        let item: String = request.codec().decode(request.body().message()).unwrap();
        noted.lock().unwrap().push(item);
        async move {
            tokio::task::yield_now().await;
            Fails::Not.result(&request)
        }
    });
    let client = ShopClient::new(ConcurrencyLimit::new(1).queue(9).layer(service));
    let items: Vec<_> = (0..10).map(|number| number.to_string()).collect();
    // Polled for the first time in this order, which becomes the order of the queue.
    let calls = join_all(items.iter().map(|item| client.buy(item.clone())));
    assert!(soon(calls).await.into_iter().all(|result| result.is_ok()));
    assert_eq!(*served.lock().unwrap(), items);
}

#[tokio::test]
async fn a_busy_method_leaves_room_for_the_others() {
    let set = server(ConcurrencyLimit::new(10).per_method(3).method(MethodId::hash("Lab", "hang"), 1)).await;
    let call = tokio::spawn(set.client.hang());
    set.probe.wait(|counts| counts.started == 1).await;
    assert_eq!(fate(&soon(set.client.hang()).await.unwrap_err()), REFUSED);
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(soon(set.client.trickle()).await.unwrap());
    }
    assert_eq!(fate(&soon(set.client.trickle()).await.unwrap_err()), REFUSED);
    assert_eq!(soon(set.client.echo("x".into())).await.unwrap(), "x");
    call.abort();
}

#[tokio::test]
async fn a_call_is_under_way_until_its_last_item() {
    let set = server(ConcurrencyLimit::new(1)).await;
    let mut items = soon(set.client.trickle()).await.unwrap();
    assert_eq!(items.next().await.unwrap().unwrap(), 1);
    assert_eq!(fate(&soon(set.client.echo("x".into())).await.unwrap_err()), REFUSED);
    drop(items);
    set.probe.wait(|counts| counts.dropped == 1).await;
    assert_eq!(soon(set.client.echo("x".into())).await.unwrap(), "x");
    assert_eq!(soon(set.client.count(100)).await.unwrap().count().await, 100);
    assert_eq!(soon(set.client.echo("y".into())).await.unwrap(), "y");
}

#[tokio::test(start_paused = true)]
async fn who_waits_past_his_deadline_is_not_run_and_leaves_the_queue() {
    let set = kit::serve().await;
    let client = LabClient::new(ConcurrencyLimit::new(1).queue(1).layer(set.channel.clone()));
    let mut running = Box::pin(client.hang());
    assert!(running.as_mut().now_or_never().is_none());
    let late = client.echo("late".into()).timeout(Duration::from_millis(50)).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::DeadlineExceeded);
    drop(running);
    assert_eq!(client.echo("x".into()).await.unwrap(), "x");
    assert_eq!(set.probe.wait(|counts| counts.dropped >= 2).await.started, 2);
}
