//! When the link took the first byte of a call.
//!
//! Mostly it does so right after the call was opened, and nothing is noted. What had to wait does so for one of two reasons, and both are
//! rare enough for a look at the clock: the link took no more, or the peer was silent for so long that the call was held back.

use std::collections::VecDeque;
use std::time::Instant;

use super::stream::Role;
use super::{Connection, StreamId};
use crate::timeline::Sent;

/// So many waits are remembered: a call that has waited for its answer through more of them counts as sent at once.
const WAITS_MAX: usize = 16;

/// What the link has made wait.
#[derive(Debug, Default)]
pub(super) struct Writing {
    /// Where the first byte stands, in all that is ever sent, that the link does not take.
    stuck_at: Option<u64>,
    waits: VecDeque<Wait>,
}

/// Bytes that went out together, later than they could have.
#[derive(Debug)]
struct Wait {
    from: u64,
    until: u64,
    ended_at: Instant,
}

impl Writing {
    fn went_on(&mut self, from: u64, until: u64, now: Instant) {
        if from < until {
            self.waits.truncate(WAITS_MAX.saturating_sub(1));
            self.waits.push_front(Wait { from, until, ended_at: now });
        }
    }
}

impl Connection {
    /// Notes that the link takes no more for now, of what was taken for it; `unwritten` bytes of that are left.
    pub fn write_stalled(&mut self, unwritten: usize) {
        self.writing.stuck_at = Some(self.written(unwritten));
    }

    /// Notes that the link has taken more after it had [stalled](Self::write_stalled): what was opened meanwhile has waited too.
    pub fn write_went_on(&mut self, now: Instant) {
        if let Some(from) = self.writing.stuck_at.take() {
            self.released(from, now);
        }
    }

    fn written(&self, unwritten: usize) -> u64 {
        self.outbox.taken_bytes().saturating_sub(unwritten as u64)
    }

    /// Notes that frames go out, all that there are from there on, that were held back.
    pub(super) fn released(&mut self, from: u64, now: Instant) {
        let until = self.outbox.position();
        self.writing.went_on(from, until, now);
    }

    /// Returns when the link took the first byte of a call that was opened here and has not been forgotten.
    pub fn sent(&self, id: StreamId) -> Sent {
        let Some(Role::Opened { sent_at, .. }) = self.opened.look_up(id).map(|stream| &stream.role) else {
            return Sent::Unknown;
        };
        let is_stuck = self.writing.stuck_at.is_some_and(|stuck_at| *sent_at >= stuck_at);
        if is_stuck || *sent_at >= self.outbox.taken_bytes() {
            return Sent::Not;
        }
        let had_waited = |wait: &&Wait| (wait.from..wait.until).contains(sent_at);
        self.writing.waits.iter().find(had_waited).map_or(Sent::AtOnce, |wait| Sent::At(wait.ended_at))
    }
}
