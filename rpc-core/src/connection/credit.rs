//! Flow control: who may send how much (rules C1 to C11 of `docs/protocol.md`).
//!
//! An item is held until somebody takes it. A side is granted more once half of its window is free again. The connection's
//! window is free as soon as bytes arrive, until as much is held as the buffer allows: so a reader that never reads
//! keeps its own calls waiting, and nobody else's. A message that comes in parts is held outside of this account: it is
//! admitted whole where there is room, and until then its own call's window bounds it. Counted with the items, parts
//! that wait for room could take the credit that those need which have it.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "accounts are u64 and grow by lengths that are u32 or in memory; what is taken off was booked before"
)]

use std::collections::VecDeque;
use std::time::Instant;

use super::receive::{protocol, spend};
use super::stream::{ADMITTED_WINDOW_BYTES, Assembly, Inflow, Item, Stream};
use super::transmit::TOTAL_BYTES;
use super::{CloseCode, Connection, Fatal, FrameKind, StreamId};
use crate::ItemBatch;
use crate::wire::{HEADER_BYTES, parse_u32};

/// What a DATA frame costs beside its content, so that empty items cannot be sent without end.
const FRAME_COST: u64 = HEADER_BYTES as u64;

/// What the first frame of a message that goes on costs beside its part: the announced length comes before that.
pub(super) const START_COST: u64 = FRAME_COST + TOTAL_BYTES as u64;

/// What a DATA frame with so much content costs.
pub(super) fn frame_cost(bytes: usize) -> u64 {
    FRAME_COST + bytes as u64
}

/// Where so many are kept, those that come are kept apart from the read that they came with, which may have 256 KiB: so they hold 16 MiB at most.
const CROWD: usize = 64;

/// Of shorter ones, those that are taken together are put together.
const SHORT_BYTES: usize = 4096;

/// What all calls of the peer may send, and what is kept of it.
#[derive(Debug)]
pub(super) struct Window {
    size: u64,
    buffer_max: u64,
    granted: u64,
    held: u64,
    /// How many items that is.
    items: usize,
    /// The lengths of the messages that are being put together.
    reserved: u64,
}

impl Window {
    pub(super) fn new(window_bytes: u32, buffer_bytes_max: u32) -> Self {
        let size = u64::from(window_bytes);
        Self { size, buffer_max: buffer_bytes_max.into(), granted: size, held: 0, items: 0, reserved: 0 }
    }

    pub(super) fn is_at_rest(&self) -> bool {
        self.held == 0 && self.reserved == 0
    }

    /// What is kept.
    pub(super) fn held(&self) -> u64 {
        self.held
    }

    /// What the peer may send, what is kept, and what is reserved.
    #[cfg(test)]
    pub(super) fn booked(&self) -> (u64, u64, u64) {
        (self.granted, self.held, self.reserved)
    }

    /// Tells whether so many small items are kept that each must not keep the whole read it came with.
    pub(super) fn is_crowded(&self) -> bool {
        self.items >= CROWD
    }

    /// One message has room always.
    fn has_room(&self, total: usize) -> bool {
        self.reserved == 0 || self.reserved + total as u64 <= self.buffer_max
    }

    /// How much to grant, if it is worth a frame.
    fn due(&self) -> u32 {
        let target = self.size.saturating_sub(self.held.saturating_sub(self.buffer_max));
        due(target, self.granted, self.size / 2)
    }
}

/// What a call has on the connection's accounts when it ends.
#[derive(Debug)]
pub(super) struct Held {
    cost: u64,
    items: usize,
    is_waiting: bool,
    assembly: Option<Box<Assembly>>,
}

impl Held {
    /// Most calls hold nothing when they end.
    fn is_nothing(&self) -> bool {
        self.items == 0 && self.cost == 0 && !self.is_waiting && self.assembly.is_none()
    }

    pub(super) fn of(inflow: &mut Inflow) -> Self {
        Self {
            cost: inflow.held,
            items: inflow.items.len(),
            is_waiting: inflow.is_waiting,
            assembly: inflow.assembly.take(),
        }
    }
}

/// How much to grant where at least so much is missing that it is worth a frame.
fn due(target: u64, granted: u64, least: u64) -> u32 {
    let missing = target.saturating_sub(granted);
    if missing >= least { u32::try_from(missing).unwrap_or(u32::MAX) } else { 0 }
}

impl Connection {
    pub(super) fn receive_credit(&mut self, id: StreamId, payload: &[u8], now: Instant) -> Result<(), Fatal> {
        let more = u64::from(parse_u32(payload).map_err(protocol)?);
        if more == 0 {
            spend(&mut self.pings, now, CloseCode::Protocol, "credit frames came that grant nothing")?;
        }
        let granted = if id == StreamId::CONNECTION {
            &mut self.granted_out
        } else {
            match self.live(id)? {
                Some(stream) => &mut stream.outflow.granted,
                None => return Ok(()),
            }
        };
        *granted += more;
        // Far above any window, far below what would overflow.
        if *granted > 1 << 40 {
            return Err(Fatal::new(CloseCode::FlowControl, "more credit came than there can be"));
        }
        if id == StreamId::CONNECTION {
            if !self.ready.is_empty() {
                self.wake_writer();
            }
        } else {
            self.make_ready(id);
        }
        Ok(())
    }

