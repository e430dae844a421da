//! Where a handler runs: in place, polled by the task that has read its call, or in a task of its own.
//!
//! A task costs more than many a handler. A handler that computes for long, on the other hand, would hold up all other calls of its
//! connection. So each method starts in tasks, is measured there, and runs in place once it has proved quick; a handler that has to
//! wait is moved to a task whatever its method, and one that is slow for once sends its method back to tasks for long.

use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use rpc_core::MethodId;

/// Up to here a poll counts as quick: about what starting a task on another thread costs.
const QUICK: Duration = Duration::from_micros(10);
/// So many quick polls in a row prove a method quick.
const PROOF: i32 = 16;
/// A slow poll has to be made up for by so many quick ones.
const PENALTY: i32 = 4096;
/// After so long in place, the rest of what one read brought goes to tasks.
const IN_PLACE_MAX: Duration = Duration::from_micros(200);
/// Methods share what is known of them where their ids fall together, which errs towards tasks.
const ENTRIES: usize = 256;

/// What is known of the methods of a server.
pub(super) struct Placement {
    quick_polls: [AtomicI32; ENTRIES],
}

impl Placement {
    pub(super) fn new() -> Self {
        Self { quick_polls: [const { AtomicI32::new(0) }; ENTRIES] }
    }

    fn entry(&self, method: MethodId) -> &AtomicI32 {
        // The low byte of a hash is as good as any.
        &self.quick_polls[usize::from(method.as_u64().to_le_bytes()[0])]
    }

    /// Tells whether a method has proved quick.
    pub(super) fn is_quick(&self, method: MethodId) -> bool {
        self.entry(method).load(Ordering::Relaxed) >= PROOF
    }

    /// Learns how long the first poll of a handler took. Calls that cross may undo each other's count; the next ones mend that.
    pub(super) fn took(&self, method: MethodId, time: Duration) {
        let entry = self.entry(method);
        let known = entry.load(Ordering::Relaxed);
        let learned = if time > QUICK { -PENALTY } else { (known + 1).min(PROOF) };
        if learned != known {
            entry.store(learned, Ordering::Relaxed);
        }
    }
}

/// How long handlers have run in place since the last read.
pub(super) struct InPlace {
    since: Instant,
}

impl InPlace {
    pub(super) fn new() -> Self {
        Self { since: Instant::now() }
    }

    /// Starts anew with what the next read brought.
    pub(super) fn restart(&mut self, now: Instant) {
        self.since = now;
    }

    /// Tells whether there is time for another handler.
    pub(super) fn has_time(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) < IN_PLACE_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHOD: MethodId = MethodId::new(7);

    #[test]
    fn a_method_proves_quick_and_loses_that_by_one_slow_poll() {
        let placement = Placement::new();
        for _ in 0..PROOF {
            assert!(!placement.is_quick(METHOD));
            placement.took(METHOD, QUICK);
        }
        assert!(placement.is_quick(METHOD));
        assert!(!placement.is_quick(MethodId::new(8)));
        placement.took(METHOD, 2 * QUICK);
        for _ in 0..PENALTY + PROOF {
            assert!(!placement.is_quick(METHOD));
            placement.took(METHOD, Duration::ZERO);
        }
        assert!(placement.is_quick(METHOD));
    }

    #[test]
    fn what_one_read_brought_has_so_much_time_in_place() {
        let start = Instant::now();
        let mut in_place = InPlace { since: start };
        assert!(in_place.has_time(start));
        assert!(!in_place.has_time(start + IN_PLACE_MAX));
        in_place.restart(start + IN_PLACE_MAX);
        assert!(in_place.has_time(start + IN_PLACE_MAX));
    }
}
