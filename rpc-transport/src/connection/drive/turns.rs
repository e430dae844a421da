//! When the task of a connection lets others have their turn.

use std::task::Context;

use super::Driver;

/// So often a connection is read in a row while other tasks wait for their turn.
pub(super) const READS_MAX: u32 = 2;

impl Driver {
    /// Lets other tasks have their turn, if any wait for it. Waking itself wakes another thread, too, which minds the link meanwhile: one that
    /// runs a long handler does not.
    pub(super) fn gives_turn(&mut self, cx: &Context<'_>) -> bool {
        let is_time = self.others_wait && (self.reads >= READS_MAX || !self.pending.is_empty());
        if is_time {
            self.others_had_turn();
            cx.waker().wake_by_ref();
        }
        is_time
    }

    pub(super) fn others_had_turn(&mut self) {
        (self.others_wait, self.reads) = (false, 0);
        self.events.others_had_turn();
    }

    /// Wakes the next of those whose answers were read, and lets them have their turn; what they send is written before others are woken.
    pub(super) fn wakes_more(&mut self, cx: &Context<'_>) -> bool {
        let has_more = !self.wakes.0.is_empty();
        if has_more {
            self.wakes.wake_portion();
            self.others_had_turn();
            self.may_take = true;
            cx.waker().wake_by_ref();
        }
        has_more
    }
}
