//! Numbers that many threads add to.

use std::iter::Sum;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{CounterFn, GaugeFn, HistogramFn};

use super::threads::{THREADS, number};

/// Bits that threads change, each of those that have a number in a line of its own: it needs no locked instruction, and takes no cache line from
/// another thread.
#[derive(Default)]
struct Spread {
    own: [Line; THREADS],
    /// What all other threads change together.
    shared: AtomicU64,
}

#[derive(Default)]
#[repr(align(64))]
struct Line(AtomicU64);

impl Spread {
    #[inline]
    fn change(&self, change: impl Fn(u64) -> u64) {
        match number().and_then(|number| self.own.get(number)) {
            Some(Line(own)) => change_alone(own, change),
            None => change_shared(&self.shared, change),
        }
    }

    /// Adds up what stands in the lines of threads.
    fn sum_own<T: Sum>(&self, of_bits: impl Fn(u64) -> T) -> T {
        self.own.iter().map(|Line(own)| of_bits(own.load(Ordering::Relaxed))).sum()
    }
}

/// Changes what no other thread changes.
fn change_alone(bits: &AtomicU64, change: impl Fn(u64) -> u64) {
    bits.store(change(bits.load(Ordering::Relaxed)), Ordering::Relaxed);
}

fn change_shared(bits: &AtomicU64, change: impl Fn(u64) -> u64) {
    // It gives a value each time.
    let _ = bits.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |bits| Some(change(bits)));
}

/// Adds to the bits of a float.
fn plus(value: f64) -> impl Fn(u64) -> u64 {
    move |bits| (f64::from_bits(bits) + value).to_bits()
}

/// A counter.
#[derive(Default)]
pub(super) struct Count(Spread);

impl Count {
    pub(super) fn get(&self) -> u64 {
        self.0.shared.load(Ordering::Relaxed).wrapping_add(self.0.sum_own(|bits| bits))
    }
}

impl CounterFn for Count {
    fn increment(&self, value: u64) {
        self.0.change(|count| count.wrapping_add(value));
    }

    fn absolute(&self, value: u64) {
        let own = self.0.sum_own(|bits| bits);
        self.0.shared.fetch_max(value.saturating_sub(own), Ordering::Relaxed);
    }
}

/// A gauge: the bits of floats.
#[derive(Default)]
pub(super) struct Level(Spread);

impl Level {
    pub(super) fn get(&self) -> f64 {
        f64::from_bits(self.0.shared.load(Ordering::Relaxed)) + self.0.sum_own(f64::from_bits)
    }

    fn add(&self, value: f64) {
        if value.is_finite() {
            self.0.change(plus(value));
        } else {
            // Where `set` puts an end to it.
            change_shared(&self.0.shared, plus(value));
        }
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
        let own = self.0.sum_own(f64::from_bits);
        self.0.shared.store((value - own).to_bits(), Ordering::Relaxed);
    }
}

/// A histogram with bounds that are set once: its memory does not grow with what it is told, and nobody has to empty it.
///
/// Each call records into several, from all threads of the runtime: with one place for all, adding to it was most of what metrics cost.
pub(super) struct Buckets {
    bounds: &'static [f64],
    /// Of threads that have a number: each has its own, and so needs no locked instruction.
    own: [OnceLock<Box<Cells>>; THREADS],
    /// Of all other threads together.
    shared: Cells,
}

/// What was recorded, by bound and in all.
#[derive(Default)]
struct Cells {
    /// One for each bound, and one for what is above the last.
    counts: [AtomicU64; BOUNDS_MAX + 1],
    /// The bits of a float.
    sum: AtomicU64,
}

