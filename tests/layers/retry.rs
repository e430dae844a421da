//! `Retry`: what is made again, when, and how often.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use farcall::layers::{Budget, Idempotent, Retry, Timeout};
use farcall::{Code, ErrorKind, Layer, Pushback, Server, Stack, Status, service};
use futures::{StreamExt, stream};

use crate::shop::{Fails, Script, ShopClient, stand_in};

fn client(script: &Script, retry: Retry) -> ShopClient<impl farcall::Service> {
    ShopClient::new(retry.layer(script.service()))
}

fn pushback(pushback: Pushback) -> Fails {
    Fails::Status(Status::new(Code::Unavailable, "busy").with_pushback(pushback))
}

#[tokio::test(start_paused = true)]
async fn what_did_not_run_is_made_again_for_any_method() {
    let script = Script::new([Fails::Refused, Fails::NeverSent]);
    assert_eq!(client(&script, Retry::new()).buy("x".into()).await.unwrap(), 7);
    let attempts = script.attempts();
    let numbers: Vec<_> = attempts.iter().map(|attempt| attempt.number.as_deref()).collect();
    assert_eq!(numbers, [None, Some("2"), Some("3")]);
    assert_eq!(attempts.iter().map(|attempt| attempt.no_retry).collect::<Vec<_>>(), [false, true, true]);
}