    /// Books a DATA frame that has arrived on the connection.
    pub(super) fn charge_connection(&mut self, cost: u64) -> Result<(), Fatal> {
        self.inflow.granted = self.inflow.granted.checked_sub(cost).ok_or_else(over)?;
        Ok(())
    }

    /// Grants more on the connection where it is due.
    pub(super) fn grant_connection(&mut self) {
        let more = self.inflow.due();
        if more > 0 && self.closed.is_none() {
            self.inflow.granted += u64::from(more);
            self.send_control(FrameKind::Credit, StreamId::CONNECTION, &more.to_le_bytes());
        }
    }

    /// Grants more to a call where it is due.
    pub(super) fn grant_stream(&mut self, id: StreamId) {
        let size = u64::from(self.config.settings.stream_window_bytes);
        let Some(Stream { inflow, .. }) = self.stream(id) else { return };
        if inflow.ended || inflow.outcome.is_some() {
            return;
        }
        // A sender waits for credit for the announced length too, be it sent or not.
        let target = inflow.target(size, START_COST);
        // A message that was admitted must not stop for want of the last few bytes.
        let is_admitted = inflow.assembly.as_ref().is_some_and(|assembly| assembly.admitted);
        let least = match is_admitted {
            true if inflow.granted < size / 2 => 1,
            true => ADMITTED_WINDOW_BYTES / 8,
            false => size / 2,
        };
        let more = due(target, inflow.granted, least);
        if more > 0 {
            inflow.granted += u64::from(more);
            self.send_control(FrameKind::Credit, id, &more.to_le_bytes());
        }
    }

    /// Keeps an item until somebody takes it.
    pub(super) fn hold(&mut self, id: StreamId, item: Item) {
        let Some(stream) = self.stream(id) else { return };
        let cost = item.cost;
        stream.inflow.held += cost;
        stream.inflow.items.push_back(item);
        let waker = stream.inflow.waker.take();
        self.wake(waker);
        self.inflow.held += cost;
        self.inflow.items += 1;
    }

    /// Moves all items that are kept to `out`, and grants as much again where it is due.
    pub(super) fn unhold(&mut self, id: StreamId, out: &mut VecDeque<ItemBatch>) {
        let Some(Stream { inflow, .. }) = self.stream(id) else { return };
        let held = std::mem::take(&mut inflow.held);
        let items = inflow.items.len();
        let Some(batches) = inflow.items.drain() else { return };
        let (batches, bytes) = (batches.map(|item| item.batch), usize::try_from(held).unwrap_or(usize::MAX));
        if items > 1 && bytes < items * SHORT_BYTES {
            // Nobody counts them any more, however long it takes to work on them: each must not keep the read that it came with all the while.
            out.push_back(ItemBatch::joined(batches, bytes));
        } else {
            out.extend(batches);
        }
        self.inflow.held -= held;
        self.inflow.items -= items;
        self.grant_stream(id);
        self.grant_connection();
    }

    /// Lets a message that comes in parts wait for room; where there is room it does not wait.
    pub(super) fn admit(&mut self, id: StreamId) {
        let Some(stream) = self.stream(id) else { return };
        // An earlier message of the call may have been complete before its turn came, and left its place in the line.
        if !std::mem::replace(&mut stream.inflow.is_waiting, true) {
            self.waiting.push_back(id);
        }
        self.admit_waiting();
    }

    /// Tells whether a message of this length is admitted at once.
    pub(super) fn has_room(&self, total: usize) -> bool {
        self.waiting.is_empty() && self.inflow.has_room(total)
    }

    /// Gives up the room of a message that is complete or will never be.
    pub(super) fn end_assembly(&mut self, assembly: &Assembly) {
        if assembly.admitted {
            self.inflow.reserved -= assembly.total as u64;
        }
        self.admit_waiting();
    }

    /// Admits messages in their order while there is room; one message has room always, so the line moves.
    fn admit_waiting(&mut self) {
        while let Some(id) = self.waiting.front().copied() {
            let Some(Stream { inflow, .. }) = self.stream(id) else {
                self.waiting.pop_front();
                continue;
            };
            let Some(total) = inflow.assembly.as_ref().map(|assembly| assembly.total) else {
                // A message that was complete in the meantime just leaves the line.
                inflow.is_waiting = false;
                self.waiting.pop_front();
                continue;
            };
            if !self.inflow.has_room(total) {
                return;
            }
            self.inflow.reserved += total as u64;
            self.waiting.pop_front();
            if let Some(Stream { inflow, .. }) = self.stream(id)
                && let Some(assembly) = &mut inflow.assembly
            {
                inflow.is_waiting = false;
                assembly.admitted = true;
                assembly.held = 0;
                assembly.buffer.reserve_exact(assembly.rest_bytes());
                self.grant_stream(id);
            }
        }
    }

    /// Gives back all that a call held that was removed.
    pub(super) fn release(&mut self, id: StreamId, held: Held) {
        if held.is_nothing() {
            return;
        }
        self.inflow.held -= held.cost;
        self.inflow.items -= held.items;
        if held.is_waiting {
            self.waiting.retain(|waiting| *waiting != id);
            self.admit_waiting();
        }
        if let Some(assembly) = held.assembly {
            self.end_assembly(&assembly);
        }
        self.grant_connection();
    }
}

pub(super) fn over() -> Fatal {
    Fatal::new(CloseCode::FlowControl, "more data came than was granted")
}
