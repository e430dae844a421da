//! How many calls may be made again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::timeout::now;

/// What is deposited lives for so many slices of a second.
const SLICES: usize = 10;

/// How many calls to one destination may be made again: a share of all calls, and so many a second beside; cloning shares it.
///
/// After Finagle's `RetryBudget`: what the calls of the last ten seconds have brought in can be spent, less what was spent in these
/// seconds; what is older is forgotten. So a destination that fails gets at most that much more load, whatever happens to it.
///
/// ```
/// use rpc_layers::{Budget, Retry};
/// let budget = Budget::new(10, 5);
/// let (one, other) = (Retry::new().budget(budget.clone()), Retry::new().budget(budget));
/// # let _ = (one, other);
/// ```
#[derive(Clone, Debug)]
pub struct Budget {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    percent: u32,
    per_second: u32,
    start: Instant,
    /// Calls by slice: the slice's number in the upper half, how many in the lower.
    calls: [AtomicU64; SLICES],
    /// Repetitions by slice: its number, and how many.
    spent: Mutex<[(u32, u32); SLICES]>,
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(20, 10)
    }
}

impl Budget {
    /// Allows repetitions of so many per cent of the calls, and so many a second beside.
    ///
    /// Default: 20 % and 10. Too much lets callers bring a struggling peer down; too little fails calls that a second try would save. The
    /// second number is for callers that make few calls; ten seconds of it may be spent at once.
    pub fn new(percent: u32, per_second: u32) -> Self {
        let inner = Inner {
            percent,
            per_second,
            start: now(),
            calls: std::array::from_fn(|_| AtomicU64::new(0)),
            spent: Mutex::new([(0, 0); SLICES]),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Returns how many repetitions it would allow now.
    pub fn balance(&self) -> u32 {
        let spent = self.inner.spent.lock().unwrap_or_else(PoisonError::into_inner);
        u32::try_from(self.inner.credit_percent(self.inner.slice(), &spent) / 100).unwrap_or(u32::MAX)
    }

    /// Counts a call.
    pub(crate) fn deposit(&self) {
        let slice = self.inner.slice();
        let Some(calls) = self.inner.calls.get(place(slice)) else { return };
        let seen = calls.load(Ordering::Relaxed);
        if slice_of(seen) < slice {
            // Whoever comes second to a new slice finds it started, and adds to it.
            let first = calls.compare_exchange(seen, pack(slice, 1), Ordering::Relaxed, Ordering::Relaxed);
            if first.is_ok() {
                return;
            }
        }
        calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Pays for a repetition, if there is enough for all of it.
    pub(crate) fn withdraw(&self, cost: u32) -> bool {
        let slice = self.inner.slice();
        let mut spent = self.inner.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if self.inner.credit_percent(slice, &spent) < u64::from(cost).saturating_mul(100) {
            return false;
        }
        if let Some(entry) = spent.get_mut(place(slice)) {
            if entry.0 != slice {
                *entry = (slice, 0);
            }
            entry.1 = entry.1.saturating_add(cost);
        }
        true
    }
}

impl Inner {
    /// The number of the present slice.
    fn slice(&self) -> u32 {
        let since = now().saturating_duration_since(self.start).as_secs();
        u32::try_from(since).unwrap_or(u32::MAX)
    }

    /// What may be spent, in hundredths of a repetition.
    fn credit_percent(&self, slice: u32, spent: &[(u32, u32); SLICES]) -> u64 {
        let lives = |of: u32| (slice.saturating_sub(of) as usize) < SLICES;
        let calls = self.calls.iter().map(|calls| calls.load(Ordering::Relaxed));
        let calls: u64 =
            calls.filter(|calls| lives(slice_of(*calls))).map(|calls| u64::from(count_of(calls))).sum();
        let spent: u64 = spent.iter().filter(|(of, _)| lives(*of)).map(|(_, cost)| u64::from(*cost)).sum();
        let floor = u64::from(self.per_second).saturating_mul(SLICES as u64).saturating_mul(100);
        let share = calls.saturating_mul(u64::from(self.percent));
        floor.saturating_add(share).saturating_sub(spent.saturating_mul(100))
    }
}

fn place(slice: u32) -> usize {
    slice as usize % SLICES
}

fn pack(slice: u32, count: u32) -> u64 {
    u64::from(slice) << 32 | u64::from(count)
}

fn slice_of(packed: u64) -> u32 {
    (packed >> 32) as u32
}

fn count_of(packed: u64) -> u32 {
    packed as u32
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    fn spend_all(budget: &Budget, cost: u32) -> u32 {
        (0..).take_while(|_| budget.withdraw(cost)).count() as u32
    }

    #[tokio::test(start_paused = true)]
    async fn a_fifth_of_the_calls_and_ten_a_second_are_repeated_and_not_one_more() {
        let budget = Budget::default();
        (0..1_000).for_each(|_| budget.deposit());
        assert_eq!(budget.balance(), 300);
        assert_eq!(spend_all(&budget, 1), 300);
        assert_eq!(budget.balance(), 0);
        (0..4).for_each(|_| budget.deposit());
        assert!(!budget.withdraw(1), "four fifths of a repetition are none");
        budget.deposit();
        assert!(budget.withdraw(1));
        assert!(!budget.withdraw(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_out_costs_twice() {
        let budget = Budget::new(20, 0);
        (0..105).for_each(|_| budget.deposit());
        assert_eq!(spend_all(&budget, 2), 10);
        assert_eq!(spend_all(&budget, 1), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_count_for_ten_seconds() {
        let budget = Budget::new(20, 0);
        (0..10).for_each(|_| budget.deposit());
        advance(Duration::from_secs(5)).await;
        (0..20).for_each(|_| budget.deposit());
        assert_eq!(budget.balance(), 6);
        advance(Duration::from_secs(5)).await;
        assert_eq!(budget.balance(), 4);
        advance(Duration::from_secs(5)).await;
        assert_eq!(budget.balance(), 0);
        budget.deposit();
        advance(Duration::from_secs(1 << 33)).await;
        assert_eq!(budget.balance(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_spent_is_forgotten_as_what_was_earned_is() {
        let budget = Budget::new(0, 1);
        assert_eq!(spend_all(&budget, 1), 10);
        advance(Duration::from_millis(9_999)).await;
        assert_eq!(spend_all(&budget, 1), 0);
        advance(Duration::from_millis(1)).await;
        assert_eq!(spend_all(&budget, 1), 10);
    }

    #[test]
    fn no_call_is_lost_between_threads() {
        let budget = Budget::new(100, 0);
        std::thread::scope(|scope| {
            (0..4).for_each(|_| {
                scope.spawn(|| (0..10_000).for_each(|_| budget.deposit()));
            });
        });
        // They take far less than the ten seconds for which they count.
        assert_eq!(budget.balance(), 40_000);
    }
}
