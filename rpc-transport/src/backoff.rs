//! How long to wait before the next try.

use std::time::Duration;

/// Waits that grow with each try that fails, spread by chance so that many clients do not come back as one.
///
/// After gRPC's connection backoff (`grpc/doc/connection-backoff.md`), with a first step that suits a local network.
///
/// ```
/// use std::time::Duration;
/// use rpc_transport::Backoff;
/// let backoff = Backoff::default().first(Duration::from_millis(20)).cap(Duration::from_secs(5));
/// # let _ = backoff;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Backoff {
    first: Duration,
    factor: f64,
    jitter: f64,
    cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(100), factor: 1.6, jitter: 0.2, cap: Duration::from_secs(30) }
    }
}

impl Backoff {
    /// Sets the wait after the first failure. Default: 100 ms.
    pub fn first(mut self, first: Duration) -> Self {
        self.first = first;
        self
    }

    /// Sets by how much each wait is longer than the one before. Default: 1.6; less than 1 counts as 1.
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor.max(1.0);
        self
    }

    /// Sets how far a wait may be off by chance, as a share of it. Default: 0.2; from 0 to 1.
    pub fn jitter(mut self, jitter: f64) -> Self {
        self.jitter = jitter.clamp(0.0, 1.0);
        self
    }

    /// Sets the longest wait, before chance. Default: 30 s.
    pub fn cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// Returns the wait after so many failures in a row, given a number of chance from 0 to 1.
    pub(crate) fn after(&self, failures: u32, chance: f64) -> Duration {
        let steps = i32::try_from(failures.saturating_sub(1)).unwrap_or(i32::MAX);
        // Not infinite: no wait, times that, would be no number.
        let growth = self.factor.powi(steps).min(f64::MAX);
        let wait = (self.first.as_secs_f64() * growth).min(self.cap.as_secs_f64());
        Duration::try_from_secs_f64(wait * (1.0 + self.jitter * (2.0 * chance - 1.0))).unwrap_or(self.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap() {
        let backoff = Backoff::default();
        let waits: Vec<_> =
            [1, 2, 3, 20, u32::MAX].map(|failures| backoff.after(failures, 0.5).as_millis()).into();
        assert_eq!(waits, [100, 160, 256, 30_000, 30_000]);
    }

    #[test]
    fn no_wait_stays_none_however_often_a_try_fails() {
        let backoff = Backoff::default().first(Duration::ZERO);
        assert_eq!(backoff.after(u32::MAX, 0.5), Duration::ZERO);
    }

    #[test]
    fn chance_spreads_a_wait_by_a_fifth() {
        let backoff = Backoff::default();
        assert_eq!(backoff.after(1, 0.0).as_millis(), 80);
        assert_eq!(backoff.after(1, 1.0).as_millis(), 120);
    }
}
