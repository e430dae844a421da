//! What the tests share: a pair of machines with a pipe each way, wakers that remember, and frames made by hand.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::super::*;
use crate::wire::{Flags, HEADER_BYTES};
use crate::{Error, ItemBatch, Metadata, MethodId};

/// A waker that remembers whether it was woken; it starts woken, so that everybody polls once.
pub(super) struct Woken {
    is_woken: AtomicBool,
}

impl Woken {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { is_woken: AtomicBool::new(true) })
    }

    pub(super) fn take(&self) -> bool {
        self.is_woken.swap(false, Ordering::Relaxed)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.is_woken.store(true, Ordering::Relaxed);
    }
}

pub(super) fn noop() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// Two machines; bytes that one has given its writer stay in a pipe until they are delivered to the other.
pub(super) struct Pair {
    pub(super) client: Connection,
    pub(super) server: Connection,
    pub(super) to_server: BytesMut,
    pub(super) to_client: BytesMut,
    at_server: BytesMut,
    at_client: BytesMut,
    pub(super) now: Instant,
}

impl Pair {
    pub(super) fn new(client: Config, server: Config) -> Self {
        let now = Instant::now();
        Self {
            client: Connection::new(Side::Client, client, now),
            server: Connection::new(Side::Server, server, now),
            to_server: BytesMut::new(),
            to_client: BytesMut::new(),
            at_server: BytesMut::new(),
            at_client: BytesMut::new(),
            now,
        }
    }

    /// Two machines that have read each other's opening.
    pub(super) fn open(client: Config, server: Config) -> Self {
        let mut pair = Self::new(client, server);
        pair.settle();
        for machine in [&mut pair.client, &mut pair.server] {
            assert!(matches!(machine.poll_event(), Some(Event::Opened)));
        }
        pair
    }

    pub(super) fn default() -> Self {
        Self::open(Config::default(), Config::default())
    }

    /// Gives what one side has to write to its pipe; false where there was nothing.
    pub(super) fn transmit(&mut self, side: Side) -> bool {
        let (machine, pipe) = match side {
            Side::Client => (&mut self.client, &mut self.to_server),
            Side::Server => (&mut self.server, &mut self.to_client),
        };
        let mut transmit = Transmit::new();
        let is_ready = machine.poll_transmit(&mut noop(), &mut transmit).is_ready();
        pipe.put(transmit);
        wake(machine);
        is_ready
    }

    /// Delivers up to so many bytes of one side's pipe to the other; two correct machines never find fault with them.
    pub(super) fn deliver(&mut self, from: Side, bytes_max: usize) -> bool {
        let (machine, pipe, input) = match from {
            Side::Client => (&mut self.server, &mut self.to_server, &mut self.at_server),
            Side::Server => (&mut self.client, &mut self.to_client, &mut self.at_client),
        };
        let bytes = pipe.len().min(bytes_max);
        input.put(pipe.split_to(bytes));
        machine.receive(input, self.now).expect("two correct machines understand each other");
        wake(machine);
        bytes > 0
    }

    /// Moves bytes until there are none left to move.
    pub(super) fn settle(&mut self) {
        loop {
            let mut moved = false;
            for side in [Side::Client, Side::Server] {
                moved |= self.transmit(side);
                moved |= self.deliver(side, usize::MAX);
            }
            if !moved {
                return;
            }
        }
    }

    /// Opens a call and returns it as it arrived at the server too.
    pub(super) fn call(&mut self, call: &OpenCall<'_>) -> (StreamId, Incoming) {
        let id = self.client.open(call).expect("there is room for the call");
        self.settle();
        (id, self.incoming())
    }

    pub(super) fn incoming(&mut self) -> Incoming {
        match self.server.poll_event() {
            Some(Event::Call(incoming)) => incoming,
            other => panic!("a call should have come in, not {other:?}"),
        }
    }

    pub(super) fn assert_at_rest(&self) {
        assert!(self.client.is_at_rest(), "the client keeps something: {:#?}", self.client);
        assert!(self.server.is_at_rest(), "the server keeps something: {:#?}", self.server);
    }
}

pub(super) fn wake(machine: &mut Connection) {
    machine.take_wakes().into_iter().for_each(Waker::wake);
}

static EMPTY: Metadata = Metadata::new();

/// A unary call without metadata.
pub(super) fn unary(message: impl Into<Bytes>) -> OpenCall<'static> {
    OpenCall::new(MethodId::new(7), 1, message.into(), &EMPTY)
}

/// A call whose arguments items follow.
pub(super) fn with_items(message: impl Into<Bytes>) -> OpenCall<'static> {
    OpenCall { items: true, ..unary(message) }
}

/// An answer that items follow.
pub(super) fn reply_with_items(message: impl Into<Bytes>) -> Reply {
    Reply { items: true, ..Reply::new(1, message.into()) }
}

