//! One of two machines, and what it has written that has not been read.

use std::time::Instant;

use bytes::{Buf, BytesMut};
use rpc_core::connection::{Config, Connection, Side};

use crate::machine::transmit;
use crate::machine::wire::Onlooker;
use crate::source::Source;

pub(super) struct End {
    pub(super) machine: Connection,
    config: Config,
    onlooker: Onlooker,
    written: BytesMut,
    input: BytesMut,
    is_cut: bool,
}

impl End {
    pub(super) fn new(side: Side, config: Config, now: Instant) -> Self {
        Self {
            machine: Connection::new(side, config.clone(), now),
            config,
            onlooker: Onlooker::default(),
            written: BytesMut::new(),
            input: BytesMut::new(),
            is_cut: false,
        }
    }

    pub(super) fn calls_max(&self) -> usize {
        self.config.settings.calls_max as usize
    }

    pub(super) fn write(&mut self, to: &Self) {
        let bytes = transmit(&mut self.machine);
        self.onlooker.read(&bytes, to.config.settings.frame_bytes_max);
        if !self.is_cut {
            self.written.extend_from_slice(&bytes);
        }
    }

    /// Reads a piece of what the other has written.
    pub(super) fn read_from(&mut self, other: &mut Self, source: &mut Source<'_>, now: Instant) {
        let piece = source.choose(&[usize::MAX, 1, 15, 17, 100, 700, 5000, 40_000]);
        self.read(other, piece, now);
    }

    /// Reads all that the other has written; tells whether there was anything.
    pub(super) fn read_all(&mut self, other: &mut Self, now: Instant) -> bool {
        self.read(other, usize::MAX, now)
    }

    fn read(&mut self, other: &mut Self, piece: usize, now: Instant) -> bool {
        let piece = piece.min(other.written.len());
        self.input.extend_from_slice(&other.written[..piece]);
        other.written.advance(piece);
        self.machine.receive(&mut self.input, now).expect("a machine keeps to the protocol");
        piece > 0
    }

    /// Loses the link, and all that is on its way.
    pub(super) fn cut(&mut self) {
        self.is_cut = true;
        self.machine.lost("the link was cut");
        self.written.clear();
        self.input.clear();
    }

    /// What waits to be written is bounded: what is gathered for one write, and the first frames of calls and answers.
    pub(super) fn check_unsent(&self) {
        let unsent = self.machine.unsent_bytes();
        assert!(unsent <= (256 << 10) + super::CALLS_MAX * (32 << 10), "{unsent} bytes wait to be written");
    }

    /// Nothing is left, and the credit that the other has is the whole window but for what is not worth a frame (rule C7).
    pub(super) fn check_rest(&self, other: &Self) {
        assert!(self.machine.is_at_rest(), "something is kept: {:#?}", self.machine);
        assert!(self.is_cut || self.onlooker.has_read_all());
        if self.is_cut || self.machine.peer_settings().is_none() {
            return;
        }
        let window = u64::from(self.config.settings.connection_window_bytes);
        let granted = (window + self.onlooker.granted).checked_sub(other.onlooker.spent);
        let granted = granted.expect("no more is spent than was granted");
        assert!((window - window / 2..=window).contains(&granted), "{granted} of {window} are granted");
    }
}
