//! One machine whose peer sends whatever it likes, and whose owner does whatever it may.

mod local;
mod peer;

use std::time::{Duration, Instant};

use bytes::BytesMut;
use rpc_core::connection::{Config, Connection, Event, Fatal, Side};
use rpc_core::wire::{FrameHeader, FrameKind, ResetCode, StreamId};
use rpc_core::{Code, Status};

use super::content::{CALLS_MAX, config};
use super::transmit;
use super::wire::Onlooker;
use crate::source::Source;

/// With so much unwritten, a server reads no further calls, as its driver does.
const OWED_BYTES_MAX: usize = 16 << 10;
/// What waits to be written at most: what is gathered for one write, and the first frames of all calls.
const UNSENT_BYTES_MAX: usize = (256 << 10) + CALLS_MAX as usize * (32 << 10);
/// The memory of a machine at most, what its owner holds included: what waits to be written and what is kept, and as much again for
/// buffers that have grown by doubling.
const MEMORY_BYTES_MAX: u64 = 2 << 20;

pub(super) fn run(source: &mut Source<'_>) {
    let info = allocation_counter::measure(|| {
        let mut lone = Lone::new(source);
        while !source.is_empty() {
            lone.step(source);
            lone.check();
        }
        lone.end(source.flag());
    });
    assert!(info.bytes_max <= MEMORY_BYTES_MAX, "{} bytes of memory were taken", info.bytes_max);
}

struct Lone {
    side: Side,
    machine: Connection,
    config: Config,
    now: Instant,
    input: BytesMut,
    onlooker: Onlooker,
    /// How much came from the peer.
    fed: u64,
    /// Calls that were opened here, and of which nobody has learnt that they are over.
    opened: Vec<StreamId>,
    /// Calls for which nobody waits; some of them are over.
    detached: Vec<StreamId>,
    /// Calls of the peer that are being answered, and whether items of the answer may follow.
    handlers: Vec<(StreamId, bool)>,
}

impl Lone {
    fn new(source: &mut Source<'_>) -> Self {
        let side = if source.flag() { Side::Client } else { Side::Server };
        let (config, now) = (config(source), Instant::now());
        let machine = Connection::new(side, config.clone(), now);
        let mut lone = Self {
            side,
            machine,
            config,
            now,
            input: BytesMut::new(),
            onlooker: Onlooker::default(),
            fed: 0,
            opened: Vec::new(),
            detached: Vec::new(),
            handlers: Vec::new(),
        };
        match source.byte() {
            1 => {}
            choice => lone.feed(&peer::opening(source, choice >= 128)),
        }
        lone
    }

    fn step(&mut self, source: &mut Source<'_>) {
        match source.byte() {
            0..128 => {
                let frame = peer::frame(source, self.machine.calls_in_flight());
                self.feed(&frame);
            }
            128..144 => {
                let count = usize::from(source.byte());
                self.feed(source.bytes(count));
            }
            144..160 => self.write(),
            160..168 => self.wait(source),
            168 => self.machine.drain("the owner drains"),
            169 => self.machine.probe(),
            170 => self.machine.lost("the link is lost"),
            171 => self.machine.close(&Fatal::new(rpc_core::wire::CloseCode::Internal, "the owner closes")),
            _ => self.act(source),
        }
        self.learn();
    }

    fn feed(&mut self, bytes: &[u8]) {
        if self.machine.owes_answers(OWED_BYTES_MAX) {
            return self.write();
        }
        self.fed += bytes.len() as u64;
        self.input.extend_from_slice(bytes);
        if let Err(fatal) = self.machine.receive(&mut self.input, self.now) {
            self.machine.close(&fatal);
            self.input.clear();
        }
    }

    fn write(&mut self) {
        let bytes = transmit(&mut self.machine);
        let frame_bytes_max = self.machine.peer_settings().map_or(u32::MAX, |peer| peer.frame_bytes_max);
        self.onlooker.read(&bytes, frame_bytes_max);
    }

    fn wait(&mut self, source: &mut Source<'_>) {
        self.now += Duration::from_millis(source.choose(&[1, 100, 5000, 21_000, 31_000]));
        if let Err(fatal) = self.machine.on_timer(self.now) {
            self.machine.close(&fatal);
        }
        assert!(self.machine.is_closed() || self.machine.timer() > self.now, "the timer would fire at once");
    }

    /// Does what the owner must.
    fn learn(&mut self) {
        while let Some(event) = self.machine.poll_event() {
            match event {
                Event::Call(call) => {
                    assert!(call.message.len() <= self.config.settings.message_bytes_max as usize);
                    self.handlers.push((call.id, false));
                }
                Event::Cancelled(id) => self.handlers.retain(|(handled, _)| *handled != id),
                _ => {}
            }
        }
        self.machine.take_wakes();
    }

    fn check(&mut self) {
        let in_flight = self.machine.calls_in_flight();
        assert!(in_flight <= self.config.settings.calls_max as usize, "{in_flight} calls are in flight");
        let known = self.opened.len() + self.handlers.len();
        assert!(known <= in_flight, "{known} calls are known, {in_flight} in flight");
        if self.side == Side::Client {
            assert!(in_flight <= known + self.detached.len(), "a call is in flight that nobody knows");
            assert!(self.handlers.is_empty(), "a client was called");
        }
        let unsent = self.machine.unsent_bytes();
        assert!(unsent <= UNSENT_BYTES_MAX, "{unsent} bytes wait to be written");
        // Rule C7: what is granted again was used before.
        assert!(self.onlooker.granted <= self.fed, "{} were granted for {}", self.onlooker.granted, self.fed);
    }

    /// Ends all calls; nothing is left then.
    fn end(mut self, is_lost: bool) {
        if is_lost {
            self.machine.lost("the input is used up");
            self.learn();
            assert!(self.handlers.is_empty(), "handlers go on: {:?}", self.handlers);
        }
        self.machine.fail_all(&Status::new(Code::Unavailable, "the input is used up"));
        for id in self.opened.drain(..).chain(self.detached.drain(..)) {
            self.machine.cancel(id, ResetCode::Cancelled);
        }
        assert_eq!(self.machine.calls_in_flight(), 0, "a call is left");
        if self.machine.peer_settings().is_some() {
            // Rule K6: what waits for a sign of life goes out with it.
            let pong = FrameHeader::new(FrameKind::Pong, StreamId::CONNECTION, 0).to_bytes();
            self.machine.receive(&mut BytesMut::from(&pong[..]), self.now).expect("it is always welcome");
        }
        self.write();
        self.learn();
        assert!(self.machine.is_at_rest(), "something is kept: {:#?}", self.machine);
        assert!(self.onlooker.has_read_all());
    }
}
