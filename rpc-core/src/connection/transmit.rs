//! What is written next: large messages in parts, in turn, as far as the peer has granted it.

use std::task::{Context, Poll};

use bytes::Bytes;

use super::calls::set_waker;
use super::credit::{START_COST, frame_cost};
use super::stream::Outgoing;
use super::{Connection, FrameHeader, FrameKind, StreamId, Transmit};
use crate::wire::{Flags, put_length};

/// How much is gathered for one write: enough to make writes rare, little enough for a small call not to wait long behind it.
pub(super) const GATHER_BYTES: usize = 128 * 1024;

/// The length of the whole message, before the first part of one that goes on.
pub(super) const TOTAL_BYTES: usize = 4;

impl Connection {
    /// Waits until there is something to write or the connection has ended, without taking anything: a writer that yields then
    /// finds more.
    pub fn poll_unsent(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.gather();
        if !self.outbox.can_be_taken() && self.closed.is_none() {
            set_waker(&mut self.writer, cx);
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Waits until there is something to write, and swaps it for `empty`.
    pub fn poll_transmit(&mut self, cx: &mut Context<'_>, empty: &mut Transmit) -> Poll<()> {
        self.gather();
        if !self.outbox.can_be_taken() {
            set_waker(&mut self.writer, cx);
            return Poll::Pending;
        }
        self.outbox.take(empty);
        let idle = self.idle.take();
        self.wake(idle);
        if std::mem::take(&mut self.wants_outbox) {
            self.slots_freed = usize::MAX;
        }
        Poll::Ready(())
    }

    /// Cuts parts off the messages that are queued, one of each call in turn.
    fn gather(&mut self) {
        while self.has_gathered_little() {
            let Some(id) = self.ready.pop_front() else { return };
            if !self.send_part(id) {
                // The connection as a whole has no credit: all calls keep their turn.
                return self.ready.push_front(id);
            }
        }
    }

    /// Tells whether more may be put into the outbox. Credit alone does not say so: a peer may grant without end and read nothing.
    pub(super) fn has_gathered_little(&self) -> bool {
        self.outbox.len() < GATHER_BYTES
    }

    /// Sends the next part of a call's first message; false where the connection has no credit for it.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "either credit is at least `least`, of which the start is a part; a part is shorter than its frame"
    )]
    fn send_part(&mut self, id: StreamId) -> bool {
        let (granted_out, chunk) = (self.granted_out, self.part_bytes(TOTAL_BYTES));
        let Some(stream) = self.stream(id) else { return true };
        let outflow = &mut stream.outflow;
        let Some(message) = outflow.queue.front_mut() else {
            outflow.is_ready = false;
            return true;
        };
        let total = message.rest.len();
        let least = least_credit(total);
        if outflow.granted < least {
            // It comes back with its credit.
            outflow.is_ready = false;
            return true;
        }
        if granted_out < least {
            return false;
        }
        let room = outflow.granted.min(granted_out) - START_COST;
        let part = message.rest.split_to(total.min(chunk).min(usize::try_from(room).unwrap_or(usize::MAX)));
        let is_whole = message.rest.is_empty();
        let announced = (!message.started && !is_whole).then_some(total);
        message.started = true;
        let flags = Flags::NONE.with_if(Flags::MORE, !is_whole).with_if(Flags::END, is_whole && message.last);
        self.spend_credit(id, part.len() + announced.map_or(0, |_| TOTAL_BYTES));
        self.send_data(id, flags, announced, &part);
        if is_whole {
            self.sent_message(id, flags.has(Flags::END));
        } else {
            self.ready.push_back(id);
        }
        true
    }

    /// A queued message is on its way as a whole: on with the next, or with how the direction ends.
    fn sent_message(&mut self, id: StreamId, was_last: bool) {
        if was_last {
            let waker = self.pop_message(id).and_then(|stream| stream.outflow.waker.take());
            self.wake(waker);
            return self.sent_last(id);
        }
        let Some(stream) = self.pop_message(id) else { return };
        let is_empty = stream.outflow.queue.is_empty();
        stream.outflow.is_ready = !is_empty;
        if !is_empty {
            return self.ready.push_back(id);
        }
        let (waker, finish) = (stream.outflow.waker.take(), stream.outflow.finish.take());
        self.wake(waker);
        if let Some(finish) = finish {
            self.send_finish(id, &finish);
        }
    }

    fn pop_message(&mut self, id: StreamId) -> Option<&mut super::stream::Stream> {
        let stream = self.stream(id)?;
        stream.outflow.queue.pop_front();
        stream.outflow.is_ready = false;
        Some(stream)
    }

    /// Queues a message behind those of its call.
    pub(super) fn enqueue(&mut self, id: StreamId, message: Outgoing) {
        let Some(stream) = self.stream(id) else { return };
        stream.outflow.queue.push_back(message);
        self.make_ready(id);
    }

    /// Puts a call that has something to send on the list.
    pub(super) fn make_ready(&mut self, id: StreamId) {
        let Some(stream) = self.stream(id) else { return };
        if !stream.outflow.queue.is_empty() && !stream.outflow.is_ready {
            stream.outflow.is_ready = true;
            self.ready.push_back(id);
            self.wake_writer();
        }
    }

    /// Pays for a DATA frame; false where there is not enough credit, and nothing is paid.
    #[expect(clippy::arithmetic_side_effects, reason = "both were held against the cost right before")]
    pub(super) fn spend_credit(&mut self, id: StreamId, bytes: usize) -> bool {
        let cost = frame_cost(bytes);
        let granted_out = self.granted_out;
        let Some(stream) = self.stream(id) else { return false };
        if stream.outflow.granted < cost || granted_out < cost {
            return false;
        }
        stream.outflow.granted -= cost;
        self.granted_out -= cost;
        true
    }

    /// Appends a DATA frame that is paid for.
    pub(super) fn send_data(&mut self, id: StreamId, flags: Flags, announced: Option<usize>, part: &Bytes) {
        let header = FrameHeader::new(FrameKind::Data, id, 0).with_flags(flags);
        self.outbox.frame(
            header,
            |out| {
                if let Some(total) = announced {
                    put_length(out, total);
                }
            },
            part,
            &[],
        );
        self.wake_writer();
    }
}

/// The credit below which it is not worth sending a part: for 256 bytes, or for all the rest.
#[expect(clippy::arithmetic_side_effects, reason = "it is 276 at most")]
pub(super) fn least_credit(rest: usize) -> u64 {
    START_COST + rest.min(256) as u64
}
