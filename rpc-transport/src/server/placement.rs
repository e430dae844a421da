//! Where a handler runs: in place, polled by the task that has read its call, or in a task of its own.
//!
//! A task costs more than many a handler. A handler that computes for long, on the other hand, would hold up all other calls of its
//! connection. So each method has an account of time: a poll pays in what starting a task would have cost, and takes out what it took.
//! A method starts in tasks, is measured there, and runs in place once it has saved enough; one that is slow on average never does. A
//! single slow poll costs a method that is quick otherwise its savings and no more: on a busy machine a thread that is preempted within
//! a handler looks just like a slow handler. A handler that has to wait is moved to a task whatever its method.
//!
//! What this cannot see ahead is the one call of a quick method that blocks its thread: it holds up its connection, in both directions, that
//! one time.

use std::pin::Pin;
use std::sync::atomic::{AtomicI32, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;
use rpc_core::MethodId;

use crate::clock::now;

/// What a poll pays in: about what starting a task on another thread costs.
const ALLOWANCE_NANOS: i32 = 10_000;
/// What a method must have saved to run in place: it has proved quick in 16 polls at least.
const PROOF_NANOS: i32 = 16 * ALLOWANCE_NANOS;
/// More is not saved: a method that turns slow is back in tasks after one poll of so long.
const SAVED_NANOS_MAX: i32 = 20_000_000;
/// More is not owed: so much is made up for by some 4,000 quick polls.
const OWED_NANOS_MAX: i32 = 40_000_000;
/// After so long in place, answers are written and other tasks have their turn, before the rest of what one read brought.
const IN_PLACE_MAX: Duration = Duration::from_micros(200);
/// Methods share an account where their ids fall together, which errs towards tasks.
const ENTRIES: usize = 256;

/// The accounts of a server's methods.
pub(super) struct Placement {
    saved_nanos: [AtomicI32; ENTRIES],
}

impl Placement {
    pub(super) fn new() -> Self {
        Self { saved_nanos: [const { AtomicI32::new(0) }; ENTRIES] }
    }

    #[expect(clippy::indexing_slicing, reason = "there is an entry for each byte")]
    fn account(&self, method: MethodId) -> &AtomicI32 {
        // The low byte of a hash is as good as any.
        &self.saved_nanos[usize::from(method.as_u64().to_le_bytes()[0])]
    }

    /// Tells whether a method has proved quick.
    pub(super) fn is_quick(&self, method: MethodId) -> bool {
        self.account(method).load(Ordering::Relaxed) >= PROOF_NANOS
    }

    /// Learns how long the first poll of a handler took. Calls that cross may undo each other's entry; the next ones mend that.
    pub(super) fn took(&self, method: MethodId, time: Duration) {
        let account = self.account(method);
        let nanos = i32::try_from(time.as_nanos()).unwrap_or(i32::MAX);
        let saved = account.load(Ordering::Relaxed);
        let balance = saved.saturating_add(ALLOWANCE_NANOS).saturating_sub(nanos);
        let balance = balance.clamp(-OWED_NANOS_MAX, SAVED_NANOS_MAX);
        if balance != saved {
            account.store(balance, Ordering::Relaxed);
        }
    }
}

pin_project! {
    /// A future whose first poll is measured.
    pub(super) struct Measure<'p, F> {
        #[pin]
        future: F,
        placement: Option<(&'p Placement, MethodId, Instant)>,
    }
}

/// Measures the first poll of a handler that runs in a task and starts now. Just the handler: sending its answer wakes another task there,
/// which may take longer than a quick handler and would keep it from proving so.
pub(super) fn measure<F: Future>(
    placement: &Placement,
    method: MethodId,
    started_at: Instant,
    future: F,
) -> Measure<'_, F> {
    Measure { future, placement: Some((placement, method, started_at)) }
}

impl<F: Future> Future for Measure<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some((placement, method, started_at)) = this.placement.take() else {
            return this.future.poll(cx);
        };
        let poll = this.future.poll(cx);
        placement.took(method, now().saturating_duration_since(started_at));
        poll
    }
}

/// How long handlers have run in place since other tasks had their turn.
pub(super) struct InPlace {
    spent: Duration,
    /// When the last of them was done: the next starts then, which saves a look at the clock.
    now: Instant,
}

impl InPlace {
    /// Starts with no time spent.
    pub(super) fn new() -> Self {
        Self { spent: Duration::ZERO, now: now() }
    }

    /// Others have had their turn.
    pub(super) fn start_over(&mut self) {
        self.spent = Duration::ZERO;
    }

    /// Goes on after other work, which does not count.
    pub(super) fn resume(&mut self) {
        self.now = now();
    }

    /// Returns when the next handler starts.
    pub(super) fn now(&self) -> Instant {
        self.now
    }

    /// Returns the time since this was asked last.
    pub(super) fn lap(&mut self) -> Duration {
        let last = std::mem::replace(&mut self.now, now());
        let lap = self.now.saturating_duration_since(last);
        self.spent = self.spent.saturating_add(lap);
        lap
    }

    /// Tells whether others should have their turn.
    pub(super) fn is_time_up(&self) -> bool {
        self.spent >= IN_PLACE_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHOD: MethodId = MethodId::new(7);

    const ALLOWANCE: Duration = Duration::from_nanos(ALLOWANCE_NANOS as u64);

    fn poll(placement: &Placement, times: usize, took: Duration) {
        for _ in 0..times {
            placement.took(METHOD, took);
        }
    }

    #[test]
    fn a_method_proves_quick_in_sixteen_polls() {
        let placement = Placement::new();
        poll(&placement, 15, Duration::ZERO);
        assert!(!placement.is_quick(METHOD));
        poll(&placement, 1, Duration::ZERO);
        assert!(placement.is_quick(METHOD));
        assert!(!placement.is_quick(MethodId::new(8)));
    }

    #[test]
    fn a_method_that_is_slow_on_average_never_proves_quick() {
        let placement = Placement::new();
        for _ in 0..10_000 {
            poll(&placement, 9, Duration::ZERO);
            poll(&placement, 1, 11 * ALLOWANCE);
            assert!(!placement.is_quick(METHOD));
        }
    }

    #[test]
    fn one_preempted_poll_in_many_quick_ones_does_not_make_a_method_slow() {
        let placement = Placement::new();
        poll(&placement, 1_000, ALLOWANCE / 5);
        for _ in 0..10_000 {
            poll(&placement, 1, Duration::from_millis(3));
            assert!(placement.is_quick(METHOD));
            poll(&placement, 500, ALLOWANCE / 5);
        }
    }

    #[test]
    fn a_long_poll_sends_a_method_back_to_tasks_for_thousands_of_calls() {
        let placement = Placement::new();
        poll(&placement, 100_000, Duration::ZERO);
        poll(&placement, 1, Duration::from_secs(3600));
        poll(&placement, 4_000, Duration::ZERO);
        assert!(!placement.is_quick(METHOD));
        poll(&placement, 16, Duration::ZERO);
        assert!(placement.is_quick(METHOD));
    }

    #[test]
    fn others_have_their_turn_after_so_long_in_place() {
        let mut in_place = InPlace::new();
        assert!(!in_place.is_time_up());
        in_place.spent = IN_PLACE_MAX;
        assert!(in_place.is_time_up());
    }
}