const BOUNDS_MAX: usize = 19;

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
        Self { bounds, own: [const { OnceLock::new() }; THREADS], shared: Cells::default() }
    }

    /// Returns each bound with how many values were no more than that; the last bound is infinite.
    pub(super) fn counts(&self) -> Vec<(f64, u64)> {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        let mut all = 0_u64;
        let upto = |(place, bound)| {
            let counts = self.cells().filter_map(|cells| cells.counts.get(place));
            all = counts.fold(all, |all, count: &AtomicU64| all.wrapping_add(count.load(Ordering::Relaxed)));
            (bound, all)
        };
        bounds.enumerate().map(upto).collect()
    }

    pub(super) fn sum(&self) -> f64 {
        self.cells().map(Cells::sum).sum()
    }

    fn cells(&self) -> impl Iterator<Item = &Cells> {
        self.own.iter().filter_map(OnceLock::get).map(|cells| &**cells).chain([&self.shared])
    }
}

impl HistogramFn for Buckets {
    fn record(&self, value: f64) {
        if value.is_nan() {
            return;
        }
        // All of them, for that takes no branch that has to be guessed.
        let place = self.bounds.iter().filter(|bound| **bound < value).count();
        match number().and_then(|number| self.own.get(number)) {
            Some(own) => own.get_or_init(Box::default).add_alone(place, value),
            None => self.shared.add(place, value),
        }
    }
}

impl Cells {
    fn sum(&self) -> f64 {
        f64::from_bits(self.sum.load(Ordering::Relaxed))
    }

    /// Adds a value while no other thread adds to the same cells.
    fn add_alone(&self, place: usize, value: f64) {
        if let Some(count) = self.counts.get(place) {
            change_alone(count, |count| count.wrapping_add(1));
            change_alone(&self.sum, plus(value));
        }
    }

    fn add(&self, place: usize, value: f64) {
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
            change_shared(&self.sum, plus(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

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
    fn nothing_is_lost_between_threads_of_which_some_have_places_of_their_own() {
        const MANY: usize = THREADS + 8;
        const TIMES: usize = 10_000;
        let (count, level, buckets) = (Count::default(), Level::default(), Buckets::new("x_seconds"));
        // The second time, other threads get the places of those that have ended.
        for round in 1..=2 {
            let all_there = Barrier::new(MANY);
            thread::scope(|scope| {
                for _ in 0..MANY {
                    scope.spawn(|| {
                        all_there.wait();
                        number();
                        // No thread ends before each has tried for a place.
                        all_there.wait();
                        for _ in 0..TIMES {
                            count.increment(1);
                            level.increment(1.0);
                            level.decrement(0.5);
                            buckets.record(0.5);
                        }
                    });
                }
            });
            let all = (round * MANY * TIMES) as u64;
            assert_eq!((count.get(), level.get()), (all, 0.5 * all as f64));
            assert_eq!(buckets.counts().last(), Some(&(f64::INFINITY, all)));
            assert!((buckets.sum() - 0.5 * all as f64).abs() < 1e-6);
        }
        assert!(buckets.own.iter().all(|own| own.get().is_some()));
        assert!(buckets.shared.sum() > 0.0 && count.0.shared.load(Ordering::Relaxed) > 0);
    }

    #[test]
    fn what_is_set_counts_with_what_threads_add() {
        let (count, level) = (Count::default(), Level::default());
        let add = || {
            count.increment(2);
            level.increment(2.0);
            level.decrement(0.5);
        };
        thread::scope(|scope| _ = scope.spawn(add));
        add();
        assert_eq!((count.get(), level.get()), (4, 3.0));
        count.absolute(3);
        level.set(1.0);
        assert_eq!((count.get(), level.get()), (4, 1.0), "a counter does not fall");
        count.absolute(10);
        thread::scope(|scope| _ = scope.spawn(add));
        assert_eq!((count.get(), level.get()), (12, 2.5));
        level.increment(f64::NAN);
        level.set(1.0);
        assert_eq!(level.get(), 1.0, "what is no number is gone with what is set");
    }

    #[test]
    fn bounds_rise() {
        for name in ["a_seconds", "a_bytes", "items"] {
            let buckets = Buckets::new(name);
            assert!(buckets.bounds.is_sorted_by(|low, high| low < high));
            assert!(buckets.bounds.len() <= BOUNDS_MAX);
            assert_eq!(buckets.counts().len(), buckets.bounds.len() + 1);
        }
    }
}
