//! What the layers that stand around every call cost one that succeeds: no memory.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use allocation_counter::measure;
use farcall::layers::{AccessLog, Budget, ConcurrencyLimit, Quota, RateLimit, Retry, Timeout, Trace};
use farcall::{
    Body, CodecKind, Error, Layer, MethodId, Request, Response, Service, ServiceDescriptor, Stack,
};

use crate::recorded::{Silence, Spans};
use crate::shop::ShopClient;

const CALLS: u64 = 1_000;
const SHOP: &ServiceDescriptor = ShopClient::DESCRIPTOR;

/// Gives the arguments back.
struct Echo;

impl Service for Echo {
    async fn call(&self, mut request: Request) -> Result<Response, Error> {
        Ok(Response::new(request.codec(), request.take_body()))
    }
}

fn call(service: &impl Service, request: Request) {
    match pin!(service.call(request)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(response) => drop(response.unwrap()),
        Poll::Pending => panic!("it should be done"),
    }
}

fn allocations(service: &impl Service) -> u64 {
    let codec = CodecKind::default();
    let message = codec.encode(&"tea").unwrap();
    let method = SHOP.method(MethodId::hash("Shop", "price")).unwrap();
    let one = || call(service, Request::new(method, codec, Body::new(message.clone())));
    one();
    measure(|| (0..CALLS).for_each(|_| one())).count_total
}

#[test]
fn timeout_concurrency_limit_and_retry_allocate_nothing() {
    let layers =
        Stack::new(Timeout::new(Duration::from_secs(1)), Stack::new(ConcurrencyLimit::new(8), Retry::new()));
    assert_eq!(allocations(&layers.layer(Echo)), 0);
}

#[test]
fn limits_by_method_and_by_key_allocate_nothing_for_what_they_know() {
    let limits = Stack::new(
        ConcurrencyLimit::new(8).per_method(4),
        RateLimit::new()
            .total(Quota::per_second(1_000_000))
            .per_metadata("tenant", Quota::per_second(1_000_000)),
    );
    assert_eq!(allocations(&Stack::new(limits, Retry::new().budget(Budget::new(10, 1))).layer(Echo)), 0);
}

#[test]
fn traces_and_access_logs_that_nobody_collects_allocate_nothing() {
    let _silence = Silence::new();
    let both = Stack::new(Trace::client(), Trace::server()).then(AccessLog::new());
    assert_eq!(allocations(&both.layer(Echo)), 0);
    assert_eq!(allocations(&Trace::client().ratio(0.0).layer(Echo)), 0);
}

#[test]
fn a_call_that_is_not_recorded_costs_what_says_so() {
    let (_spans, _guard) = Spans::listen();
    // The call that the layer sees to, and the context that tells OpenTelemetry's samplers of it.
    let seen = 1 + u64::from(cfg!(feature = "opentelemetry"));
    // The value, and the list that its entry is the first of; the second of two finds the entry there.
    assert_eq!(allocations(&Trace::client().ratio(0.0).layer(Echo)), (2 + seen) * CALLS);
    let both = Stack::new(Trace::client().ratio(0.0), Trace::server());
    assert_eq!(allocations(&both.layer(Echo)), (3 + 2 * seen) * CALLS);
}

#[cfg(feature = "metrics")]
#[test]
fn metrics_that_nobody_records_allocate_nothing() {
    use farcall::layers::Metrics;
    let layers = Stack::new(Metrics::client(), Stack::new(Retry::new(), Metrics::attempts()));
    assert_eq!(allocations(&Stack::new(layers, Metrics::server()).layer(Echo)), 0);
}

#[test]
fn what_allocates_is_noticed() {
    assert_eq!(allocations(&farcall::BoxService::new(Echo)), CALLS);
}
