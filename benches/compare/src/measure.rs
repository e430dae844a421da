//! Counts, times, CPU and memory.

use std::fs;
use std::mem::take;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

const NOBODY_PANICS: &str = "nobody panics while it is locked";

/// One figure of one round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sample {
    pub work: String,
    pub metric: String,
    pub value: f64,
}

/// How long a measurement takes.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub warm_up: Duration,
    pub measured: Duration,
    /// How much longer than that a single call may take before it counts as hung.
    pub patience: Duration,
}

impl Window {
    pub fn limit(&self) -> Duration {
        self.warm_up + self.measured + self.patience
    }
}

/// Of each caller's calls, one in so many is timed: reading the clock costs as much as a thirtieth of a fast call.
///
/// A prime, for callers number their calls from multiples of 10⁹: so they take turns.
const TIMED_ONE_IN: u64 = 17;

/// Counts what many tasks have done without having them share a cache line.
#[derive(Default)]
pub struct Tally {
    counts: Mutex<Vec<Count>>,
    times_ns: Option<Arc<Mutex<Vec<u64>>>>,
}

/// One task's count.
#[derive(Clone)]
pub struct Count {
    done: Arc<Padded>,
    times_ns: Option<Arc<Mutex<Vec<u64>>>>,
}

#[repr(align(128))]
#[derive(Default)]
struct Padded(AtomicU64);

impl Count {
    /// Only the task that owns it calls this: a load and a store need no locked instruction.
    pub fn add(&self, more: u64) {
        self.done.0.store(self.get() + more, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.done.0.load(Ordering::Relaxed)
    }

    /// Tells whether calls are timed at all.
    pub fn is_timed(&self) -> bool {
        self.times_ns.is_some()
    }

    /// Reads the clock if this call is one of those that are timed.
    pub fn start(&self, call: u64) -> Option<Instant> {
        (self.is_timed() && call.is_multiple_of(TIMED_ONE_IN)).then(Instant::now)
    }

    /// Notes how long such a call took.
    pub fn took(&self, elapsed: Duration) {
        if let Some(times_ns) = &self.times_ns {
            times_ns.lock().expect(NOBODY_PANICS).push(elapsed.as_nanos() as u64);
        }
    }
}

/// What happened in a window.
pub struct Rate {
    pub count: u64,
    pub elapsed: Duration,
    /// CPU time of both processes.
    pub cpu: Duration,
    /// How long the timed calls took, sorted.
    pub times_ns: Vec<u64>,
}

impl Rate {
    pub fn per_second(&self) -> f64 {
        self.count as f64 / self.elapsed.as_secs_f64()
    }
}

impl Tally {
    /// Makes one that also times calls.
    pub fn timed() -> Self {
        Self { times_ns: Some(Arc::default()), ..Self::default() }
    }

    /// Adds a task's count.
    pub fn count(&self) -> Count {
        let count = Count { done: Arc::default(), times_ns: self.times_ns.clone() };
        self.counts.lock().expect(NOBODY_PANICS).push(count.clone());
        count
    }

    fn counts(&self) -> Vec<u64> {
        self.counts.lock().expect(NOBODY_PANICS).iter().map(Count::get).collect()
    }

    fn take_times_ns(&self) -> Vec<u64> {
        self.times_ns.as_ref().map_or(vec![], |times_ns| take(&mut times_ns.lock().expect(NOBODY_PANICS)))
    }

    async fn wait(&self, end: Instant, is_enough: impl Fn(&[u64]) -> bool) {
        while !is_enough(&self.counts()) && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Watches the tasks for a window, which begins once each has done something; where calls are timed, it lasts until there have been as
    /// many as there are tasks, for large ones may all end at once and rarely.
    pub async fn rate(&self, window: Window, server: i32) -> Result<Rate> {
        let patience_ends = Instant::now() + window.patience;
        tokio::time::sleep(window.warm_up).await;
        self.wait(patience_ends, |counts| !counts.contains(&0)).await;
        drop(self.take_times_ns());
        let (cpu_before, before, started_at) = (cpu(server)?, self.counts(), Instant::now());
        tokio::time::sleep(window.measured).await;
        if self.times_ns.is_some() {
            let enough = sum(&before) + before.len() as u64;
            self.wait(Instant::now() + window.patience, |counts| sum(counts) >= enough).await;
        }
        let (after, elapsed, cpu_after) = (self.counts(), started_at.elapsed(), cpu(server)?);
        let mut times_ns = self.take_times_ns();
        times_ns.sort_unstable();
        let done: Vec<u64> = after.iter().zip(&before).map(|(after, before)| after - before).collect();
        let stuck = done.iter().filter(|done| **done == 0).count();
        ensure!(stuck < done.len(), "hung: nothing was done within {elapsed:?}, {} before", sum(&before));
        if stuck > 0 {
            let who = std::env::args().skip(2).take(2).collect::<Vec<_>>().join(" ");
            eprintln!("{who}: {stuck} of {} callers got no answer within {elapsed:.1?}", done.len());
        }
        Ok(Rate { count: sum(&done), elapsed, cpu: cpu_after.saturating_sub(cpu_before), times_ns })
    }
}

fn sum(counts: &[u64]) -> u64 {
    counts.iter().sum()
}

/// Returns the CPU time of this process and the server's.
fn cpu(server: i32) -> Result<Duration> {
    let server = clock_getcpuclockid(Pid::from_raw(server)).context("the server is gone")?;
    let own = ClockId::CLOCK_PROCESS_CPUTIME_ID;
    Ok(Duration::from(own.now()?) + Duration::from(server.now().context("the server is gone")?))
}

/// Returns what is resident of a process, in bytes: as VmRSS, but counted exactly.
pub fn resident_bytes(pid: i32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:")).context("smaps_rollup has no Rss")?;
    let kib = line.split_whitespace().next().context("Rss has no figure")?;
    Ok(kib.parse::<u64>()? << 10)
}

/// Returns a percentile of sorted nanoseconds, in µs.
pub fn percentile_us(sorted_ns: &[u64], share: f64) -> f64 {
    let last = sorted_ns.len().saturating_sub(1);
    let index = (sorted_ns.len() as f64 * share).ceil() as usize;
    sorted_ns.get(index.saturating_sub(1).min(last)).map_or(f64::NAN, |ns| *ns as f64 / 1e3)
}
