//! One call on a connection: what has come in and what waits to go out.

use std::task::Waker;
use std::time::Instant;

use bytes::Bytes;

use super::line::Line;
use super::{Incoming, Reply};
use crate::{Error, ItemBatch, Metadata, MethodId, ServerTimes, Status};

/// A call, on either side.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) role: Role,
    pub(super) inflow: Inflow,
    pub(super) outflow: Outflow,
}

/// Which end of the call this is, and how far its head has come.
#[derive(Debug)]
pub(super) enum Role {
    /// This side opened the call.
    Opened {
        /// Where the OPEN frame starts in all that is ever sent.
        sent_at: u64,
        reply: ReplyState,
        /// Nobody waits for the call: it only keeps its slot until the peer is done.
        detached: bool,
    },
    /// The peer opened the call.
    Accepted {
        /// What is known while the arguments are still coming in.
        head: Option<Box<Incoming>>,
        replied: bool,
        method: MethodId,
        since: Instant,
    },
}

#[derive(Debug)]
pub(super) enum ReplyState {
    Awaited,
    /// The first part is here, the rest is being put together.
    Assembling(Box<ReplyHead>),
    Here(Reply),
    Taken,
}

#[derive(Debug)]
pub(super) struct ReplyHead {
    pub(super) metadata: Metadata,
    pub(super) codec: u8,
    pub(super) failed: bool,
    pub(super) compressed: bool,
    pub(super) times: Option<ServerTimes>,
}

/// What comes in.
#[derive(Debug, Default)]
pub(super) struct Inflow {
    pub(super) items: Line<Item>,
    pub(super) assembly: Option<Box<Assembly>>,
    /// What the peer may still send.
    pub(super) granted: u64,
    /// What the items cost that nobody has taken yet.
    pub(super) held: u64,
    /// It stands in the connection's line of messages that wait for room.
    pub(super) is_waiting: bool,
    /// The peer has sent its last.
    pub(super) ended: bool,
    /// How the call ended, once it has.
    pub(super) outcome: Option<Result<(), Error>>,
    pub(super) waker: Option<Waker>,
}

/// The items of one frame, or one that came in several.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) batch: ItemBatch,
    pub(super) cost: u64,
}

/// A message that comes in several frames.
#[derive(Debug)]
pub(super) struct Assembly {
    pub(super) total: usize,
    pub(super) buffer: Vec<u8>,
    /// There is room for all of it, so all that it costs is granted.
    pub(super) admitted: bool,
    /// What its frames cost while it was not admitted.
    pub(super) held: u64,
    /// It is the arguments or the result, not an item.
    pub(super) is_head: bool,
}

/// What goes out.
#[derive(Debug, Default)]
pub(super) struct Outflow {
    pub(super) queue: Line<Outgoing>,
    /// What this side may still send.
    pub(super) granted: u64,
    /// This side has said, or will say once the queue is empty, that it sends no more.
    pub(super) ended: bool,
    /// How this direction ends once the queue is empty.
    pub(super) finish: Option<Box<Finish>>,
    /// It stands in the connection's list of calls that have something to send.
    pub(super) is_ready: bool,
    pub(super) waker: Option<Waker>,
}

/// A message of which at least a part has not been sent.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) rest: Bytes,
    pub(super) started: bool,
    /// The frame that ends the message ends the direction too.
    pub(super) last: bool,
}

#[derive(Debug)]
pub(super) enum Finish {
    End,
    Status(Status, Option<ServerTimes>),
}

impl Stream {
    pub(super) fn new(role: Role, granted_in: u32, granted_out: u32) -> Self {
        let inflow = Inflow { granted: granted_in.into(), ..Inflow::default() };
        let outflow = Outflow { granted: granted_out.into(), ..Outflow::default() };
        Self { role, inflow, outflow }
    }
}

/// What the peer may be ahead of this side with a message that was admitted: enough for 40 MiB/s over a distance of 100 ms, little enough
/// for small calls not to wait long behind what fills the buffers between the two.
pub(super) const ADMITTED_WINDOW_BYTES: u64 = 4 << 20;

impl Assembly {
    /// What is still to come.
    #[expect(clippy::arithmetic_side_effects, reason = "a part that goes beyond the total is refused")]
    pub(super) fn rest_bytes(&self) -> usize {
        self.total - self.buffer.len()
    }
}

impl Inflow {
    /// What the peer should be able to send: a window less what is kept of it, and the next part of a message that was admitted.
    ///
    /// The message does not wait for the reader of the items before it: it takes room that others wait for.
    #[expect(clippy::arithmetic_side_effects, reason = "a window and a message's length are u32 on the wire")]
    pub(super) fn target(&self, window: u64, frame_cost: u64) -> u64 {
        let free = window.saturating_sub(self.held);
        match &self.assembly {
            Some(assembly) if assembly.admitted => {
                let rest = assembly.rest_bytes() as u64;
                free + (rest + frame_cost * (rest / (16 << 10) + 1)).min(ADMITTED_WINDOW_BYTES)
            }
            Some(assembly) => free.saturating_sub(assembly.held),
            None => free,
        }
    }
}

impl ReplyHead {
    /// Adds the result, now that it is whole.
    pub(super) fn with(self, message: Bytes, items: bool) -> ReplyState {
        let Self { metadata, codec, failed, compressed, times } = self;
        ReplyState::Here(Reply { metadata, codec, failed, message, compressed, items, times })
    }
}
