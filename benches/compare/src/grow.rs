//! How cost grows: the same unary calls with more and more of them in flight, on more connections, or with larger bodies.

mod plot;

use std::fs;
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, Result};
use serde::Serialize;

use self::plot::{Chart, Line, Panel};
use crate::machine;
use crate::message::CALLS_MAX;
use crate::report::{self, Report, Spread};
use crate::rounds::Plan;
use crate::work::{Peer, Shape, Work};

/// Who is measured unless others are asked for: farcall, what is nearest to it, and the limit.
pub const PEERS: [Peer; 3] = [Peer::Farcall, Peer::Tarpc, Peer::RawPipelined];

const SMALL_BYTES: usize = 64;
/// So many calls are in flight over all connections while those grow; the most connections have one each.
const SHARED_CALLS: usize = 1024;
/// So many are in flight while their bodies grow: as in W6. More large ones would end all at once, too rarely for a window of seconds.
const BODY_CALLS: usize = 4;

/// What grows, while all else stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    InFlight,
    Connections,
    Body,
}

/// How all figures grow over some axes.
pub struct Growth<'a> {
    plan: &'a Plan,
    axes: &'a [Axis],
    points: Vec<Point>,
}

/// A figure of a peer at one place of an axis.
#[derive(Serialize)]
struct Point {
    peer: Peer,
    axis: Axis,
    x: usize,
    metric: &'static str,
    #[serde(flatten)]
    spread: Spread,
}

/// Returns what is to be run for these axes.
pub fn works(axes: &[Axis]) -> Vec<Work> {
    axes.iter().flat_map(|axis| axis.places().iter().map(|x| axis.work(*x))).collect()
}

impl Axis {
    const ALL: [Self; 3] = [Self::InFlight, Self::Connections, Self::Body];

    fn name(self) -> &'static str {
        match self {
            Self::InFlight => "in-flight",
            Self::Connections => "connections",
            Self::Body => "body",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::InFlight => "More calls in flight",
            Self::Connections => "More connections",
            Self::Body => "Larger bodies",
        }
    }

    /// Returns what stays as it is.
    fn constants(self) -> String {
        match self {
            Self::InFlight => format!("1 connection, {SMALL_BYTES} B bodies"),
            Self::Connections => {
                format!("{} calls in flight over all, {SMALL_BYTES} B bodies", grouped(SHARED_CALLS))
            }
            Self::Body => format!("1 connection, {BODY_CALLS} calls in flight"),
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::InFlight => "calls in flight",
            Self::Connections => "connections",
            Self::Body => "body of the request, and of the response",
        }
    }

    fn places(self) -> &'static [usize] {
        match self {
            Self::InFlight => &[1, 4, 16, 64, 256, 1024, 4096, CALLS_MAX as usize],
            Self::Connections => &[1, 4, 16, 64, 256, SHARED_CALLS],
            Self::Body => &[0, 64, 1 << 10, 16 << 10, 64 << 10, 1 << 20, 4 << 20, 16 << 20],
        }
    }

    fn work(self, x: usize) -> Work {
        Work::Calls(match self {
            Self::InFlight => Shape::new(1, x, SMALL_BYTES),
            Self::Connections => Shape::new(x, SHARED_CALLS / x, SMALL_BYTES),
            Self::Body => Shape::new(1, BODY_CALLS, x),
        })
    }

    fn metrics(self) -> &'static [&'static str] {
        match self {
            Self::InFlight => &["calls_per_s", "p50_us"],
            Self::Connections => &["calls_per_s"],
            Self::Body => &["mib_per_s", "p50_us"],
        }
    }

    fn place_name(self, x: usize) -> String {
        match (self, x) {
            (Self::Body, x) if x >= 1 << 20 => format!("{} MiB", x >> 20),
            (Self::Body, x) if x >= 1 << 10 => format!("{} KiB", x >> 10),
            (Self::Body, x) => format!("{x} B"),
            (_, x) => grouped(x),
        }
    }
}

