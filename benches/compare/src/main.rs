//! farcall and its peers at the same work, side by side: server and client as two processes over loopback.
//!
//! The program is its own child: `serve PEER` and `load PEER WORK` are what the parent starts, once for each measurement.

mod child;
mod load;
mod machine;
mod measure;
mod message;
mod peers;
mod report;
mod rounds;
mod targets;
mod work;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

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
    /// Only these peers: farcall, raw, raw-pipelined, tarpc, tonic, go-net-rpc
    #[arg(long, value_delimiter = ',', value_name = "PEER,…")]
    peers: Vec<Peer>,
    /// Only this work: W1, W1c, W2 … W10
    #[arg(long, value_delimiter = ',', value_name = "WORK,…")]
    work: Vec<Work>,
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
        let or_all = |work: &[Work]| if work.is_empty() { Work::ALL.to_vec() } else { work.to_vec() };
        let seconds = self.seconds.unwrap_or(if self.quick { 0.35 } else { 3.0 }).clamp(0.05, 600.0);
        Plan {
            peers: if self.peers.is_empty() { Peer::ALL.to_vec() } else { self.peers.clone() },
            works: or_all(&self.work),
            rounds: self.rounds.unwrap_or(if self.quick { 2 } else { 5 }).max(1),
            window: measure::Window {
                warm_up: Duration::from_secs_f64(seconds / 4.0),
                measured: Duration::from_secs_f64(seconds),
                patience: Duration::from_secs(if self.quick { 4 } else { 15 }),
            },
            budget: self.quick.then_some(Duration::from_secs(105)),
        }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.child {
        Some(Child::Serve(serve)) => serve.run(),
        Some(Child::Load(load)) => load.run(),
        None => {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/compare.json");
            rounds::run(cli.run.plan(), &path)
        }
    };
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    // Not by returning it: that would print a backtrace where the environment asks for them.
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}
