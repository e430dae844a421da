//! Counts, times, CPU and memory.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

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

/// Counts what many tasks have done without having them share a cache line.
#[derive(Clone, Default)]
pub struct Tally(Arc<Mutex<Vec<Count>>>);

/// One task's count.
#[derive(Clone)]
pub struct Count(Arc<Padded>);

#[repr(align(128))]
#[derive(Default)]
struct Padded(AtomicU64);

impl Count {
    /// Only the task that owns it calls this: a load and a store need no locked instruction.
    pub fn add(&self, more: u64) {
        self.0.0.store(self.get() + more, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.0.load(Ordering::Relaxed)
    }
}

/// What happened in a window.
pub struct Rate {
    pub count: u64,
    pub elapsed: Duration,
    /// CPU time of both processes.
    pub cpu: Duration,
}

impl Rate {
    pub fn per_second(&self) -> f64 {
        self.count as f64 / self.elapsed.as_secs_f64()
    }
}

impl Tally {
    /// Adds a task's count.
    pub fn count(&self) -> Count {
        let count = Count(Arc::default());
        self.0.lock().expect("nobody panics with it").push(count.clone());
        count
    }

    fn counts(&self) -> Vec<u64> {
        self.0.lock().expect("nobody panics with it").iter().map(Count::get).collect()
    }

    /// Watches the tasks for a window, which begins once each has done something.
    pub async fn rate(&self, window: Window, server: i32) -> Result<Rate> {
        let patience_ends = Instant::now() + window.patience;
        tokio::time::sleep(window.warm_up).await;
        while self.counts().contains(&0) && Instant::now() < patience_ends {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let (cpu_before, before, started_at) = (cpu(server)?, self.counts(), Instant::now());
        tokio::time::sleep(window.measured).await;
        let (after, elapsed, cpu_after) = (self.counts(), started_at.elapsed(), cpu(server)?);
        let done: Vec<u64> = after.iter().zip(&before).map(|(after, before)| after - before).collect();
        let stuck = done.iter().filter(|done| **done == 0).count();
        ensure!(stuck < done.len(), "hung: nothing was done within {elapsed:?}, {} before", sum(&before));
        if stuck > 0 {
            let who = std::env::args().skip(2).take(2).collect::<Vec<_>>().join(" ");
            eprintln!("{who}: {stuck} of {} callers got no answer within {elapsed:.1?}", done.len());
        }
        Ok(Rate { count: sum(&done), elapsed, cpu: cpu_after.saturating_sub(cpu_before) })
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
