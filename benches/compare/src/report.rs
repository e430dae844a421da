//! Medians, ratios and the JSON.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use crate::measure::Sample;
use crate::rounds::Plan;
use crate::targets::{less_is_better, target};
use crate::work::{Peer, Work};

/// The figures of all rounds.
#[derive(Default)]
pub struct Report {
    /// By the order in which they were measured first.
    figures: Vec<Figure>,
}

struct Figure {
    work: String,
    metric: String,
    rounds: BTreeMap<Peer, Vec<f64>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    peer: &'a str,
    work: &'a str,
    metric: &'a str,
    #[serde(flatten)]
    spread: Spread,
}

/// One figure over all rounds.
#[derive(Clone, Copy, Serialize)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
    pub rounds: usize,
}

impl Spread {
    fn of(values: &[f64]) -> Self {
        Self {
            median: median(values),
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            rounds: values.len(),
        }
    }
}

impl Report {
    /// Adds what a round measured.
    pub fn add(&mut self, peer: Peer, samples: &[Sample]) {
        for sample in samples {
            let known =
                |figure: &&mut Figure| (&figure.work, &figure.metric) == (&sample.work, &sample.metric);
            let figure = match self.figures.iter_mut().find(known) {
                Some(figure) => figure,
                None => {
                    let (work, metric) = (sample.work.clone(), sample.metric.clone());
                    self.figures.push(Figure { work, metric, rounds: BTreeMap::new() });
                    self.figures.last_mut().expect("one was pushed")
                }
            };
            figure.rounds.entry(peer).or_default().push(sample.value);
        }
    }

    /// Returns a figure of a peer, if it has been measured.
    pub fn spread(&self, peer: Peer, work: Work, metric: &str) -> Option<Spread> {
        let work = work.to_string();
        let figure = self.figures.iter().find(|figure| figure.work == work && figure.metric == metric)?;
        figure.rounds.get(&peer).map(|values| Spread::of(values))
    }

    /// Drops what was not asked for, and puts the rest in order.
    pub fn keep(&mut self, works: &[Work]) {
        let position = |name: &str| {
            let name = name.split('-').next().unwrap_or(name);
            works.iter().find(|work| work.to_string() == name)
        };
        self.figures.retain(|figure| position(&figure.work).is_some());
        self.figures.sort_by_key(|figure| position(&figure.work));
    }

    /// Prints the medians, and farcall's divided by each peer's, with the targets.
    pub fn print(&self, plan: &Plan) {
        for work in &plan.works {
            println!("{:<4} {}", work.to_string(), work.title());
        }
        println!("\nmedians over the rounds (MiB of W5 and W6: so many there, as many back)");
        self.table(plan, |figure, peer| figure.rounds.get(&peer).map(|values| in_short(median(values))));
        if plan.peers.contains(&Peer::Farcall) && plan.peers.len() > 1 {
            println!(
                "\nratios: farcall's median / the peer's, and the target where there is one; ! marks one that is missed"
            );
            self.table(plan, |figure, peer| {
                let ratio = median(figure.rounds.get(&Peer::Farcall)?) / median(figure.rounds.get(&peer)?);
                let Some(target) = target(&figure.work, &figure.metric, peer) else {
                    return (peer != Peer::Farcall).then(|| format!("{ratio:.2}        "));
                };
                let sign = if less_is_better(&figure.metric) { '≤' } else { '≥' };
                let is_met = if sign == '≤' { ratio <= target } else { ratio >= target };
                Some(format!("{ratio:.2}{} {sign} {target:<4}", if is_met { ' ' } else { '!' }))
            });
        }
        println!();
        for (peer, work) in plan.peers.iter().flat_map(|peer| plan.works.iter().map(move |work| (peer, work)))
        {
            if let Some(why) = peer.lacks(*work) {
                println!("{peer} does no {work}: {why}");
            }
        }
    }

    fn table(&self, plan: &Plan, cell: impl Fn(&Figure, Peer) -> Option<String>) {
        print_line("work", "metric", plan.peers.iter().map(Peer::to_string));
        for figure in &self.figures {
            let cells = plan.peers.iter().map(|peer| cell(figure, *peer).unwrap_or_else(|| "–".to_owned()));
            print_line(&figure.work, &figure.metric, cells);
        }
    }

    /// Writes all figures as JSON.
    pub fn write(&self, path: &Path) -> Result<()> {
        let entries: Vec<Entry> = self
            .figures
            .iter()
            .flat_map(|figure| {
                figure.rounds.iter().map(|(peer, values)| Entry {
                    peer: peer.name(),
                    work: &figure.work,
                    metric: &figure.metric,
                    spread: Spread::of(values),
                })
            })
            .collect();
        write_json(path, &entries)
    }
}

/// Writes a file for programs to read.
pub fn write_json(path: &Path, entries: &impl Serialize) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(path, serde_json::to_string_pretty(entries)? + "\n")?)
}

/// Prints a line of a table.
pub fn print_line(name: &str, metric: &str, cells: impl Iterator<Item = String>) {
    let cells: String = cells.map(|cell| format!("{cell:>15}")).collect();
    println!("{name:<10} {metric:<20}{cells}");
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// Says a figure in a few characters.
pub fn in_short(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{:.2} M", value / 1e6),
        value if value >= 1e4 => format!("{:.1} K", value / 1e3),
        value if value >= 100.0 => format!("{value:.0}"),
        value => format!("{value:.2}"),
    }
}
