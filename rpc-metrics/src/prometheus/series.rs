//! Numbers that many threads add to.

use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{CounterFn, GaugeFn, HistogramFn};

/// A counter.
#[derive(Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl CounterFn for Count {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Ordering::Relaxed);
    }

    fn absolute(&self, value: u64) {
        self.0.fetch_max(value, Ordering::Relaxed);
    }
}

/// A gauge, and the sum of a histogram: the bits of a float.
#[derive(Default)]
pub(super) struct Level(AtomicU64);

impl Level {
    pub(super) fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }

    fn add(&self, value: f64) {
        let add = |bits| Some((f64::from_bits(bits) + value).to_bits());
        // It gives a value each time.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }
}

impl GaugeFn for Level {
    fn increment(&self, value: f64) {
        self.add(value);
    }

    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }
}

/// A histogram with bounds that are set once: its memory does not grow with what it is told, and nobody has to empty it.
pub(super) struct Buckets {
    bounds: &'static [f64],
    /// One for each bound, and one for what is above the last.
    counts: Box<[AtomicU64]>,
    sum: Level,
}

/// From 25 µs, what a call within a machine takes, to 30 s.
const SECONDS: &[f64] = &[
    0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
    2.5, 5.0, 10.0, 30.0,
];
/// From 64 B to 64 MiB, each four times the one before.
const BYTES: &[f64] =
    &[64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0, 16777216.0, 67108864.0];
const OTHERS: &[f64] =
    &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 10000.0, 100000.0, 1000000.0];

impl Buckets {
    /// Takes the bounds that go with the unit at the end of a name.
    pub(super) fn new(name: &str) -> Self {
        let bounds = match name.rsplit('_').next() {
            Some("seconds") => SECONDS,
            Some("bytes") => BYTES,
            _ => OTHERS,
        };
        let counts = std::iter::repeat_with(AtomicU64::default).take(bounds.len().saturating_add(1));
        Self { bounds, counts: counts.collect(), sum: Level::default() }
    }

    /// Returns each bound with how many values were no more than that; the last bound is infinite.
    pub(super) fn counts(&self) -> Vec<(f64, u64)> {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        let mut all = 0_u64;
        let upto = |(bound, count): (f64, &AtomicU64)| {
            all = all.wrapping_add(count.load(Ordering::Relaxed));
            (bound, all)
        };
        bounds.zip(&self.counts).map(upto).collect()
    }

    pub(super) fn sum(&self) -> f64 {
        self.sum.get()
    }
}

impl HistogramFn for Buckets {
    fn record(&self, value: f64) {
        if value.is_nan() {
            return;
        }
        let place = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
            self.sum.add(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_counts_what_is_no_more_than_it() {
        let buckets = Buckets::new("x_seconds");
        for value in [0.0, 0.000025, 0.00003, 30.0, 31.0, f64::NAN] {
            buckets.record(value);
        }
        let counts = buckets.counts();
        assert_eq!(counts[..3], [(0.000025, 2), (0.00005, 3), (0.0001, 3)]);
        assert_eq!(counts[18..], [(30.0, 4), (f64::INFINITY, 5)]);
        assert!((buckets.sum() - 61.000055).abs() < 1e-9);
    }

    #[test]
    fn bounds_rise() {
        for name in ["a_seconds", "a_bytes", "items"] {
            let buckets = Buckets::new(name);
            assert!(buckets.bounds.is_sorted_by(|low, high| low < high));
            assert_eq!(buckets.counts.len(), buckets.bounds.len() + 1);
        }
    }
}
