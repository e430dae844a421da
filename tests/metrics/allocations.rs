//! What a call costs that is recorded: no memory.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use farcall::layers::{Metrics, Retry};
use farcall::{Body, CodecKind, Error, Layer, MethodDescriptor, Request, Response, Service, Stack};

use crate::scrape::endpoint;

static METHOD: MethodDescriptor = MethodDescriptor::new("Allocations", "echo");
const CALLS: u64 = 1_000;

/// Gives the arguments back.
struct Echo;

impl Service for Echo {
    async fn call(&self, mut request: Request) -> Result<Response, Error> {
        Ok(Response::new(request.codec(), request.take_body()))
    }
}

#[test]
fn a_call_that_is_recorded_allocates_nothing() {
    endpoint();
    let layers = Stack::new(Metrics::client(), Stack::new(Retry::new(), Metrics::attempts()));
    let service = Stack::new(layers, Metrics::server()).layer(Echo);
    let codec = CodecKind::default();
    let message = codec.encode(&"tea").unwrap();
    let call = || {
        let request = Request::new(&METHOD, codec, Body::new(message.clone()));
        match pin!(service.call(request)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(response) => drop(response.unwrap()),
            Poll::Pending => panic!("it should be done"),
        }
    };
    call();
    assert_eq!(measure(|| (0..CALLS).for_each(|_| call())).count_total, 0);
}
