//! What a unary call costs in heap allocations, on each side of a connection: a gate that keeps the hot path from growing.
//!
//! The allocator counts by thread, so client and server have a thread each, with a runtime that runs nowhere else. A
//! reallocation counts as an allocation of the new size.

use std::fmt;
use std::ops::Add;
use std::sync::mpsc;
use std::thread;

use allocation_counter::{AllocationInfo, measure};
use farcall::{CodecKind, Server, service};
use futures::future::join_all;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// What a call may cost that needs no memory for its values, while no other is in flight.
const LONE: Sides = Sides { client: Cost::new(0.0, 128.0), server: Cost::new(2.0, 3_000.0) };
/// The same for each of [`MANY`] that are in flight together.
const TOGETHER: Sides = Sides { client: Cost::new(0.0, 0.0), server: Cost::new(2.0, 3_000.0) };
/// An owned payload is allocated where it is decoded, once on each side.
const DECODED: Cost = Cost::new(1.0, PAYLOAD_BYTES as f64);
/// What many calls share: buffers to read into, lists that grow to the size of a batch, and the counting itself. It is 0.15 allocations, and on a
/// machine so busy that handlers run in tasks 0.3; less than one for each call is enough to notice one.
const SHARED: Cost = Cost::new(0.5, 256.0);

const PAYLOAD_BYTES: usize = 64;
const MANY: usize = 64;
/// A method's first calls run in tasks, until it has proved quick.
const WARM_UP_CALLS: usize = 256;
const CALLS: usize = 2048;
/// The cheapest of so many rounds counts, and no more are run than it takes: what else the machine does can only add, by tearing batches apart
/// and by making quick handlers slow, which then run in tasks.
const ROUNDS: usize = 20;

#[test]
fn a_call_over_tcp_allocates_no_more_than_this() {
    gate("tcp://127.0.0.1:0");
}

#[test]
fn a_call_over_mem_allocates_no_more_than_this() {
    gate("mem://");
}

#[test]
fn many_large_parts_are_encoded_without_copying_them_for_each_other() {
    let parts = vec!["x".repeat(33_000); 500];
    let info = measure(|| drop(CodecKind::Postcard.encode(&parts).unwrap()));
    assert!(info.bytes_total < 5 * 500 * 33_000, "{} bytes were allocated", info.bytes_total);
}

#[service]
trait Counted {
    async fn add(&self, a: i64, b: i64) -> i64;
    async fn echo(&self, id: u64, payload: Vec<u8>) -> Vec<u8>;
}

struct Plain;

impl Counted for Plain {
    async fn add(&self, a: i64, b: i64) -> i64 {
        a + b
    }

    async fn echo(&self, _: u64, payload: Vec<u8>) -> Vec<u8> {
        payload
    }
}

async fn add_over_and_over(client: &CountedClient, calls: usize) {
    for _ in 0..calls {
        assert_eq!(client.add(2, 3).await.unwrap(), 5);
    }
}

async fn echo_over_and_over(client: &CountedClient, calls: usize) {
    let mut payload = vec![7; PAYLOAD_BYTES];
    for id in 0..calls {
        payload = client.echo(id as u64, payload).await.unwrap();
    }
    assert_eq!(payload, [7; PAYLOAD_BYTES]);
}

fn gate(uri: &str) {
    let pair = Pair::new(uri);
    let client = &pair.client;
    let decoding = |max: Sides| Sides { client: max.client + DECODED, server: max.server + DECODED };
    pair.check("add, one in flight", LONE, 1, |calls| add_over_and_over(client, calls));
    pair.check("add, many in flight", TOGETHER, MANY, |calls| add_over_and_over(client, calls));
    pair.check("echo, one in flight", decoding(LONE), 1, |calls| echo_over_and_over(client, calls));
    pair.check("echo, many in flight", decoding(TOGETHER), MANY, |calls| echo_over_and_over(client, calls));
}

/// A server in a thread of its own, and a client in this one.
struct Pair {
    runtime: Runtime,
    client: CountedClient,
    ask: UnboundedSender<()>,
    counts: mpsc::Receiver<AllocationInfo>,
}

impl Pair {
    fn new(uri: &str) -> Self {
        let uri = uri.to_owned();
        let (ask, mut asked) = unbounded_channel();
        let (count, counts) = mpsc::channel();
        let (bound, address) = mpsc::channel();
        thread::spawn(move || {
            let runtime = runtime();
            let server = Server::builder().service(CountedServer::new(Plain)).bind(uri);
            let server = runtime.block_on(server).unwrap();
            bound.send(server.uri().to_owned()).unwrap();
            let mut goes_on = true;
            while goes_on {
                let info = measure(|| goes_on = runtime.block_on(asked.recv()).is_some());
                // Nobody wants to know the last one.
                let _ = count.send(info);
            }
        });
        let runtime = runtime();
        let client = runtime.block_on(CountedClient::connect(address.recv().unwrap())).unwrap();
        Self { runtime, client, ask, counts }
    }

    /// What the server has allocated since it was asked last.
    fn served(&self) -> AllocationInfo {
        self.ask.send(()).unwrap();
        self.counts.recv().unwrap()
    }

    fn check<F: Future>(&self, what: &str, max: Sides, in_flight: usize, work: impl Fn(usize) -> F) {
        let run = |calls: usize| {
            let all = join_all((0..in_flight).map(|_| work(calls / in_flight)));
            self.runtime.block_on(all);
        };
        run(WARM_UP_CALLS);
        let max = Sides { client: max.client + SHARED, server: max.server + SHARED };
        let mut least = Sides { client: Cost::MOST, server: Cost::MOST };
        for _ in 0..ROUNDS {
            self.served();
            least.client = least.client.min(Cost::per_call(measure(|| run(CALLS))));
            least.server = least.server.min(Cost::per_call(self.served()));
            if least.client.is_within(max.client) && least.server.is_within(max.server) {
                break;
            }
        }
        println!("{what}: client {}, server {}", least.client, least.server);
        least.client.assert_within(max.client, &format!("{what}, the client"));
        least.server.assert_within(max.server, &format!("{what}, the server"));
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[derive(Clone, Copy)]
struct Sides {
    client: Cost,
    server: Cost,
}

/// What a call costs on average.
#[derive(Clone, Copy)]
struct Cost {
    allocations: f64,
    bytes: f64,
}

impl Cost {
    const MOST: Self = Self::new(f64::MAX, f64::MAX);

    const fn new(allocations: f64, bytes: f64) -> Self {
        Self { allocations, bytes }
    }

    fn per_call(info: AllocationInfo) -> Self {
        Self::new(info.count_total as f64 / CALLS as f64, info.bytes_total as f64 / CALLS as f64)
    }

    fn min(self, other: Self) -> Self {
        Self::new(self.allocations.min(other.allocations), self.bytes.min(other.bytes))
    }

    fn is_within(self, max: Self) -> bool {
        self.allocations <= max.allocations && self.bytes <= max.bytes
    }

    fn assert_within(self, max: Self, what: &str) {
        assert!(self.is_within(max), "{what}: {self} a call; it may be {max}");
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::new(self.allocations + other.allocations, self.bytes + other.bytes)
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} allocations of {:.0} bytes in all", self.allocations, self.bytes)
    }
}
