//! Two connection machines back to back: open, receive, reply, receive, without a socket or a task between them.

use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use divan::{Bencher, counter::ItemsCount};
use rpc_core::connection::{Config, Connection, Event, OpenCall, Reply, Side, Transmit};
use rpc_core::wire::StreamId;
use rpc_core::{CodecKind, Metadata, MethodId};

const CODEC: u8 = CodecKind::Postcard.id();
const MESSAGE: Bytes = Bytes::from_static(&[7; 64]);
static NONE: Metadata = Metadata::new();

fn main() {
    divan::Divan::default().min_time(Duration::from_secs(1)).sample_size(64).config_with_args().main();
}

#[divan::bench(args = [1, 64])]
fn calls_together(bencher: Bencher, in_flight: usize) {
    let mut pair = Pair::new();
    let mut ids = Vec::new();
    bencher.counter(ItemsCount::new(in_flight)).bench_local(|| {
        let call = || OpenCall::new(MethodId::new(7), CODEC, MESSAGE, &NONE);
        ids.extend((0..in_flight).map(|_| pair.client.machine.open(&call()).unwrap()));
        pair.client.send_to(&mut pair.server);
        pair.server.answer();
        pair.server.send_to(&mut pair.client);
        ids.drain(..).for_each(|id| assert_eq!(pair.client.reply(id).message.len(), MESSAGE.len()));
    });
}

struct Pair {
    client: End,
    server: End,
}

impl Pair {
    fn new() -> Self {
        let now = Instant::now();
        let mut pair = Self { client: End::new(Side::Client, now), server: End::new(Side::Server, now) };
        pair.client.send_to(&mut pair.server);
        pair.server.send_to(&mut pair.client);
        while pair.client.machine.poll_event().is_some() {}
        pair
    }
}

struct End {
    machine: Connection,
    transmit: Transmit,
    input: BytesMut,
    wakes: Vec<Waker>,
    now: Instant,
}

impl End {
    fn new(side: Side, now: Instant) -> Self {
        Self {
            machine: Connection::new(side, Config::default(), now),
            transmit: Transmit::new(),
            input: BytesMut::new(),
            wakes: Vec::new(),
            now,
        }
    }

    fn send_to(&mut self, peer: &mut Self) {
        let is_ready = self.machine.poll_transmit(&mut noop(), &mut self.transmit).is_ready();
        assert!(is_ready, "there is something to send");
        peer.input.put(&mut self.transmit);
        peer.machine.receive(&mut peer.input, self.now).unwrap();
        peer.machine.move_wakes(&mut peer.wakes);
        peer.wakes.drain(..).for_each(Waker::wake);
    }

    fn answer(&mut self) {
        while let Some(event) = self.machine.poll_event() {
            if let Event::Call(call) = event {
                self.machine.reply(call.id, &Reply::new(call.codec, call.message));
            }
        }
    }

    fn reply(&mut self, id: StreamId) -> Reply {
        match self.machine.poll_reply(id, &mut noop()) {
            Poll::Ready(reply) => reply.unwrap(),
            Poll::Pending => panic!("the answer should have come"),
        }
    }
}

fn noop() -> Context<'static> {
    Context::from_waker(Waker::noop())
}
