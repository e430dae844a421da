//! Reads vectors, writes frames without the code under test, and drives one end of a connection.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};

use crate::connection::{
    Config, Connection, Event, Fatal, Incoming, OpenCall, OpenError, Reply, Side, Transmit,
};
use crate::wire::{CloseCode, Hello, Settings, StreamId};
use crate::{Error, ItemBatch, Metadata, MethodId};

pub(super) const OPENINGS: &str = include_str!("../../../../tests/vectors/openings.txt");
pub(super) const FRAMES: &str = include_str!("../../../../tests/vectors/frames.txt");
pub(super) const IDS: &str = include_str!("../../../../tests/vectors/ids.txt");
pub(super) const METADATA: &str = include_str!("../../../../tests/vectors/metadata.txt");
pub(super) const VALUES: &str = include_str!("../../../../tests/vectors/values.txt");

// Numbers as the protocol has them, and not as the code names them.
pub(super) const OPEN: u8 = 1;
pub(super) const REPLY: u8 = 2;
pub(super) const DATA: u8 = 3;
pub(super) const END: u8 = 4;
pub(super) const RESET: u8 = 5;
pub(super) const CREDIT: u8 = 6;
pub(super) const PING: u8 = 7;
pub(super) const PONG: u8 = 8;
pub(super) const GOAWAY: u8 = 9;

pub(super) const F_END: u8 = 1;
pub(super) const F_MORE: u8 = 2;
pub(super) const F_METADATA: u8 = 4;
pub(super) const F_DEADLINE: u8 = 8;
pub(super) const F_ONEWAY: u8 = 32;
pub(super) const F_ITEMS: u8 = 64;
pub(super) const F_TIMES: u8 = 64;
pub(super) const F_REPLY_TIMES: u8 = 16;

/// The first call of the connecting side, in slot 0.
pub(super) const FIRST: u64 = 1 << 17;

/// Reads `[name]`, hexadecimal bytes and `#` comments.
pub(super) fn vectors(text: &str) -> Vec<(&str, Vec<u8>)> {
    let mut all: Vec<(&str, Vec<u8>)> = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            assert!(all.iter().all(|(other, _)| *other != name), "the vector {name} is there twice");
            all.push((name, Vec::new()));
        } else if !line.is_empty() {
            let (_, bytes) = all.last_mut().expect("bytes stand below a name");
            bytes.extend(
                line.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).expect("hexadecimal")),
            );
        }
    }
    all
}

pub(super) fn vector(text: &str, name: &str) -> Vec<u8> {
    let found = vectors(text).into_iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("there is no vector {name}")).1
}

/// A frame, as it is read back from what an end sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) codec: u8,
    pub(super) id: u64,
    pub(super) content: Vec<u8>,
}

impl Frame {
    /// The number at the start of the content: a reset's code, or a credit.
    pub(super) fn number(&self) -> u64 {
        self.content.iter().take(8).rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

pub(super) fn frame(kind: u8, flags: u8, id: u64, content: &[u8]) -> Vec<u8> {
    let codec = u8::from(kind == OPEN || kind == REPLY);
    let bytes = u32::try_from(content.len()).unwrap();
    [&bytes.to_le_bytes(), &[kind, flags, codec, 0][..], &id.to_le_bytes(), content].concat()
}

/// An OPEN frame of method 7 without metadata and deadline.
pub(super) fn open(flags: u8, id: u64, arguments: &[u8]) -> Vec<u8> {
    frame(OPEN, flags, id, &[&7_u64.to_le_bytes(), arguments].concat())
}

/// The first part of a message.
pub(super) fn part(total: u32, bytes: &[u8]) -> Vec<u8> {
    [&total.to_le_bytes(), bytes].concat()
}

pub(super) fn goaway(last: u64, code: u16) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[&last.to_le_bytes(), &code.to_le_bytes()[..]].concat())
}

pub(super) fn call_id(sequence: u64, slot: u64) -> u64 {
    sequence << 17 | slot << 1
}

/// One end of a connection, with time as the test has it.
pub(super) struct End {
    pub(super) machine: Connection,
    pub(super) now: Instant,
    input: BytesMut,
}

impl End {
    /// An end that has heard nothing and whose opening has not been read.
    pub(super) fn silent(side: Side, config: Config) -> Self {
        let now = Instant::now();
        Self { machine: Connection::new(side, config, now), now, input: BytesMut::new() }
    }

    /// An end that is open with a peer that opened with these settings.
    pub(super) fn open_with(side: Side, config: Config, peer: Settings) -> Self {
        let mut end = Self::silent(side, config);
        end.told();
        let mut opening = BytesMut::new();
        Hello::new(peer).encode(&mut opening);
        end.hears(&opening);
        assert!(matches!(end.machine.poll_event(), Some(Event::Opened)));
        end
    }

    pub(super) fn client() -> Self {
        // Both, whatever this build knows: what is tested here does not decode.
        let peer = Settings { codecs: vec![1, 2], ..Settings::default() };
        Self::open_with(Side::Client, Config::default(), peer)
    }

