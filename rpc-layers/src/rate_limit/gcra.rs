//! The generic cell rate algorithm (ITU-T I.371): one number says all that is needed to know.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// So many calls in a second, and so many at once.
///
/// ```
/// use rpc_layers::Quota;
/// let quota = Quota::per_second(100).burst(10);
/// assert_eq!(quota.to_string(), "100/s, 10 at once");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Quota {
    per_second: u32,
    burst: u32,
}

impl Quota {
    /// Allows so many calls a second, evenly spread, and as many at once; none counts as one.
    pub const fn per_second(calls: u32) -> Self {
        let calls = if calls == 0 { 1 } else { calls };
        Self { per_second: calls, burst: calls }
    }

    /// Sets how many calls may come at once after a pause. Default: those of a second; none counts as one.
    ///
    /// Too few refuse calls that come in groups; too many let a caller double its rate for a second.
    pub const fn burst(mut self, calls: u32) -> Self {
        self.burst = if calls == 0 { 1 } else { calls };
        self
    }

    /// Counts a call at `now`, given when the calls before it would have come at an even pace: gives the same with this call, or how
    /// long it must wait. All in nanoseconds.
    pub(super) fn decide(self, arrival: u64, now: u64) -> Result<u64, u64> {
        let pace = NANOS_PER_SECOND.checked_div(u64::from(self.per_second)).unwrap_or(NANOS_PER_SECOND);
        let tolerance = pace.saturating_mul(u64::from(self.burst).saturating_sub(1));
        let earliest = arrival.saturating_sub(tolerance);
        if earliest > now {
            Err(earliest.saturating_sub(now))
        } else {
            Ok(arrival.max(now).saturating_add(pace))
        }
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s, {} at once", self.per_second, self.burst)
    }
}

/// A quota in use by all threads.
#[derive(Debug)]
pub(super) struct Meter {
    quota: Quota,
    arrival: AtomicU64,
}

impl Meter {
    pub(super) fn new(quota: Quota) -> Self {
        Self { quota, arrival: AtomicU64::new(0) }
    }

    pub(super) fn quota(&self) -> Quota {
        self.quota
    }

    pub(super) fn take(&self, now: u64) -> Result<(), u64> {
        let mut arrival = self.arrival.load(Ordering::Relaxed);
        loop {
            let next = self.quota.decide(arrival, now)?;
            match self.arrival.compare_exchange_weak(arrival, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(seen) => arrival = seen,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: u64 = 1_000_000;

    #[test]
    fn a_burst_is_let_through_and_then_the_pace_holds() {
        let meter = Meter::new(Quota::per_second(100).burst(3));
        let at = |milliseconds: u64| meter.take(milliseconds * MILLISECOND);
        assert_eq!([at(0), at(0), at(0)], [Ok(()); 3]);
        assert_eq!(at(0), Err(10 * MILLISECOND));
        assert_eq!(at(9), Err(MILLISECOND));
        assert_eq!(at(10), Ok(()));
        assert_eq!(at(10), Err(10 * MILLISECOND));
        assert_eq!([at(1000), at(1000), at(1000)], [Ok(()); 3], "a pause earns one burst");
        assert_eq!(at(1000), Err(10 * MILLISECOND), "and no more");
    }

    #[test]
    fn who_waits_as_long_as_he_is_told_is_let_through() {
        let meter = Meter::new(Quota::per_second(7).burst(1));
        let mut now = 0;
        for _ in 0..1_000 {
            if let Err(wait) = meter.take(now) {
                now += wait;
                assert_eq!(meter.take(now), Ok(()));
            }
        }
    }

    #[test]
    fn as_many_pass_in_a_second_as_the_rate_says() {
        let meter = Meter::new(Quota::per_second(250).burst(1));
        let passed = (0..10_000).filter(|tick| meter.take(tick * MILLISECOND).is_ok()).count();
        assert_eq!(passed, 2_500);
    }

    #[test]
    fn extremes_do_not_overflow() {
        let quota = Quota::per_second(0).burst(u32::MAX);
        assert!(quota.decide(u64::MAX, 0).is_err());
        assert_eq!(quota.decide(u64::MAX, u64::MAX), Ok(u64::MAX));
        assert!(Quota::per_second(u32::MAX).burst(0).decide(0, 0).is_ok());
    }
}