#[tokio::test(start_paused = true)]
async fn what_may_have_run_is_made_again_only_where_the_method_is_marked() {
    for fails in [
        Fails::Lost,
        Fails::TimedOut,
        Fails::code(Code::Unavailable),
        Fails::Status(
            Status::new(Code::ResourceExhausted, "rate").with_pushback(Pushback::After(Duration::ZERO)),
        ),
    ] {
        let script = Script::new([fails.clone()]);
        client(&script, Retry::new()).buy("x".into()).await.unwrap_err();
        assert_eq!(script.attempts().len(), 1);
        let script = Script::new([fails]);
        assert_eq!(client(&script, Retry::new()).price("x".into()).await.unwrap(), 7);
        assert_eq!(script.attempts().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn what_will_not_pass_is_not_made_again() {
    for code in
        [Code::InvalidArgument, Code::Internal, Code::ResourceExhausted, Code::Cancelled, Code::Aborted]
    {
        let script = Script::new([Fails::code(code)]);
        assert_eq!(client(&script, Retry::new()).price("x".into()).await.unwrap_err().code(), code);
        assert_eq!(script.attempts().len(), 1, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_marked_method_may_be_made_again_after_further_codes() {
    const PRICE: Idempotent = Idempotent::new(ShopClient::DESCRIPTOR, "price");
    let script = Script::new([Fails::code(Code::Aborted)]);
    let retry = Retry::new().also(PRICE, &[Code::Aborted, Code::Internal]);
    assert_eq!(client(&script, retry).price("x".into()).await.unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn three_attempts_are_made_and_the_last_error_is_given() {
    let script = Script::new([Fails::Refused, Fails::Refused, Fails::NeverSent, Fails::Refused]);
    let error = client(&script, Retry::new()).buy("x".into()).await.unwrap_err();
    assert_eq!((error.kind(), script.attempts().len()), (ErrorKind::Connect, 3));
    let script = Script::new(std::iter::repeat_n(Fails::Refused, 9));
    client(&script, Retry::new().attempts(100)).buy("x".into()).await.unwrap_err();
    assert_eq!(script.attempts().len(), 5);
    let script = Script::new([Fails::Refused]);
    client(&script, Retry::new().attempts(1)).buy("x".into()).await.unwrap_err();
    assert_eq!(script.attempts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn waits_grow_and_half_of_each_is_chance() {
    fastrand::seed(5);
    let second = Duration::from_secs(1);
    let mut spread = std::collections::HashSet::new();
    for _ in 0..20 {
        let script = Script::new(std::iter::repeat_n(Fails::Refused, 9));
        client(&script, Retry::new().attempts(5).backoff(second, 4 * second))
            .buy("x".into())
            .await
            .unwrap_err();
        let waits = script.waits();
        let within = [500..=1_001, 1_000..=2_001, 2_000..=4_001, 2_000..=4_001];
        assert!(waits.iter().zip(&within).all(|(wait, within)| within.contains(wait)), "{waits:?}");
        spread.insert(waits);
    }
    assert_eq!(spread.len(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_pushback_is_kept_to_the_millisecond_and_starts_the_waits_over() {
    let after = |milliseconds| pushback(Pushback::After(Duration::from_millis(milliseconds)));
    let script = Script::new([Fails::Lost, Fails::Lost, after(1_234), Fails::Lost]);
    let retry = Retry::new().attempts(5).backoff(Duration::from_millis(200), Duration::from_secs(10));
    assert_eq!(client(&script, retry).price("x".into()).await.unwrap(), 7);
    let waits = script.waits();
    assert!((200..=401).contains(&waits[1]), "{waits:?}");
    // A timer of tokio rounds up to its next millisecond.
    assert!((1_234..=1_235).contains(&waits[2]), "{waits:?}");
    assert!((100..=201).contains(&waits[3]), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn who_is_told_never_does_not_come_back() {
    let script = Script::new([pushback(Pushback::Never)]);
    let error = client(&script, Retry::new()).price("x".into()).await.unwrap_err();
    assert_eq!((error.code(), script.attempts().len()), (Code::Unavailable, 1));
}

#[tokio::test(start_paused = true)]
async fn no_attempt_is_made_that_would_be_past_the_deadline() {
    let start = tokio::time::Instant::now();
    let script = Script::new([pushback(Pushback::After(Duration::from_secs(60)))]);
    let call = client(&script, Retry::new()).price("x".into()).timeout(Duration::from_secs(30)).await;
    assert_eq!(call.unwrap_err().code(), Code::Unavailable, "the error says why, not that time is up");
    assert_eq!(start.elapsed(), Duration::ZERO, "and at once");
    assert_eq!(script.attempts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_streams_its_request_is_made_once() {
    let script = Script::new([Fails::Refused]);
    client(&script, Retry::new()).fill(stream::iter([1, 2])).await.unwrap_err();
    assert_eq!(script.attempts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_fails_after_its_head_is_not_started_over() {
    let heads = Arc::new(AtomicU32::new(0));
    let count = heads.clone();
    let service = stand_in(move |request| {
        count.fetch_add(1, Ordering::Relaxed);
        let codec = request.codec();
        let items = [codec.encode(&1_u64), Fails::Lost.result(&request).map(|_| unreachable!())];
        let body = farcall::Body::new(codec.encode(&()).unwrap())
            .with_items(farcall::ItemStream::new(stream::iter(items)));
        async move { Ok(farcall::Response::new(codec, body)) }
    });
    let client = ShopClient::new(Retry::new().layer(service));
    let items: Vec<_> = client.offers(2).await.unwrap().collect().await;
    assert!(items[0].is_ok() && items[1].is_err());
    assert_eq!(heads.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn each_attempt_may_have_a_time_of_its_own_and_time_outs_cost_twice() {
    let budget = Budget::new(0, 1);
    let slow = stand_in(|_| std::future::pending());
    let second = Duration::from_secs(1);
    let layers = Stack::new(Retry::new().budget(budget.clone()), Timeout::new(second));
    let client = ShopClient::new(layers.layer(slow));
    assert_eq!(client.price("x".into()).await.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(budget.balance(), 6);
    client.buy("x".into()).await.unwrap_err();
    assert_eq!(budget.balance(), 6, "it may have run: it is not made again");
}

#[tokio::test(start_paused = true)]
async fn on_a_server_it_stands_between_the_connection_and_the_handlers() {
    let fails = Arc::new(AtomicU32::new(2));
    let flaky = farcall::layer_fn(move |request: farcall::Request, next: farcall::Next| {
        let is_failing =
            fails.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        async move { if is_failing { Fails::Lost.result(&request) } else { next.call(request).await } }
    });
    let server = Server::builder()
        .service(crate::shop::ShopServer::new(crate::shop::Corner))
        .layer(Retry::new())
        .layer(flaky)
        .bind("mem://")
        .await
        .unwrap();
    let client = ShopClient::connect(server.uri()).await.unwrap();
    assert_eq!(client.price("four".into()).await.unwrap(), 4, "the descriptor is found, and says idempotent");
}

#[service]
trait Hop {
    #[rpc(idempotent)]
    async fn go(&self) -> u64;
}

#[tokio::test(start_paused = true)]
async fn attempts_on_several_hops_add_up_and_do_not_multiply() {
    let script = Script::new(std::iter::repeat_n(Fails::Refused, 100));
    let mut service = script.service();
    let mut servers = Vec::new();
    for _ in 0..3 {
        let next = Arc::new(Retry::new().layer(service));
        let forward = farcall::layer_fn(move |request: farcall::Request, _: farcall::Next| {
            let next = next.clone();
            async move { farcall::Service::call(&next, request).await }
        });
        let server = Server::builder().layer(forward).bind("mem://").await.unwrap();
        service = farcall::BoxService::new(farcall::Channel::connect(server.uri()).await.unwrap());
        servers.push(server);
    }
    let error = HopClient::new(service).go().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    // Three of the hop nearest to the failure, two more of each of the others: not 27.
    assert_eq!(script.attempts().len(), 7);
}

struct Middle<S>(HopClient<S>);

impl<S: farcall::Service> Hop for Middle<S> {
    async fn go(&self) -> u64 {
        let _ = self.0.go().await;
        7
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeated_call_lets_its_handlers_calls_be_made_once() {
    let script = Script::new(std::iter::repeat_n(Fails::Refused, 100));
    let middle = HopServer::new(Middle(HopClient::new(Retry::new().layer(script.service()))));
    let server = Server::builder().service(middle).bind("mem://").await.unwrap();
    let channel = farcall::Channel::connect(server.uri()).await.unwrap();
    // Each attempt reaches the middle, whose answer is lost on its way back.
    let lossy = farcall::layer_fn(|request: farcall::Request, next: farcall::Next| async move {
        next.call(request).await?;
        Err(farcall::Error::new(ErrorKind::ConnectionLost, "on purpose"))
    });
    let client = HopClient::new(Stack::new(Retry::new(), lossy).layer(channel));
    client.go().await.unwrap_err();
    // Three for the first attempt, one for each of the two others: not nine.
    assert_eq!(script.attempts().len(), 5);
}
