//! Runs the fuzz targets on stable Rust: first the corpus, then inputs made of it by chance.
//!
//! It is not guided by coverage: it finds again what was found once, and shallow mistakes. Long runs are for cargo-fuzz.

mod mutate;
mod options;
mod watch;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use fuzz::Target;
use mutate::Mutator;
use options::{Options, Until};
use watch::Watch;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(text) => {
            eprintln!("{text}\n\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    let watch = watch::start(options.seed);
    for target in &options.targets {
        let started = Instant::now();
        let runs = match run(target, &options, watch) {
            Ok(runs) => runs,
            Err(error) => {
                eprintln!("{}: {error}", target.name);
                return ExitCode::from(2);
            }
        };
        let seconds = started.elapsed().as_secs_f64();
        println!("{}: {runs} executions in {seconds:.1} s, no finding", target.name);
    }
    ExitCode::SUCCESS
}

/// Returns how often the target ran.
fn run(target: &Target, options: &Options, watch: &Watch) -> io::Result<u64> {
    if !options.files.is_empty() {
        return Ok(replay(target, &options.files, watch)?.len() as u64);
    }
    let inputs = replay(target, &corpus(target.name)?, watch)?;
    let mut runs = inputs.len() as u64;
    let mut mutator = Mutator::new(options.seed, inputs, target.bytes_max);
    let started = Instant::now();
    while match options.until {
        Until::Seconds(seconds) => started.elapsed().as_secs_f64() < seconds,
        Until::Runs(count) => runs < count,
    } {
        for _ in 0..64 {
            watch.execute(target, mutator.next());
        }
        runs += 64;
    }
    Ok(runs)
}

fn replay(target: &Target, paths: &[PathBuf], watch: &Watch) -> io::Result<Vec<Vec<u8>>> {
    let inputs: Vec<_> = paths.iter().map(std::fs::read).collect::<Result<_, _>>()?;
    inputs.iter().for_each(|input| watch.execute(target, input));
    Ok(inputs)
}

fn corpus(target: &str) -> io::Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let paths = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<_> = paths.collect::<Result<_, _>>()?;
    // In one order, so that a seed makes the same inputs everywhere.
    paths.sort();
    Ok(paths)
}
