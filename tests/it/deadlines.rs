//! Deadlines, on both sides, from nothing to far beyond any clock.

use std::time::{Duration, Instant};

use farcall::{Code, ErrorKind, service};

use crate::kit::{self, soon};

/// Proves rule S14.
#[tokio::test]
async fn a_call_ends_at_its_deadline() {
    let set = kit::serve().await;
    let error =
        soon(set.client.hang().deadline(Instant::now() + Duration::from_millis(20))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert!(error.may_have_run());
    assert!(error.to_string().contains("Lab/hang"), "{error}");
}

#[tokio::test]
async fn a_stream_ends_at_the_deadline_of_its_call() {
    let set = kit::serve().await;
    let mut items = set.client.trickle().timeout(Duration::from_millis(50)).await.unwrap();
    assert_eq!(soon(items.next()).await.unwrap().unwrap(), 1);
    let error = soon(items.next()).await.unwrap().unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert!(soon(items.next()).await.is_none());
}

#[tokio::test]
async fn fault_61_deadlines_far_beyond_any_clock_are_clamped() {
    let set = kit::serve().await;
    for timeout in [Duration::MAX, Duration::from_secs(3 * 365 * 86_400), Duration::from_secs(u64::MAX)] {
        assert_eq!(soon(set.client.echo("in time".into()).timeout(timeout)).await.unwrap(), "in time");
    }
}

#[tokio::test]
async fn fault_61_a_deadline_of_zero_is_over_at_once() {
    let set = kit::serve().await;
    let error = soon(set.client.hang().timeout(Duration::ZERO)).await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_methods_own_timeout_holds_until_the_caller_sets_another() {
    #[service]
    trait Slow {
        #[rpc(timeout = "30ms")]
        async fn slow(&self);
    }

    struct Never;

    impl Slow for Never {
        async fn slow(&self) {
            std::future::pending().await
        }
    }

    let server = farcall::Server::builder().service(SlowServer::new(Never)).bind("mem://").await.unwrap();
    let client = SlowClient::connect(server.uri()).await.unwrap();
    assert_eq!(soon(client.slow()).await.unwrap_err().code(), Code::DeadlineExceeded);
    let longer = client.slow().timeout(Duration::from_secs(3600));
    assert!(tokio::time::timeout(Duration::from_millis(200), longer).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_lives_on_however_often_it_is_to_be_pinged() {
    let limits = farcall::Limits::default().ping_interval(Duration::from_secs(1));
    let set = kit::serve_with("mem://", |server| server, limits).await;
    let hour = Duration::from_secs(3600);
    let error = set.client.hang().timeout(hour).await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded, "{error}");
    assert_eq!(set.client.echo("x".into()).timeout(Duration::from_secs(1)).await.unwrap(), "x");
}
