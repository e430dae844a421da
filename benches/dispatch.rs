//! A generated server called in process: from the encoded request to the encoded response.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use divan::{Bencher, black_box};
use farcall::{Body, CodecKind, Handler, MethodDescriptor, Request, Response, Router, Service, service};
use serde::Serialize;

fn main() {
    divan::Divan::default().min_time(Duration::from_secs(1)).sample_size(64).config_with_args().main();
}

#[service]
trait Work {
    async fn add(&self, a: i64, b: i64) -> i64;
    async fn echo(&self, id: u64, payload: Vec<u8>) -> Vec<u8>;
}

struct Plain;

impl Work for Plain {
    async fn add(&self, a: i64, b: i64) -> i64 {
        a + b
    }

    async fn echo(&self, _: u64, payload: Vec<u8>) -> Vec<u8> {
        payload
    }
}

fn method(name: &str) -> &'static MethodDescriptor {
    let methods = WorkServer::<Plain>::descriptor().methods();
    methods.iter().find(|method| method.name() == name).unwrap()
}

fn request(name: &str, arguments: &impl Serialize) -> Request {
    let codec = CodecKind::default();
    Request::new(method(name), codec, Body::new(codec.encode(arguments).unwrap()))
}

/// Handlers that wait for nothing are done at their first poll: no runtime is needed.
fn answer(service: &impl Service, request: Request) -> Response {
    match pin!(service.call(request)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(response) => response.unwrap(),
        Poll::Pending => panic!("the handler should be done"),
    }
}

#[divan::bench]
fn add(bencher: Bencher) {
    let server = WorkServer::new(Plain);
    let request = request("add", &(2_i64, 3_i64));
    bencher.bench_local(|| drop(answer(&server, black_box(request.try_clone().unwrap()))));
}

#[divan::bench]
fn echo_64_bytes(bencher: Bencher) {
    let server = WorkServer::new(Plain);
    let request = request("echo", &(7_u64, vec![7_u8; 64]));
    bencher.bench_local(|| drop(answer(&server, black_box(request.try_clone().unwrap()))));
}

#[divan::bench]
fn add_through_a_router(bencher: Bencher) {
    let router = Router::new().with(WorkServer::new(Plain)).unwrap();
    let request = request("add", &(2_i64, 3_i64));
    bencher.bench_local(|| drop(answer(&router, black_box(request.try_clone().unwrap()))));
}