pub(super) fn reply_of(machine: &mut Connection, id: StreamId) -> Option<Result<Reply, Error>> {
    match machine.poll_reply(id, &mut noop()) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

pub(super) fn error_of(machine: &mut Connection, id: StreamId) -> Error {
    reply_of(machine, id).expect("the call is over").expect_err("the call failed")
}

pub(super) fn items_of(machine: &mut Connection, id: StreamId) -> (Vec<Bytes>, Option<Result<bool, Error>>) {
    let mut out = VecDeque::new();
    let result = match machine.poll_items(id, &mut noop(), &mut out) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    };
    (out.into_iter().flatten().collect(), result)
}

/// Sends items as far as they go, and tells how many did not.
pub(super) fn send_items(machine: &mut Connection, id: StreamId, items: &[Bytes]) -> usize {
    let mut items = items.iter().cloned().map(ItemBatch::one).collect();
    let _ = machine.poll_send_items(id, &mut noop(), &mut items);
    left(&items)
}

/// Puts items together by twos and threes, and leaves some alone.
pub(super) fn batches(items: impl IntoIterator<Item = Bytes>) -> VecDeque<ItemBatch> {
    let mut items = items.into_iter();
    let sizes = [1, 2, 3].into_iter().cycle();
    let batch =
        |size| Some(items.by_ref().take(size).collect()).filter(|batch: &ItemBatch| !batch.is_empty());
    sizes.map_while(batch).collect()
}

/// Tells how many items there are.
pub(super) fn left(batches: &VecDeque<ItemBatch>) -> usize {
    batches.iter().map(ItemBatch::len).sum()
}

/// A machine that has read an opening with these settings, fed with frames made by hand.
pub(super) struct Lone {
    pub(super) machine: Connection,
    pub(super) now: Instant,
}

impl Lone {
    pub(super) fn new(side: Side, config: Config, peer: Settings) -> Self {
        let now = Instant::now();
        let mut lone = Self { machine: Connection::new(side, config, now), now };
        let mut hello = BytesMut::new();
        Hello::new(peer).encode(&mut hello);
        lone.bytes(&hello).expect("the opening is right");
        assert!(matches!(lone.machine.poll_event(), Some(Event::Opened)));
        lone.frames();
        lone
    }

    pub(super) fn server() -> Self {
        Self::new(Side::Server, Config::default(), Settings::default())
    }

    pub(super) fn client() -> Self {
        Self::new(Side::Client, Config::default(), Settings::default())
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Fatal> {
        self.machine.receive(&mut BytesMut::from(bytes), self.now)
    }

    pub(super) fn feed(
        &mut self,
        kind: FrameKind,
        id: StreamId,
        flags: Flags,
        content: &[u8],
    ) -> Result<(), Fatal> {
        self.bytes(&frame(kind, id, flags, content))
    }

    /// Feeds a frame that must be refused, and returns the code.
    pub(super) fn refuses(
        &mut self,
        kind: FrameKind,
        id: StreamId,
        flags: Flags,
        content: &[u8],
    ) -> CloseCode {
        self.feed(kind, id, flags, content).expect_err("the frame breaks the protocol").code
    }

    /// What the machine has to write, as frames.
    pub(super) fn frames(&mut self) -> Vec<(FrameHeader, Bytes)> {
        let mut bytes = BytesMut::new();
        let mut transmit = Transmit::new();
        while self.machine.poll_transmit(&mut noop(), &mut transmit).is_ready() {
            bytes.put(std::mem::take(&mut transmit));
        }
        let mut bytes = bytes.freeze();
        if bytes.starts_with(b"farcall/") {
            let settings = usize::from(u16::from_le_bytes([bytes[10], bytes[11]]));
            bytes.advance(12 + settings);
        }
        let mut frames = Vec::new();
        while let Some(raw) = bytes.first_chunk::<HEADER_BYTES>() {
            let header = FrameHeader::parse(raw);
            bytes.advance(HEADER_BYTES);
            frames.push((header, bytes.split_to(header.bytes as usize)));
        }
        frames
    }
}

/// The id of a client's call.
pub(super) fn id(sequence: u64, slot: u16) -> StreamId {
    StreamId::new(sequence, slot, false)
}

pub(super) fn frame(kind: FrameKind, id: StreamId, flags: Flags, content: &[u8]) -> Bytes {
    let bytes = u32::try_from(content.len()).expect("a frame is short");
    let mut raw = BytesMut::from(&FrameHeader::new(kind, id, bytes).with_flags(flags).to_bytes()[..]);
    raw.put_slice(content);
    raw.freeze()
}

/// The content of an OPEN frame: the method, then this.
pub(super) fn open_content(rest: &[u8]) -> Vec<u8> {
    [&7_u64.to_le_bytes()[..], rest].concat()
}

/// Settings and times for a test, from the defaults.
pub(super) fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config { ping_interval: Duration::from_secs(30), ..Config::default() };
    change(&mut config);
    config
}
