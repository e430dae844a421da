//! farcall and its peers at the same work, side by side: server and client as two processes over loopback.
//!
//! The program is its own child: `serve PEER` and `load PEER WORK` are what the parent starts, once for each measurement.

mod child;
mod grow;
mod load;
mod machine;
mod measure;
mod message;
mod peers;
mod report;
mod rounds;
mod targets;
mod work;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::grow::{Axis, Growth};
use crate::rounds::Plan;
use crate::work::{Peer, Work};

/// Runs the same work on farcall and on its peers, in rounds interleaved over them.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(flatten)]
    run: Run,
    #[command(subcommand)]
    child: Option<Child>,
}

#[derive(Args)]
struct Run {
    /// Ends within two minutes: fewer and shorter rounds, for a first look
    #[arg(long)]
    quick: bool,
    /// Only these peers: farcall, farcall-tls, farcall-layered, farcall-observed, farcall-metered, raw, raw-pipelined, tarpc, tonic, go-net-rpc
    #[arg(long, value_delimiter = ',', value_name = "PEER,…")]
    peers: Vec<Peer>,
    /// Only this work: W1, W1c, W2 … W10, or unary calls as CONNECTIONSxCALLSxBYTES
    #[arg(long, value_delimiter = ',', value_name = "WORK,…")]
    work: Vec<Work>,
    /// Instead measures how cost grows over these: in-flight, connections, body
    #[arg(long, value_delimiter = ',', value_name = "AXIS,…", conflicts_with = "work")]
    grow: Vec<Axis>,
    /// Where the plots of --grow go [default: beside the figures, in target]
    #[arg(long, value_name = "FOLDER", requires = "grow")]
    plots: Option<PathBuf>,
    /// So many rounds [default: 5, quick: 2]
    #[arg(long)]
    rounds: Option<usize>,
    /// So long for each measurement, in seconds [default: 3, quick: 0.35]
    #[arg(long)]
    seconds: Option<f64>,
}

#[derive(Subcommand)]
#[command(hide = true)]
enum Child {
    #[command(hide = true)]
    Serve(child::Serve),
    #[command(hide = true)]
    Load(child::Load),
}

impl Run {
    fn plan(&self) -> Plan {
        let all_peers = if self.grow.is_empty() { Peer::USUAL.to_vec() } else { grow::PEERS.to_vec() };
        let works = match (self.grow.as_slice(), self.work.as_slice()) {
            ([], []) => Work::ALL.to_vec(),
            ([], works) => works.to_vec(),
            (axes, _) => grow::works(axes),
        };
        let seconds = self.seconds.unwrap_or(if self.quick { 0.35 } else { 3.0 }).clamp(0.05, 600.0);
        Plan {
            peers: if self.peers.is_empty() { all_peers } else { self.peers.clone() },
            works,
            rounds: self.rounds.unwrap_or(if self.quick { 2 } else { 5 }).max(1),
            window: measure::Window {
                warm_up: Duration::from_secs_f64(seconds / 4.0),
                measured: Duration::from_secs_f64(seconds),
                patience: Duration::from_secs(if self.quick { 4 } else { 15 }),
            },
            budget: self.quick.then_some(Duration::from_secs(105)),
        }
    }

    fn run(&self) -> Result<()> {
        let mut plan = self.plan();
        let mut outcome = rounds::run(&mut plan)?;
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
        if self.grow.is_empty() {
            outcome.report.keep(&plan.works);
            outcome.report.print(&plan);
            println!("{}", outcome.summary);
            let path = target.join("compare.json");
            outcome.report.write(&path)?;
            println!("wrote {}", path.display());
        } else {
            let growth = Growth::new(&outcome.report, &plan, &self.grow);
            growth.print();
            println!("{}", outcome.summary);
            growth.write(&target.join("grow.json"))?;
            growth.draw(self.plots.as_deref().unwrap_or(&target))?;
        }
        outcome.check()
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.child {
        Some(Child::Serve(serve)) => serve.run(),
        Some(Child::Load(load)) => load.run(),
        None => cli.run.run(),
    };
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    // Not by returning it: that would print a backtrace where the environment asks for them.
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}
