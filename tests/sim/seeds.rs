//! The tests: many seeds at once, and one seed twice.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once, mpsc};
use std::time::Duration;

use tempfile::TempDir;

use crate::log::Lines;
use crate::service::OnPurpose;
use crate::world;

/// How many seeds are run unless `SIM_SEEDS` says otherwise.
const SEEDS: u64 = 2_000;
/// A seed takes tens of milliseconds; one that takes so long turns in circles at one moment of its own time.
const STUCK: Duration = Duration::from_secs(60);
/// So many failing seeds are enough.
const FAILURES_MAX: usize = 5;

thread_local! {
    static PANICS: Cell<u32> = const { Cell::new(0) };
}

#[test]
fn whatever_happens_on_the_network_calls_keep_their_promises() {
    if let Some(seed) = number("SIM_SEED") {
        let lines = Sockets::new().run(seed);
        lines.all.iter().for_each(|line| println!("{line}"));
        assert!(lines.wrong.is_empty(), "seed {seed}:\n{}", lines.wrong.join("\n"));
        return;
    }
    let seeds = number("SIM_SEEDS").unwrap_or(SEEDS);
    let failures = run_all(seeds);
    for (seed, lines) in &failures {
        println!("seed {seed}:\n{}", lines.wrong.join("\n"));
        println!("replay it: SIM_SEED={seed} cargo test --test sim promises -- --nocapture\n");
    }
    assert!(failures.is_empty(), "{} seeds have failed, of {seeds} at most", failures.len());
}

#[test]
fn the_same_seed_gives_the_same_events() {
    let mut sockets = Sockets::new();
    for seed in 0..number("SIM_TWICE").unwrap_or(20) {
        let [first, second] = [sockets.run(seed), sockets.run(seed)].map(|lines| events(lines.all));
        let differs = first.iter().zip(&second).position(|(first, second)| first != second);
        assert_eq!(differs.map(|at| (&first[at], &second[at])), None, "seed {seed}");
        assert_eq!(first.len(), second.len(), "seed {seed}");
        assert!(first.len() > 100, "seed {seed} does something");
    }
}

/// Takes the events of each millisecond as having happened at once: in which order a server's connections hear that it shuts down is left to
/// chance by tokio's `watch`, and they know nothing of each other.
fn events(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {value}")))
}

/// Runs all seeds on all cores, and gives those that have failed.
fn run_all(seeds: u64) -> Vec<(u64, Lines)> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    static NEXT: AtomicU64 = AtomicU64::new(0);
    static UNDER_WAY: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());
    let (done, results) = mpsc::channel();
    for _ in 0..threads {
        let done = done.clone();
        std::thread::spawn(move || {
            let mut sockets = Sockets::new();
            loop {
                let seed = NEXT.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds {
                    return;
                }
                UNDER_WAY.lock().unwrap().insert(seed);
                let lines = sockets.run(seed);
                UNDER_WAY.lock().unwrap().remove(&seed);
                if done.send((seed, lines)).is_err() {
                    return;
                }
            }
        });
    }
    drop(done);
    let mut failures = Vec::new();
    while failures.len() < FAILURES_MAX {
        match results.recv_timeout(STUCK) {
            Ok((_, lines)) if lines.wrong.is_empty() => {}
            Ok(failure) => failures.push(failure),
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let seeds = UNDER_WAY.lock().unwrap();
                panic!("SIM_SEED={seeds:?}: one of them does not end");
            }
        }
    }
    failures
}

/// Where the sockets of one run after another are.
struct Sockets {
    folder: TempDir,
    runs: u32,
}

impl Sockets {
    fn new() -> Self {
        count_panics();
        Self { folder: tempfile::tempdir().expect("a folder can be made"), runs: 0 }
    }

    fn run(&mut self, seed: u64) -> Lines {
        self.runs += 1;
        let folder: PathBuf = self.folder.path().join(self.runs.to_string());
        std::fs::create_dir(&folder).expect("a folder can be made");
        let before = PANICS.get();
        let mut lines = world::run(seed, &folder);
        // A panic in a task of the library ends that task, and nobody hears of it.
        if PANICS.get() > before {
            lines.wrong.push(format!("{} panics", PANICS.get() - before));
        }
        std::fs::remove_dir_all(&folder).expect("the folder is there");
        lines
    }
}

/// Counts panics by thread, and keeps quiet about those that a handler raises on purpose.
fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !panic.payload().is::<OnPurpose>() {
                PANICS.set(PANICS.get() + 1);
                print(panic);
            }
        }));
    });
}
