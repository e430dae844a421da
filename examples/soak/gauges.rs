//! What the process holds: memory, descriptors, tasks; and whether that grows.

use std::fmt;
use std::time::Duration;

use anyhow::Context;
use tokio::runtime::Handle;

/// What the process holds at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    resident_bytes: u64,
    descriptors: usize,
    tasks: usize,
}

impl Sample {
    pub(crate) fn take() -> anyhow::Result<Self> {
        let status = std::fs::read_to_string("/proc/self/status").context("this needs the /proc of Linux")?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: u64 = resident
            .and_then(|rest| rest.trim().strip_suffix(" kB"))
            .context("/proc/self/status has no VmRSS")?
            .parse()?;
        Ok(Self {
            resident_bytes: kib << 10,
            // The one that this is read with is in every sample.
            descriptors: std::fs::read_dir("/proc/self/fd")?.count(),
            tasks: Handle::current().metrics().num_alive_tasks(),
        })
    }

    /// Tells whether descriptors and tasks are back to what they were.
    pub(crate) fn has_no_more_than(&self, before: &Self) -> bool {
        self.descriptors <= before.descriptors && self.tasks <= before.tasks
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resident_bytes, descriptors, tasks } = self;
        let mib = *resident_bytes as f64 / f64::from(1 << 20);
        write!(f, "resident {mib:.1} MiB, descriptors {descriptors}, tasks {tasks}")
    }
}

/// The parts of a run, after its warm-up, of each of which the mean is kept.
const PARTS: usize = 10;
/// More growth than this between the first and the last part fails the soak.
const GROWTH_PERCENT_MAX: f64 = 2.0;

/// How what the process holds changes over a run, in constant memory.
pub(crate) struct Growth {
    pub(crate) warm_up: Duration,
    part: Duration,
    sums: [Sums; PARTS],
}

#[derive(Clone, Copy, Default)]
struct Sums {
    samples: u32,
    gauges: [f64; 3],
}

/// The mean of one gauge in each part.
pub(crate) struct Means {
    pub(crate) gauge: &'static str,
    pub(crate) parts: [f64; PARTS],
}

impl Growth {
    /// The first fifth of the run is its warm-up, in which pools, tables and the allocator's heaps get their size; the rest is divided into
    /// parts.
    pub(crate) fn over(length: Duration) -> Self {
        let warm_up = length / 5;
        let part = (length - warm_up) / PARTS as u32;
        Self { warm_up, part, sums: [Sums::default(); PARTS] }
    }

    pub(crate) fn add(&mut self, elapsed: Duration, sample: &Sample) {
        let Some(since) = elapsed.checked_sub(self.warm_up) else { return };
        let part = (since.as_nanos() / self.part.as_nanos().max(1)) as usize;
        let sums = &mut self.sums[part.min(PARTS - 1)];
        sums.samples += 1;
        let mib = sample.resident_bytes as f64 / f64::from(1 << 20);
        let gauges = [mib, sample.descriptors as f64, sample.tasks as f64];
        sums.gauges.iter_mut().zip(gauges).for_each(|(sum, gauge)| *sum += gauge);
    }

    pub(crate) fn means(&self) -> [Means; 3] {
        let mean = |sums: &Sums, gauge: usize| sums.gauges[gauge] / f64::from(sums.samples.max(1));
        let names = ["resident MiB", "descriptors", "tasks"];
        std::array::from_fn(|gauge| Means {
            gauge: names[gauge],
            parts: std::array::from_fn(|part| mean(&self.sums[part], gauge)),
        })
    }
}

impl Means {
    /// Returns by how much the last part is over the first.
    pub(crate) fn growth_percent(&self) -> f64 {
        (self.parts[PARTS - 1] / self.parts[0] - 1.0) * 100.0
    }

    pub(crate) fn is_steady(&self) -> bool {
        self.growth_percent() < GROWTH_PERCENT_MAX
    }
}
