//! How long calls take, in buckets that are an eighth of an octave wide.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Buckets of an octave, as a power of two.
const FINENESS: u32 = 3;
const BUCKETS: usize = (u64::BITS as usize) << FINENESS;

/// The times of one kind of call, since the last look and in all.
pub(crate) struct Histogram(Mutex<Both>);

struct Both {
    recent: [u64; BUCKETS],
    total: [u64; BUCKETS],
}

/// What half of the calls, and all but one in a hundred, stay under.
#[derive(Clone, Copy)]
pub(crate) struct Quantiles {
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Both { recent: [0; BUCKETS], total: [0; BUCKETS] }))
    }

    pub(crate) fn record(&self, time: Duration) {
        let bucket = bucket(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        let mut both = self.lock();
        both.recent[bucket] += 1;
        both.total[bucket] += 1;
    }

    /// Returns the quantiles since this was last asked for.
    pub(crate) fn take_recent(&self) -> Quantiles {
        quantiles(&std::mem::replace(&mut self.lock().recent, [0; BUCKETS]))
    }

    pub(crate) fn total(&self) -> Quantiles {
        quantiles(&self.lock().total)
    }

    fn lock(&self) -> MutexGuard<'_, Both> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn quantiles(buckets: &[u64; BUCKETS]) -> Quantiles {
    Quantiles { p50: quantile(buckets, 50), p99: quantile(buckets, 99) }
}

fn quantile(buckets: &[u64; BUCKETS], percent: u64) -> Duration {
    let rank = (buckets.iter().sum::<u64>() * percent).div_ceil(100);
    let mut seen = 0;
    let bucket = buckets.iter().position(|count| {
        seen += count;
        seen >= rank
    });
    Duration::from_nanos(bucket.map_or(0, upper_end))
}

fn bucket(nanos: u64) -> usize {
    let nanos = nanos.max(1 << FINENESS);
    let octave = nanos.ilog2();
    let part = (nanos >> (octave - FINENESS)) & ((1 << FINENESS) - 1);
    ((octave as usize) << FINENESS) + part as usize
}

fn upper_end(bucket: usize) -> u64 {
    let (octave, part) = (bucket >> FINENESS, (bucket & ((1 << FINENESS) - 1)) as u64);
    (((1 << FINENESS) + part + 1) << octave) >> FINENESS
}
