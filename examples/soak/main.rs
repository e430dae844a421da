//! Clients and servers under churn, cancelled calls, slow readers, large bodies, panics and broken links, for as long as one likes; then a
//! verdict, which is the exit code, too.
//!
//! ```text
//! cargo run --release --example soak -- --minutes 10
//! cargo run --example soak                             # five seconds of it
//! ```

mod calls;
mod control;
mod gauges;
mod histogram;
mod lab;
mod ledger;
mod load;
mod pattern;
mod proxy;
mod report;
mod servers;
mod stop;
mod world;

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use tokio::time::{Instant, interval_at, sleep, timeout};

use gauges::{Growth, Sample};
use ledger::Ledger;
use report::{GROWTH_JUDGED_FROM, Verdict};
use world::World;

/// Longer than any call here takes, and longer than it takes to end everything; a wait that reaches it has failed.
const BOUND: Duration = Duration::from_secs(60);
/// How often memory, descriptors and tasks are looked at.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(100);

/// Runs clients and servers under faults, and judges what became of every call.
#[derive(Parser)]
struct Args {
    /// How long it runs, in minutes; from five on, growth is judged, too.
    #[arg(long, conflicts_with = "seconds")]
    minutes: Option<u64>,
    /// How long it runs, in seconds.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// What all choices follow from; tasks and sockets still run as they like.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The thresholds that glibc's allocator starts with. Left alone it raises them with the blocks that are freed, cuts large bodies out of its
/// heaps from then on, and the heaps grow by their gaps, for many minutes, while what is in use stays the same: see docs/testing/soak-part.md.
const MALLOC: [(&str, &str); 2] =
    [("MALLOC_MMAP_THRESHOLD_", "131072"), ("MALLOC_TRIM_THRESHOLD_", "131072")];

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    fix_thresholds()?;
    let length = Duration::from_secs(args.minutes.map_or(args.seconds, |minutes| minutes.saturating_mul(60)));
    let ledger = Arc::new(Ledger::new());
    report_panics(ledger.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let verdict = runtime.block_on(soak(length, args.seed, ledger))?;
    print!("{verdict}");
    Ok(if verdict.has_passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Starts this process anew with the thresholds, which are read before `main`; whoever sets the first keeps what is set.
fn fix_thresholds() -> std::io::Result<()> {
    if std::env::var_os(MALLOC[0].0).is_some() {
        return Ok(());
    }
    Err(Command::new(std::env::current_exe()?).args(std::env::args_os().skip(1)).envs(MALLOC).exec())
}

/// Keeps quiet about the panics that are part of the soak; any other one fails it.
fn report_panics(ledger: Arc<Ledger>) {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload().downcast_ref::<&str>() != Some(&lab::ON_PURPOSE) {
            ledger.wrong(format!("a panic that nobody meant: {panic}"));
            usual(panic);
        }
    }));
}

async fn soak(length: Duration, seed: u64, ledger: Arc<Ledger>) -> anyhow::Result<Verdict> {
    let before = Sample::take()?;
    println!("soaking for {length:?} with seed {seed}; at the start: {before}");
    let world = World::start(seed, &ledger).await?;
    let growth = watch(length, &ledger, &world).await?;
    let latency = world.latency.total();
    let faults = world.faults.to_string();
    if timeout(BOUND, world.end()).await.is_err() {
        ledger.wrong(format!("not all had ended {BOUND:?} after the end"));
    }
    let after = settled(&before).await?;
    let is_judged = length >= GROWTH_JUDGED_FROM;
    Ok(Verdict { ledger, latency, faults, growth, is_judged, before, after })
}

/// Prints how it goes until the time is up, or something is wrong.
async fn watch(length: Duration, ledger: &Ledger, world: &World) -> anyhow::Result<Growth> {
    let every = Duration::from_secs(if length > Duration::from_secs(120) { 10 } else { 1 });
    let started_at = Instant::now();
    let mut growth = Growth::over(length);
    let mut samples = interval_at(started_at, SAMPLE_INTERVAL);
    let mut lines = interval_at(started_at + every, every);
    let mut end = std::pin::pin!(sleep(length));
    loop {
        tokio::select! {
            () = ledger.is_wrong() => return Ok(growth),
            _ = lines.tick() => report::print_line(started_at.elapsed(), ledger, &world.latency)?,
            _ = samples.tick() => growth.add(started_at.elapsed(), &Sample::take()?),
            () = &mut end => return Ok(growth),
        }
    }
}

/// Waits until nothing is left of what was started: connections say goodbye after their servers and channels are gone.
async fn settled(before: &Sample) -> anyhow::Result<Sample> {
    let end = Instant::now() + BOUND;
    loop {
        let now = Sample::take()?;
        if (now.has_no_more_than(before)) || Instant::now() > end {
            return Ok(now);
        }
        sleep(SAMPLE_INTERVAL).await;
    }
}
