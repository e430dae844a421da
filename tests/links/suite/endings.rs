//! How calls, clients and servers end.

use std::time::Duration;

use farcall::{Code, ErrorKind, Fate, Limits};
use futures::future::{FutureExt, join_all};
use tokio_stream::wrappers::ReceiverStream;

use crate::kit::{LabClient, Probe, builder, soon};
use crate::way::Way;

pub async fn a_call_that_is_dropped_is_cancelled(way: Way) {
    let set = way.serve().await;
    let mut call = Box::pin(set.client.hang().into_future());
    assert!(call.as_mut().now_or_never().is_none());
    set.probe.wait(|counts| counts.started == 1).await;
    assert_eq!(set.probe.counts().dropped, 0);
    drop(call);
    set.probe.wait(|counts| counts.dropped == 1).await;
    assert_eq!(soon(set.client.echo("goes on".into())).await.unwrap(), "goes on");
}

pub async fn a_stream_that_is_dropped_is_cancelled(way: Way) {
    let set = way.serve().await;
    // Enough data is left behind to use up the connection's window, were it not given back.
    for round in 1..=40 {
        let mut items = set.client.flood().await.unwrap();
        for _ in 0..40 {
            assert_eq!(soon(items.next()).await.unwrap().unwrap().len(), 1024);
        }
        drop(items);
        set.probe.wait(|counts| counts.dropped == round).await;
    }
    assert_eq!(soon(set.client.blob(vec![1; 1 << 20].into())).await.unwrap().len(), 1 << 20);
}

pub async fn a_deadline_ends_both_sides(way: Way) {
    let set = way.serve().await;
    let error = soon(set.client.hang().timeout(Duration::from_millis(50))).await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    set.probe.wait(|counts| counts.started == counts.dropped).await;
}

pub async fn more_calls_than_a_server_takes_wait_their_turn(way: Way) {
    let set = way.limits(Limits::default().calls_in_flight(3)).serve().await;
    let hanging: Vec<_> = (0..3).map(|_| tokio::spawn(set.client.hang().into_future())).collect();
    set.probe.wait(|counts| counts.started == 3).await;
    let mut further = Box::pin(join_all((0..50).map(|_| set.client.divide(1, 1).into_future())));
    assert!(further.as_mut().now_or_never().is_none());
    hanging[1].abort();
    assert!(soon(further).await.into_iter().all(|answer| answer.unwrap() == 1));
}

pub async fn a_server_that_drains_finishes_what_it_took(way: Way) {
    let set = way.serve().await;
    let (say, said) = tokio::sync::mpsc::channel(1);
    let sum = tokio::spawn(set.client.sum(0, ReceiverStream::new(said)).into_future());
    say.send(1_u64).await.unwrap();
    soon(set.client.echo("the sum is under way before this is answered".into())).await.unwrap();
    let shutdown = tokio::spawn(set.server.shutdown());
    // Until the client has heard of it, calls are answered.
    let error = loop {
        match soon(set.client.echo("more".into())).await {
            Ok(_) => tokio::task::yield_now().await,
            Err(error) => break error,
        }
    };
    assert!(matches!(error.fate(), Fate::NeverSent | Fate::Refused), "{error:?}");
    assert!(!shutdown.is_finished());
    say.send(2).await.unwrap();
    drop(say);
    assert_eq!(soon(sum).await.unwrap().unwrap(), 3);
    soon(shutdown).await.unwrap();
}

pub async fn a_drained_servers_successor_takes_the_next_calls(way: Way) {
    let set = way.serve().await;
    let uri = set.server.uri().to_owned();
    assert_eq!(soon(set.client.echo("old".into())).await.unwrap(), "old");
    soon(set.server.shutdown()).await;
    let probe = Probe::new();
    let successor = way.bind(builder(&probe), &uri).await;
    assert_eq!(soon(set.client.echo("new".into())).await.unwrap(), "new");
    assert_eq!(probe.counts().started, 1);
    soon(successor.shutdown()).await;
}

pub async fn a_server_that_is_dropped_ends_its_calls(way: Way) {
    let set = way.serve().await;
    let hanging: Vec<_> = (0..5).map(|_| tokio::spawn(set.client.hang().into_future())).collect();
    set.probe.wait(|counts| counts.started == 5).await;
    drop(set.server);
    for call in hanging {
        let error = soon(call).await.unwrap().unwrap_err();
        assert!(matches!(error.code(), Code::Unavailable), "{error:?}");
        assert!(!matches!(error.fate(), Fate::NeverSent | Fate::Refused), "{error:?}");
    }
    set.probe.wait(|counts| counts.dropped == 5).await;
}

/// Over QUIC nothing says that a process is gone: it is found out by a PING.
pub async fn a_server_that_is_killed_ends_its_calls(way: Way) {
    let pings =
        Limits::default().ping_interval(Duration::from_secs(5)).ping_timeout(Duration::from_millis(300));
    let way = way.limits(pings);
    let elsewhere =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let probe = Probe::new();
    let server = way.build(builder(&probe));
    let uri = way.uri().to_owned();
    let server = elsewhere.spawn(async move { server.bind(uri).await.unwrap() }).await.unwrap();
    let client = LabClient::new(way.connect(server.uri()).await.unwrap());
    let hanging = tokio::spawn(client.hang().into_future());
    probe.wait(|counts| counts.started == 1).await;
    elsewhere.shutdown_background();
    let error = soon(hanging).await.unwrap().unwrap_err();
    assert!(error.may_have_run(), "{error:?}");
    assert!(!error.is_retryable());
}

pub async fn a_client_that_goes_away_cancels_its_calls(way: Way) {
    let set = way.serve().await;
    let client = LabClient::new(way.connect(set.server.uri()).await.unwrap());
    let calls = tokio::spawn(async move { join_all((0..5).map(|_| client.hang().into_future())).await });
    set.probe.wait(|counts| counts.started == 5).await;
    calls.abort();
    set.probe.wait(|counts| counts.dropped == 5).await;
}

pub async fn a_full_server_says_so(way: Way) {
    let set = way.serve_with(|server| server.max_connections(1)).await;
    let error = soon(way.connect(set.server.uri())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("as many connections as it takes"), "{error}");
    assert_eq!(soon(set.client.echo("goes on".into())).await.unwrap(), "goes on");
}
