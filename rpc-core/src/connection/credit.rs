//! Flow control: who may send how much (rules C1 to C8 of `docs/protocol.md`).
//!
//! What arrives is held until somebody takes it. A side is granted more once half of its window is free again. The connection's
//! window is free as soon as bytes arrive, until as much is held as the buffer allows: so a reader that never reads
//! keeps its own calls waiting, and nobody else's.

use super::stream::{Assembly, Stream};
use super::{CloseCode, Connection, Fatal, FrameKind, StreamId};
use crate::wire::HEADER_BYTES;

/// What a DATA frame costs beside its content, so that empty items cannot be sent without end.
pub(super) const FRAME_COST: u64 = HEADER_BYTES as u64;

/// What all calls of the peer may send, and what is kept of it.
#[derive(Debug)]
pub(super) struct Window {
    size: u64,
    buffer_max: u64,
    granted: u64,
    held: u64,
    /// The lengths of the messages that are being put together.
    reserved: u64,
}

impl Window {
    pub(super) fn new(window_bytes: u32, buffer_bytes_max: u32) -> Self {
        let size = u64::from(window_bytes);
        Self { size, buffer_max: buffer_bytes_max.into(), granted: size, held: 0, reserved: 0 }
    }

    pub(super) fn is_at_rest(&self) -> bool {
        self.held == 0 && self.reserved == 0
    }

    /// How much to grant, if it is worth a frame.
    fn due(&self) -> Option<u64> {
        let target = self.size.saturating_sub(self.held.saturating_sub(self.buffer_max));
        due(target, self.granted, self.size)
    }
}

fn due(target: u64, granted: u64, size: u64) -> Option<u64> {
    let missing = target.saturating_sub(granted);
    (missing > 0 && missing >= size / 2).then_some(missing)
}

impl Connection {
    /// Books a DATA frame that has arrived on the connection.
    pub(super) fn charge_connection(&mut self, cost: u64) -> Result<(), Fatal> {
        self.inflow.granted = self.inflow.granted.checked_sub(cost).ok_or_else(over)?;
        Ok(())
    }

    /// Grants more on the connection where it is due.
    pub(super) fn grant_connection(&mut self) {
        if let Some(more) = self.inflow.due() {
            self.inflow.granted += more;
            self.send_credit(StreamId::CONNECTION, more);
        }
    }

    /// Grants more to a call where it is due.
    pub(super) fn grant_stream(&mut self, id: StreamId) {
        let size = u64::from(self.config.settings.stream_window_bytes);
        let Some(stream) = self.stream(id) else { return };
        if stream.inflow.ended || stream.inflow.outcome.is_some() {
            return;
        }
        let target = (size + stream.expected(FRAME_COST)).saturating_sub(stream.inflow.held);
        if let Some(more) = due(target, stream.inflow.granted, size) {
            stream.inflow.granted += more;
            self.send_credit(id, more);
        }
    }

    fn send_credit(&mut self, id: StreamId, more: u64) {
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        self.send_control(FrameKind::Credit, id, &more.to_le_bytes());
    }

    /// Books what a call keeps of what has arrived.
    pub(super) fn hold(&mut self, id: StreamId, cost: u64) {
        if let Some(stream) = self.stream(id) {
            stream.inflow.held += cost;
            self.inflow.held += cost;
        }
    }

    /// Books that something kept was taken, and grants as much again where it is due.
    pub(super) fn unhold(&mut self, id: StreamId, cost: u64) {
        if let Some(stream) = self.stream(id) {
            stream.inflow.held -= cost;
            self.inflow.held -= cost;
        }
        self.grant_stream(id);
        self.grant_connection();
    }

    /// Lets a message that comes in parts wait for room; where there is room it does not wait.
    pub(super) fn admit(&mut self, id: StreamId) {
        self.waiting.push_back(id);
        self.admit_waiting();
    }

    /// Gives up the room of a message that is complete or will never be.
    pub(super) fn end_assembly(&mut self, assembly: &Assembly) {
        if assembly.admitted {
            self.inflow.reserved -= assembly.total as u64;
            self.admit_waiting();
        }
    }

    /// Admits messages in their order while there is room; one message has room always, so the line moves.
    fn admit_waiting(&mut self) {
        while let Some(id) = self.waiting.front().copied() {
            let (reserved, buffer_max) = (self.inflow.reserved, self.inflow.buffer_max);
            let assembly = self.stream(id).and_then(|stream| stream.inflow.assembly.as_mut());
            // A call that is over, or a message that was complete in the meantime, just leaves the line.
            if let Some(assembly) = assembly.filter(|assembly| !assembly.admitted) {
                let total = assembly.total as u64;
                if reserved > 0 && reserved + total > buffer_max {
                    return;
                }
                assembly.admitted = true;
                assembly.buffer.reserve(assembly.total - assembly.buffer.len());
                let held = std::mem::take(&mut assembly.held);
                self.inflow.reserved += total;
                self.unhold(id, held);
            }
            self.waiting.pop_front();
        }
    }

    /// Gives back all that a call held when it is removed.
    pub(super) fn release(&mut self, stream: &Stream) {
        self.inflow.held -= stream.inflow.held;
        if let Some(assembly) = &stream.inflow.assembly {
            self.end_assembly(assembly);
        }
        self.grant_connection();
    }
}

pub(super) fn over() -> Fatal {
    Fatal::new(CloseCode::FlowControl, "more data came than was granted")
}
