//! `Timeout`: an upper bound on the deadline.

use std::sync::Arc;
use std::time::Duration;

use farcall::layers::Timeout;
use farcall::{Code, ErrorKind, Fate, Layer};
use tokio::time::Instant;

use crate::kit::{self, LabClient};
use crate::shop::{Fails, ShopClient, fate, stand_in};

const TIME: Duration = Duration::from_millis(300);

#[tokio::test(start_paused = true)]
async fn on_a_client_a_call_ends_in_time_and_its_handler_with_it() {
    let set = kit::serve().await;
    let client = LabClient::new(Timeout::new(TIME).layer(set.channel.clone()));
    let start = Instant::now();
    let error = client.hang().await.unwrap_err();
    assert_eq!(fate(&error), (ErrorKind::DeadlineExceeded, Fate::MaybeExecuted));
    assert_eq!(start.elapsed().as_millis() / 10, 30);
    set.probe.wait(|counts| counts.dropped == 1).await;
    assert!(client.seen().await.unwrap().has_deadline, "the deadline travels");
}

#[tokio::test(start_paused = true)]
async fn on_a_server_a_call_ends_in_time_and_its_caller_is_told() {
    let probe = kit::Probe::new();
    let server = kit::builder(&probe).layer(Timeout::new(TIME)).bind("mem://").await.unwrap();
    let client = LabClient::connect(server.uri()).await.unwrap();
    let error = client.hang().await.unwrap_err();
    assert_eq!((error.code(), error.fate()), (Code::DeadlineExceeded, Fate::MaybeExecuted));
    probe.wait(|counts| counts.dropped == 1).await;
    assert!(client.seen().await.unwrap().has_deadline, "the handler's own calls are bounded, too");
}

#[tokio::test(start_paused = true)]
async fn an_earlier_deadline_is_kept_and_a_later_one_is_not() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let noted = seen.clone();
    let start = Instant::now();
    let service = stand_in(move |request| {
        let deadline = Instant::from_std(request.deadline().unwrap());
        noted.lock().unwrap().push((deadline - start).as_millis());
        async move { Fails::Not.result(&request) }
    });
    let client = ShopClient::new(Timeout::new(TIME).layer(service));
    client.price("x".into()).await.unwrap();
    client.price("x".into()).timeout(Duration::from_millis(200)).await.unwrap();
    client.price("x".into()).timeout(Duration::from_millis(400)).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [300, 200, 300]);
}

#[tokio::test(start_paused = true)]
async fn the_items_of_an_answer_end_in_time_too() {
    let set = kit::serve().await;
    let client = LabClient::new(Timeout::new(TIME).layer(set.channel.clone()));
    let start = Instant::now();
    let mut items = client.trickle().await.unwrap();
    assert_eq!(items.next().await.unwrap().unwrap(), 1);
    let error = items.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(start.elapsed().as_millis() / 10, 30);
    assert!(items.next().await.is_none());
    set.probe.wait(|counts| counts.dropped == 1).await;
}

#[tokio::test(start_paused = true)]
async fn no_time_at_all_runs_nothing() {
    let service = stand_in(|_| async { panic!("it must not be called") });
    let error =
        ShopClient::new(Timeout::new(Duration::ZERO).layer(service)).price("x".into()).await.unwrap_err();
    assert_eq!(fate(&error), (ErrorKind::DeadlineExceeded, Fate::NeverSent));
}