    pub(super) fn server() -> Self {
        Self::open_with(Side::Server, Config::default(), Settings::default())
    }

    /// Both, since some rules hold on either side.
    pub(super) fn both() -> [Self; 2] {
        [Self::client(), Self::server()]
    }

    /// A client with one call under way whose direction is done.
    pub(super) fn calling() -> (Self, StreamId) {
        let mut client = Self::client();
        let id = client.calls(b"arguments");
        (client, id)
    }

    /// A server with one call under way whose items are awaited.
    pub(super) fn called() -> (Self, StreamId) {
        let mut server = Self::server();
        server.hears(&open(0, FIRST, b"arguments"));
        let call = server.taken();
        (server, call.id)
    }

    pub(super) fn try_hear(&mut self, bytes: &[u8]) -> Result<(), Fatal> {
        self.input.extend_from_slice(bytes);
        self.machine.receive(&mut self.input, self.now)
    }

    pub(super) fn hears(&mut self, bytes: &[u8]) {
        self.try_hear(bytes).expect("the bytes are within the protocol");
    }

    /// Hears what is against the protocol, and closes with the code.
    pub(super) fn faults(&mut self, bytes: &[u8]) -> CloseCode {
        let fatal = self.try_hear(bytes).expect_err("the bytes are against the protocol");
        self.machine.close(&fatal);
        fatal.code
    }

    /// Takes what this end sends.
    pub(super) fn told(&mut self) -> Vec<u8> {
        let mut told = Vec::new();
        let mut transmit = Transmit::new();
        while self.machine.poll_transmit(&mut Context::from_waker(Waker::noop()), &mut transmit).is_ready() {
            let bytes = transmit.remaining();
            if bytes == 0 {
                break;
            }
            told.extend_from_slice(&transmit.copy_to_bytes(bytes));
        }
        told
    }

    pub(super) fn frames(&mut self) -> Vec<Frame> {
        split(&self.told())
    }

    /// Takes the one frame that this end sends.
    pub(super) fn frame(&mut self) -> Frame {
        let mut frames = self.frames();
        assert_eq!(frames.len(), 1, "{frames:?}");
        frames.remove(0)
    }

    pub(super) fn calls(&mut self, arguments: &'static [u8]) -> StreamId {
        self.opens(false, Bytes::from_static(arguments))
    }

    /// Opens a call, and throws away what it sends.
    pub(super) fn opens(&mut self, items: bool, arguments: Bytes) -> StreamId {
        let id = self.try_open(items, arguments).expect("the call can be opened");
        self.told();
        id
    }

    pub(super) fn try_open(&mut self, items: bool, arguments: Bytes) -> Result<StreamId, OpenError> {
        let metadata = Metadata::new();
        self.machine.open(&OpenCall { items, ..OpenCall::new(MethodId::new(7), 1, arguments, &metadata) })
    }

    /// Takes the call that came in.
    pub(super) fn taken(&mut self) -> Incoming {
        match self.machine.poll_event() {
            Some(Event::Call(call)) => call,
            other => panic!("a call was expected, and not {other:?}"),
        }
    }

    pub(super) fn reply(&mut self, id: StreamId) -> Poll<Result<Reply, Error>> {
        self.machine.poll_reply(id, &mut Context::from_waker(Waker::noop()))
    }

    /// Takes the error with which a call ended.
    pub(super) fn failure(&mut self, id: StreamId) -> Error {
        match self.reply(id) {
            Poll::Ready(Err(error)) => error,
            other => panic!("a failure was expected, and not {other:?}"),
        }
    }

    /// Takes the items that are here, and whether there may be more.
    pub(super) fn items(&mut self, id: StreamId) -> (Vec<Bytes>, Poll<Result<bool, Error>>) {
        let mut items = VecDeque::new();
        let poll = self.machine.poll_items(id, &mut Context::from_waker(Waker::noop()), &mut items);
        (items.into_iter().flatten().collect(), poll)
    }

    /// Sends items, as far as there is credit for them.
    pub(super) fn sends(
        &mut self,
        id: StreamId,
        items: impl IntoIterator<Item = Bytes>,
    ) -> VecDeque<ItemBatch> {
        let mut items = items.into_iter().map(ItemBatch::one).collect();
        let _ = self.machine.poll_send_items(id, &mut Context::from_waker(Waker::noop()), &mut items);
        items
    }

    pub(super) fn waits(&mut self, time: Duration) -> Result<(), Fatal> {
        self.now += time;
        self.machine.on_timer(self.now)
    }
}

pub(super) fn split(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let length = usize::try_from(bytes.get_u32_le()).unwrap();
        let (kind, flags, codec, reserved) = (bytes.get_u8(), bytes.get_u8(), bytes.get_u8(), bytes.get_u8());
        assert_eq!(reserved, 0);
        let id = bytes.get_u64_le();
        let (content, rest) = bytes.split_at(length);
        frames.push(Frame { kind, flags, codec, id, content: content.to_vec() });
        bytes = rest;
    }
    frames
}