impl FromStr for Axis {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|axis| axis.name() == text);
        found.ok_or_else(|| "one of in-flight, connections, body".to_owned())
    }
}

impl<'a> Growth<'a> {
    pub fn new(report: &Report, plan: &'a Plan, axes: &'a [Axis]) -> Self {
        let mut points = Vec::new();
        for axis in axes {
            for metric in axis.metrics() {
                for (x, peer) in places_and_peers(*axis, plan) {
                    if let Some(spread) = report.spread(peer, axis.work(x), metric) {
                        points.push(Point { peer, axis: *axis, x, metric, spread });
                    }
                }
            }
        }
        Self { plan, axes, points }
    }

    fn spread(&self, peer: Peer, axis: Axis, x: usize, metric: &str) -> Option<Spread> {
        let is_it =
            |point: &&Point| (point.peer, point.axis, point.x, point.metric) == (peer, axis, x, metric);
        self.points.iter().find(is_it).map(|point| point.spread)
    }

    /// Prints the medians, axis by axis.
    pub fn print(&self) {
        for axis in self.axes {
            println!("{}: {} (medians over the rounds)", axis.name(), axis.constants());
            report::print_line("", "metric", self.plan.peers.iter().map(Peer::to_string));
            for metric in axis.metrics() {
                for x in axis.places() {
                    let spread = |peer: &Peer| self.spread(*peer, *axis, *x, metric);
                    if !self.plan.peers.iter().any(|peer| spread(peer).is_some()) {
                        continue;
                    }
                    let in_short = |spread: Spread| report::in_short(spread.median);
                    let cell = |peer| spread(peer).map_or_else(|| "–".to_owned(), in_short);
                    report::print_line(&axis.place_name(*x), metric, self.plan.peers.iter().map(cell));
                }
            }
            println!();
        }
    }

    /// Writes all figures as JSON.
    pub fn write(&self, path: &Path) -> Result<()> {
        report::write_json(path, &self.points)?;
        println!("wrote {}", path.display());
        Ok(())
    }

    /// Draws one SVG an axis.
    pub fn draw(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("no folder {}", folder.display()))?;
        for axis in self.axes {
            let path = folder.join(format!("grow-{}.svg", axis.name()));
            fs::write(&path, self.chart(*axis).svg())
                .with_context(|| format!("cannot write {}", path.display()))?;
            println!("wrote {}", path.display());
        }
        Ok(())
    }

    fn chart(&self, axis: Axis) -> Chart {
        let panel = |metric: &&str| {
            let line = |peer: &Peer| {
                let point = |x: &usize| Some((*x, self.spread(*peer, axis, *x, metric)?));
                Line { peer: *peer, points: axis.places().iter().filter_map(point).collect() }
            };
            let (label, mark): (_, fn(f64) -> String) = match *metric {
                "calls_per_s" => ("calls/s", plot::count),
                "mib_per_s" => ("MiB/s each way", plot::count),
                _ => ("p50 of a call", plot::time),
            };
            Panel { label, mark, lines: self.plan.peers.iter().map(line).collect() }
        };
        let seconds = self.plan.window.measured.as_secs_f64();
        Chart {
            title: format!("{}: {}", axis.title(), axis.constants()),
            label: axis.label(),
            places: axis.places().iter().map(|x| (*x, axis.place_name(*x))).collect(),
            panels: axis.metrics().iter().map(panel).collect(),
            small_print: vec![
                format!(
                    "client and server are two processes over loopback; medians over {} × {seconds} s, bars from least to most",
                    self.plan.rounds
                ),
                format!("{}; {}", machine::describe(), machine::date()),
            ],
        }
    }
}

fn places_and_peers(axis: Axis, plan: &Plan) -> impl Iterator<Item = (usize, Peer)> {
    axis.places().iter().flat_map(|x| plan.peers.iter().map(|peer| (*x, *peer)))
}

fn grouped(number: usize) -> String {
    if number < 1000 { number.to_string() } else { format!("{},{:03}", number / 1000, number % 1000) }
}
