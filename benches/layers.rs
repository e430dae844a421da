//! What layers add to a unary call that succeeds: the same call in process, without them and with them.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use divan::{Bencher, black_box};
use farcall::layers::auth::{Authenticate, BearerToken, Tokens};
use farcall::layers::{AccessLog, ConcurrencyLimit, Quota, RateLimit, Retry, Timeout, Trace};
use farcall::{
    Body, Caller, CodecKind, Error, Identity, Layer, MethodDescriptor, Request, Response, Service, Stack,
};

static METHOD: MethodDescriptor = MethodDescriptor::new("Bench", "echo").with_idempotent();

fn main() {
    divan::Divan::default().min_time(Duration::from_secs(1)).sample_size(64).config_with_args().main();
}

/// Gives the arguments back.
struct Echo;

impl Service for Echo {
    async fn call(&self, mut request: Request) -> Result<Response, Error> {
        Ok(Response::new(request.codec(), request.take_body()))
    }
}

fn timeout() -> Timeout {
    Timeout::new(Duration::from_secs(1))
}

fn run(bencher: Bencher<'_, '_>, layer: impl Layer<Echo>) {
    let service = layer.layer(Echo);
    let codec = CodecKind::default();
    let message = codec.encode(&[7_u8; 64][..]).unwrap();
    bencher.bench_local(|| {
        let request = Request::new(&METHOD, codec, Body::new(message.clone()));
        let call = pin!(service.call(black_box(request)));
        match call.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(response) => drop(response.unwrap()),
            Poll::Pending => panic!("the call should be done"),
        }
    });
}

#[divan::bench]
fn none(bencher: Bencher<'_, '_>) {
    run(bencher, Identity::new());
}

#[divan::bench]
fn timeout_concurrency_limit_and_retry(bencher: Bencher<'_, '_>) {
    run(bencher, Stack::new(timeout(), Stack::new(ConcurrencyLimit::new(64), Retry::new())));
}

#[divan::bench]
fn timeout_alone(bencher: Bencher<'_, '_>) {
    run(bencher, timeout());
}

#[divan::bench]
fn concurrency_limit_alone(bencher: Bencher<'_, '_>) {
    run(bencher, ConcurrencyLimit::new(64));
}

#[divan::bench]
fn concurrency_limit_per_method(bencher: Bencher<'_, '_>) {
    run(bencher, ConcurrencyLimit::new(64).per_method(64));
}

#[divan::bench]
fn retry_alone(bencher: Bencher<'_, '_>) {
    run(bencher, Retry::new());
}

#[divan::bench]
fn rate_limit_in_all(bencher: Bencher<'_, '_>) {
    run(bencher, RateLimit::new().total(Quota::per_second(u32::MAX)));
}

#[divan::bench]
fn rate_limit_per_key(bencher: Bencher<'_, '_>) {
    run(bencher, RateLimit::new().per_metadata("tenant", Quota::per_second(u32::MAX)));
}

const TOKEN: &str = "f3d8Kq0vXw7cTn1LzR5b";

#[divan::bench]
fn bearer_token_alone(bencher: Bencher<'_, '_>) {
    run(bencher, BearerToken::new(TOKEN));
}

/// The token of the client, and a server's table of so many.
#[divan::bench(args = [1, 100])]
fn bearer_token_and_authenticate(bencher: Bencher<'_, '_>, tokens: usize) {
    let others = (1..tokens).map(|n| (format!("the-token-of-caller-{n:06}"), Caller::new("other")));
    let all = others.chain([(TOKEN.to_owned(), Caller::new("ada"))]);
    run(bencher, Stack::new(BearerToken::new(TOKEN), Authenticate::new(Tokens::new(all).unwrap())));
}

#[divan::bench]
fn access_log_that_nobody_reads(bencher: Bencher<'_, '_>) {
    run(bencher, AccessLog::new());
}

#[divan::bench]
fn trace_that_nobody_collects(bencher: Bencher<'_, '_>) {
    run(bencher, Trace::client());
}

#[divan::bench]
fn trace_of_both_sides_that_nobody_collects(bencher: Bencher<'_, '_>) {
    run(bencher, Stack::new(Trace::client(), Trace::server()));
}

#[cfg(feature = "metrics")]
mod metrics {
    use farcall::layers::Metrics;

    use super::{Bencher, Stack, run};

    #[divan::bench]
    fn a_that_nobody_records(bencher: Bencher<'_, '_>) {
        run(bencher, Metrics::server());
    }

    #[divan::bench]
    fn a_that_nobody_records_of_both_sides(bencher: Bencher<'_, '_>) {
        run(bencher, Stack::new(Metrics::client(), Metrics::server()));
    }

    /// After those that nobody records: a recorder stays.
    #[cfg(feature = "prometheus")]
    #[divan::bench]
    fn b_that_prometheus_scrapes(bencher: Bencher<'_, '_>) {
        let _endpoint = farcall::metrics::Prometheus::builder().bind("127.0.0.1:0").unwrap();
        run(bencher, Metrics::server());
    }
}
