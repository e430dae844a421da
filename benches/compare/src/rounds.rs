//! The parent: starts the processes of each measurement and gathers what they say.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::machine;
use crate::measure::{Sample, Window};
use crate::peers::go;
use crate::report::Report;
use crate::work::{Peer, Work};

/// What to run.
pub struct Plan {
    pub peers: Vec<Peer>,
    pub works: Vec<Work>,
    pub rounds: usize,
    pub window: Window,
    /// No round is started that would be over later than this.
    pub budget: Option<Duration>,
}

/// What has failed so often is not tried again.
const FAILURES_MAX: u32 = 2;

/// What came of it.
pub struct Outcome {
    pub report: Report,
    /// How long it took, and what else the machine did.
    pub summary: String,
    failures: u32,
}

impl Outcome {
    /// # Errors
    /// Where measurements have failed.
    pub fn check(&self) -> Result<()> {
        ensure!(self.failures == 0, "{} measurements failed: their reasons stand above", self.failures);
        Ok(())
    }
}

/// Runs all rounds; drops the peers that are not there.
pub fn run(plan: &mut Plan) -> Result<Outcome> {
    println!("{}", machine::describe());
    find_go(plan)?;
    println!("network: {}\n", machine::enter_own_network());
    let mut works: Vec<Work> = plan.works.iter().map(|work| work.run()).collect();
    works.sort_unstable();
    works.dedup();

    let (started_at, others) = (Instant::now(), machine::Others::watch()?);
    let mut report = Report::default();
    let mut failures = BTreeMap::new();
    for round in 1..=plan.rounds {
        let round_started_at = Instant::now();
        // The innermost loop is over the peers: what they are compared by is measured at nearly the same time.
        for work in &works {
            for peer in &plan.peers {
                let failures: &mut u32 = failures.entry((*peer, *work)).or_default();
                if *failures >= FAILURES_MAX || peer.lacks(*work).is_some() {
                    continue;
                }
                if plan.budget.is_some_and(|budget| started_at.elapsed() > budget) {
                    continue;
                }
                progress(&format!("round {round} of {}: {work} {peer}", plan.rounds));
                match measure(*peer, *work, plan.window) {
                    Ok(samples) => report.add(*peer, &samples),
                    Err(error) => {
                        *failures += 1;
                        progress("");
                        println!("{peer} failed at {work}: {error:#}");
                    }
                }
            }
        }
        let next_ends = started_at.elapsed() + round_started_at.elapsed();
        if round < plan.rounds && plan.budget.is_some_and(|budget| next_ends > budget) {
            println!("the time is up after {round} of {} rounds", plan.rounds);
            break;
        }
    }
    progress("");
    let seconds = started_at.elapsed().as_secs_f64();
    let summary = format!("took {seconds:.0} s; other processes took {}", others.share()?);
    Ok(Outcome { report, summary, failures: failures.values().sum() })
}

fn find_go(plan: &mut Plan) -> Result<()> {
    if !plan.peers.contains(&Peer::GoNetRpc) {
        return Ok(());
    }
    match go::build()? {
        Some(version) => println!("go-net-rpc: {version}"),
        None => {
            println!("go-net-rpc: LEFT OUT, for there is no Go toolchain: no `go` in PATH");
            plan.peers.retain(|peer| *peer != Peer::GoNetRpc);
        }
    }
    Ok(())
}

/// Says what is being done where somebody watches.
fn progress(text: &str) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let _ = write!(stderr, "\r{text:<60}\r");
    }
}

fn measure(peer: Peer, work: Work, window: Window) -> Result<Vec<Sample>> {
    let program = std::env::current_exe()?;
    let child = |kind: &str| {
        let mut command = Command::new(&program);
        command.arg(kind).arg(peer.name()).stdin(Stdio::piped()).stdout(Stdio::piped());
        command
    };
    let one_cpu = work.is_on_one_cpu().then_some("--one-cpu");
    let mut server = Running(child("serve").args(one_cpu).spawn()?);
    let mut port = String::new();
    BufReader::new(server.0.stdout.as_mut().context("piped")?).read_line(&mut port)?;
    ensure!(!port.is_empty(), "the server ended before it listened");

    let ms = |duration: Duration| duration.as_millis().to_string();
    let mut load = child("load");
    load.arg(work.to_string()).args(one_cpu).args(["--port", port.trim()]);
    load.args(["--server", &server.0.id().to_string()]);
    load.args(["--warm-up-ms", &ms(window.warm_up), "--measured-ms", &ms(window.measured)]);
    load.args(["--patience-ms", &ms(window.patience)]);
    let mut load = Running(load.spawn()?);
    // It gives up by itself; where it cannot even do that, it is ended.
    let status = load.wait(window.limit() + 5 * window.patience)?;
    let mut line = String::new();
    load.0.stdout.take().context("piped")?.read_to_string(&mut line)?;
    if let Some(status) = server.0.try_wait()? {
        bail!("the server ended: {status}");
    }
    ensure!(status.success(), "the client failed: {status}");
    serde_json::from_str(&line).with_context(|| format!("the client said {line:?}"))
}

/// A child that does not outlive its measurement.
struct Running(Child);

impl Running {
    fn wait(&mut self, limit: Duration) -> Result<std::process::ExitStatus> {
        let end = Instant::now() + limit;
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            ensure!(Instant::now() < end, "the client did not end within {limit:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
