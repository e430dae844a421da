//! The two processes of a measurement, as they see themselves.

use std::convert::Infallible;
use std::io::Read;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::Pid;

use crate::load::{self, Target};
use crate::measure::{Sample, Window};
use crate::peers::variants::{Layered, Metered, Observed, Tls};
use crate::peers::{farcall, go, raw, tarpc, tonic};
use crate::work::{Peer, Work};

/// Serves until its standard input ends.
#[derive(clap::Args)]
pub struct Serve {
    peer: Peer,
    #[arg(long)]
    one_cpu: bool,
}

/// Does one work and prints what it measured, as JSON.
#[derive(clap::Args)]
pub struct Load {
    peer: Peer,
    work: Work,
    #[arg(long)]
    one_cpu: bool,
    #[arg(long)]
    port: u16,
    #[arg(long)]
    server: i32,
    #[arg(long)]
    warm_up_ms: u64,
    #[arg(long)]
    measured_ms: u64,
    #[arg(long)]
    patience_ms: u64,
}

impl Serve {
    pub fn run(self) -> Result<()> {
        prepare(self.one_cpu)?;
        if self.peer == Peer::GoNetRpc {
            return Err(go::become_program());
        }
        std::thread::spawn(|| {
            // It ends with the parent, however that ends.
            let _ = std::io::stdin().read(&mut [0]);
            std::process::exit(0);
        });
        let Err(error): Result<Infallible> = runtime()?.block_on(async {
            // A task, as it would be anywhere: the thread that blocks on it is none of the workers.
            match self.peer {
                Peer::Farcall => tokio::spawn(farcall::serve::<farcall::Plain>()).await?,
                Peer::FarcallTls => tokio::spawn(farcall::serve::<Tls>()).await?,
                Peer::FarcallLayered => tokio::spawn(farcall::serve::<Layered>()).await?,
                Peer::FarcallObserved => tokio::spawn(farcall::serve::<Observed>()).await?,
                Peer::FarcallMetered => tokio::spawn(farcall::serve::<Metered>()).await?,
                Peer::Raw => tokio::spawn(raw::serve::<false>()).await?,
                Peer::RawPipelined => tokio::spawn(raw::serve::<true>()).await?,
                Peer::Tarpc => tokio::spawn(tarpc::serve()).await?,
                Peer::Tonic => tokio::spawn(tonic::serve()).await?,
                Peer::GoNetRpc => Err(anyhow!("another program's")),
            }
        });
        Err(error)
    }
}

impl Load {
    pub fn run(self) -> Result<()> {
        prepare(self.one_cpu)?;
        if self.peer == Peer::GoNetRpc {
            return Err(go::become_program());
        }
        let samples = runtime()?.block_on(self.samples())?;
        println!("{}", serde_json::to_string(&samples)?);
        // Callers under way are not waited for.
        std::process::exit(0);
    }

    async fn samples(&self) -> Result<Vec<Sample>> {
        let ms = Duration::from_millis;
        let window = Window {
            warm_up: ms(self.warm_up_ms),
            measured: ms(self.measured_ms),
            patience: ms(self.patience_ms),
        };
        let target = Target { port: self.port, server: self.server, window };
        match self.peer {
            Peer::Farcall => load::run::<farcall::Client>(self.work, target).await,
            Peer::FarcallTls => load::run::<farcall::Client<Tls>>(self.work, target).await,
            Peer::FarcallLayered => load::run::<farcall::Client<Layered>>(self.work, target).await,
            Peer::FarcallObserved => load::run::<farcall::Client<Observed>>(self.work, target).await,
            Peer::FarcallMetered => load::run::<farcall::Client<Metered>>(self.work, target).await,
            Peer::Raw => load::run::<raw::Client<false>>(self.work, target).await,
            Peer::RawPipelined => load::run::<raw::Client<true>>(self.work, target).await,
            Peer::Tarpc => load::run::<tarpc::Client>(self.work, target).await,
            Peer::Tonic => load::run::<tonic::Client>(self.work, target).await,
            Peer::GoNetRpc => Err(anyhow!("another program's")),
        }
    }
}

/// The same for all: tokio's runtime of many threads as `#[tokio::main]` makes it.
fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")
}

/// Runs before there are threads: they inherit the CPU.
fn prepare(one_cpu: bool) -> Result<()> {
    // W8 needs more files than the usual 1,024.
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    if one_cpu {
        let this = Pid::from_raw(0);
        let allowed = sched_getaffinity(this)?;
        let last = (0..CpuSet::count()).rev().find(|cpu| allowed.is_set(*cpu).unwrap_or(false));
        let mut set = CpuSet::new();
        set.set(last.context("no CPU is allowed")?)?;
        sched_setaffinity(this, &set)?;
    }
    Ok(())
}
