//! Unary calls: results, borrowed arguments, many at once, callbacks, oneway.

use bytes::Bytes;
use farcall::CallError;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use futures::{StreamExt, stream};

use crate::kit::{self, LabError, soon};

#[tokio::test]
async fn a_call_gives_what_the_handler_returns() {
    let set = kit::serve().await;
    assert_eq!(set.client.echo("hello".into()).await.unwrap(), "hello");
    assert_eq!(set.client.divide(7, 2).await.unwrap(), 3);
}

#[tokio::test]
async fn a_methods_own_error_arrives_as_itself() {
    let set = kit::serve().await;
    let error = set.client.divide(7, 0).await.unwrap_err();
    assert!(matches!(error, CallError::Method(LabError::DivisionByZero)), "{error:?}");
}

#[tokio::test]
async fn arguments_may_be_borrowed() {
    let set = kit::serve().await;
    let (key, value) = (String::from("key"), vec![1, 2, 3, 4]);
    assert_eq!(set.client.measure(&key, &value).await.unwrap(), (3, 4));
}

#[tokio::test]
async fn bodies_of_all_sizes_come_back_as_they_were_sent() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    for size in [0, 1, 4095, 4096, 16_383, 16_384, 16_385, 65_536, 1 << 20, (4 << 20) - 8] {
        let body: Bytes = (0..size).map(|index| (index % 251) as u8).collect();
        assert!(soon(set.client.blob(body.clone())).await.unwrap() == body, "{size} bytes");
    }
}

#[tokio::test]
async fn many_large_bodies_at_once_come_back_each_to_its_call() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let bodies: Vec<Bytes> = (0..24u8).map(|fill| vec![fill; 3 << 20].into()).collect();
    let answers = soon(join_all(bodies.iter().map(|body| set.client.blob(body.clone())))).await;
    for (body, answer) in bodies.iter().zip(answers) {
        assert!(answer.unwrap() == *body);
    }
}

#[tokio::test]
async fn more_calls_than_slots_wait_their_turn() {
    let limits = farcall::Limits::default().calls_in_flight(4);
    let set = kit::serve_with("mem://", |server| server, limits).await;
    let calls = (0..500).map(|n| set.client.echo(n.to_string()));
    let answers = soon(join_all(calls)).await;
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.unwrap(), n.to_string());
    }
}

#[tokio::test]
async fn calls_can_be_awaited_together_bounded_first_of_several_or_with_a_callback() {
    let set = kit::serve().await;
    let all = join_all((0..10).map(|n| set.client.divide(n, 1))).await;
    assert_eq!(all.into_iter().map(Result::unwrap).sum::<i64>(), 45);

    let bounded = stream::iter(0..100).map(|n| set.client.divide(n, 1)).buffer_unordered(8);
    assert_eq!(bounded.map(Result::unwrap).fold(0, |sum, n| async move { sum + n }).await, 4950);

    let mut several: FuturesUnordered<_> = (0..3).map(|n| set.client.divide(n, 1)).collect();
    assert!((0..3).contains(&several.next().await.unwrap().unwrap()));

    let (done, called_back) = tokio::sync::oneshot::channel();
    let call = set.client.echo("later".into());
    tokio::spawn(async move { done.send(call.await.unwrap()) });
    assert_eq!(soon(called_back).await.unwrap(), "later");
}

#[tokio::test]
async fn a_oneway_call_is_done_once_it_is_handed_over() {
    let set = kit::serve().await;
    for n in 0..3000 {
        soon(set.client.note(n.to_string())).await.unwrap();
    }
    let counts = set.probe.wait(|counts| counts.notes.len() == 3000).await;
    let mut notes: Vec<u32> = counts.notes.iter().map(|note| note.parse().unwrap()).collect();
    notes.sort_unstable();
    assert!(notes.into_iter().eq(0..3000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn oneway_calls_that_were_handed_over_run_though_their_client_goes_away() {
    for _ in 0..10 {
        let set = kit::serve_on("tcp://127.0.0.1:0").await;
        for n in 0..1000 {
            soon(set.client.note(n.to_string())).await.unwrap();
        }
        drop(set.client);
        set.probe.wait(|counts| counts.notes.len() == 1000).await;
    }
}

#[tokio::test]
async fn several_clients_share_a_channel_and_several_services_a_port() {
    #[farcall::service]
    trait Other {
        async fn echo(&self, text: String) -> String;
    }

    struct Reversed;

    impl Other for Reversed {
        async fn echo(&self, text: String) -> String {
            text.chars().rev().collect()
        }
    }

    let set = kit::serve_with(
        "mem://",
        |server| server.service(OtherServer::new(Reversed)),
        farcall::Limits::default(),
    )
    .await;
    let other = OtherClient::new(set.channel.clone());
    let (straight, reversed) = tokio::join!(set.client.echo("abc".into()), other.echo("abc".into()));
    assert_eq!((straight.unwrap().as_str(), reversed.unwrap().as_str()), ("abc", "cba"));
}

#[tokio::test]
async fn a_call_that_is_never_polled_sends_nothing() {
    let set = kit::serve().await;
    drop(set.client.echo("unsaid".into()));
    set.client.echo("said".into()).await.unwrap();
    assert_eq!(set.probe.counts().started, 1);
}

#[tokio::test]
async fn a_large_oneway_call_is_handed_over_whole_before_it_is_done() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let client = kit::LabClient::connect(set.server.uri()).await.unwrap();
    soon(client.note("x".repeat(3 << 20))).await.unwrap();
    drop(client);
    let counts = set.probe.wait(|counts| counts.notes.len() == 1).await;
    assert_eq!(counts.notes[0].len(), 3 << 20);
}
