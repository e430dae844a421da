//! Messages that come in parts: put together, then passed on as if they had come whole.

use bytes::Bytes;

use super::credit::frame_cost;
use super::receive::protocol;
use super::stream::{Assembly, Item, ReplyState, Role};
use super::{Connection, Event, Fatal, Incoming, StreamId};
use crate::wire::Flags;
use crate::{ItemBatch, buffers};

impl Connection {
    /// Takes the first part of a message that goes on.
    pub(super) fn start_message(
        &mut self,
        id: StreamId,
        flags: Flags,
        total: u32,
        payload: &[u8],
        is_head: bool,
    ) -> Result<(), Fatal> {
        let total = total as usize;
        if payload.len() >= total || flags.has(Flags::END) {
            return Err(protocol("a message goes on that was complete"));
        }
        // The memory for the whole is taken when there is room for it; until then only for what is here.
        let held = if is_head { payload.len() as u64 } else { frame_cost(payload.len()) };
        let mut buffer = buffers::take(if self.has_room(total) { total } else { payload.len() });
        buffer.extend_from_slice(payload);
        let assembly = Assembly { total, buffer, admitted: false, held, is_head };
        if let Some(stream) = self.stream(id) {
            stream.inflow.assembly = Some(Box::new(assembly));
        }
        self.admit(id);
        Ok(())
    }

    /// Takes a further part.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "what is held was granted, by windows that are u32 on the wire"
    )]
    pub(super) fn continue_message(
        &mut self,
        id: StreamId,
        flags: Flags,
        payload: &[u8],
        cost: u64,
    ) -> Result<(), Fatal> {
        let Some(stream) = self.stream(id) else { return Ok(()) };
        let Some(assembly) = &mut stream.inflow.assembly else { return Ok(()) };
        let left = assembly.rest_bytes();
        let is_whole = !flags.has(Flags::MORE);
        if payload.len() > left || is_whole != (payload.len() == left) {
            return Err(protocol("the parts of a message do not add up to its length"));
        }
        assembly.buffer.extend_from_slice(payload);
        if !assembly.admitted {
            assembly.held += cost;
        }
        if is_whole {
            self.complete_message(id, flags.has(Flags::END));
        } else if flags.has(Flags::END) {
            return Err(protocol("a stream ended within a message"));
        }
        self.grant_stream(id);
        Ok(())
    }

    fn complete_message(&mut self, id: StreamId, last: bool) {
        let Some(stream) = self.stream(id) else { return };
        let Some(assembly) = stream.inflow.assembly.take() else { return };
        self.end_assembly(&assembly);
        let Assembly { buffer, is_head, .. } = *assembly;
        let message = buffers::freeze(buffer);
        if is_head {
            return self.complete_head(id, message, last);
        }
        let cost = frame_cost(message.len());
        self.hold(id, Item { batch: ItemBatch::one(message), cost });
        if last {
            self.end_inflow(id, None);
        }
    }

    /// The arguments or the result were put together.
    fn complete_head(&mut self, id: StreamId, message: Bytes, last: bool) {
        let Some(stream) = self.stream(id) else { return };
        match &mut stream.role {
            Role::Accepted { head, .. } => {
                stream.inflow.ended = last;
                if let Some(incoming) = head.take() {
                    self.events.push_back(Event::Call(Incoming { message, items: !last, ..*incoming }));
                }
            }
            Role::Opened { reply, .. } => {
                if let ReplyState::Assembling(head) = std::mem::replace(reply, ReplyState::Taken) {
                    *reply = head.with(message, !last);
                }
                self.replied(id);
            }
        }
    }
}
