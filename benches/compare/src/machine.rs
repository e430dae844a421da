//! The machine: what it is, a network without others' settings, and what else it was doing.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{UsageWho, getrusage};
use nix::unistd::{SysconfVar, sysconf};

const CONGESTION: &str = "/proc/sys/net/ipv4/tcp_congestion_control";

/// Says where this runs.
pub fn describe() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let model = model.map_or("an unknown CPU", |(_, model)| model);
    format!("machine: {cpus} CPUs, {model}, Linux {}", kernel.trim())
}

/// Says what day it is.
pub fn date() -> String {
    let output = Command::new("date").arg("+%F").output();
    output.map_or(String::new(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Gives this process and its children a loopback of their own with reno, where root allows.
///
/// A congestion control made for long lines, such as bbr, costs bulk work on loopback a third, whichever the peer.
pub fn enter_own_network() -> String {
    let congestion = || fs::read_to_string(CONGESTION).unwrap_or_default().trim().to_owned();
    match own_network() {
        Ok(()) => format!("a namespace of its own, TCP with {}", congestion()),
        Err(error) => format!("the machine's own, TCP with {} ({error:#})", congestion()),
    }
}

fn own_network() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNET).context("no namespace of its own")?;
    let status =
        Command::new("ip").args(["link", "set", "lo", "up"]).status().context("ip link set lo up")?;
    ensure!(status.success(), "ip link set lo up: {status}");
    fs::write(CONGESTION, "reno").context("cannot choose reno")
}

/// Watches what others take of the CPUs.
pub struct Others {
    before: Ticks,
}

#[derive(Clone, Copy)]
struct Ticks {
    all: f64,
    busy: f64,
    ours: f64,
}

impl Others {
    pub fn watch() -> Result<Self> {
        Ok(Self { before: ticks()? })
    }

    /// Says how much of the CPU time went to other processes since then.
    pub fn share(&self) -> Result<String> {
        let (before, after) = (self.before, ticks()?);
        let others = (after.busy - before.busy) - (after.ours - before.ours);
        Ok(format!("{:.0} % of the CPUs' time", 100.0 * others.max(0.0) / (after.all - before.all).max(1.0)))
    }
}

fn ticks() -> Result<Ticks> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().context("/proc/stat is empty")?;
    // user, nice, system, idle, iowait, irq, softirq, steal; what guests take is part of user.
    let ticks: Vec<f64> =
        line.split_whitespace().skip(1).take(8).map(|ticks| ticks.parse().unwrap_or(0.0)).collect();
    ensure!(ticks.len() >= 5, "/proc/stat has another form");
    let per_second = sysconf(SysconfVar::CLK_TCK)?.unwrap_or(100) as f64;
    let ours = [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN].into_iter().map(|who| {
        let usage = getrusage(who)?;
        let times = [usage.user_time(), usage.system_time()];
        anyhow::Ok(times.iter().map(|time| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6).sum::<f64>())
    });
    let all: f64 = ticks.iter().sum();
    let ours = ours.sum::<Result<f64>>()? * per_second;
    Ok(Ticks { all, busy: all - ticks[3] - ticks[4], ours })
}
