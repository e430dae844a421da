//! Prometheus' text format, version 0.0.4.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Write};
use std::sync::Arc;

use metrics::{Key, SharedString};

use super::registry::Registry;
use super::series::{Buckets, Count, Level};

/// All metrics of one name.
struct Family {
    kind: &'static str,
    /// By their labels, as they are written.
    series: BTreeMap<String, Value>,
}

enum Value {
    Count(Arc<Count>),
    Level(Arc<Level>),
    Buckets(Arc<Buckets>),
}

/// Writes all metrics down, sorted by name and labels.
pub(super) fn render(registry: &Registry) -> String {
    let mut families = BTreeMap::new();
    for (key, count) in registry.counters.all() {
        add(&mut families, &key, "counter", Value::Count(count));
    }
    for (key, level) in registry.gauges.all() {
        add(&mut families, &key, "gauge", Value::Level(level));
    }
    for (key, buckets) in registry.histograms.all() {
        add(&mut families, &key, "histogram", Value::Buckets(buckets));
    }
    let help = registry.help.all().into_iter().map(|(name, text)| (name.as_str().to_owned(), text));
    let mut out = String::new();
    // A string takes all that is written.
    let _ = write(&mut out, registry, &families, &help.collect());
    out
}

fn add(families: &mut BTreeMap<String, Family>, key: &Key, kind: &'static str, value: Value) {
    let family =
        families.entry(name(key.name(), true)).or_insert_with(|| Family { kind, series: BTreeMap::new() });
    // A name is of one kind: what a program records under it as another is left out.
    if family.kind == kind {
        family.series.insert(labels(key), value);
    }
}

fn write(
    out: &mut String,
    registry: &Registry,
    families: &BTreeMap<String, Family>,
    help: &HashMap<String, Arc<SharedString>>,
) -> fmt::Result {
    for (name, Family { kind, series }) in families {
        let text = help.get(name).map_or("", |text| text.as_ref());
        head(out, name, kind, text)?;
        for (labels, value) in series {
            match value {
                Value::Count(count) => line(out, name, "", labels, count.get())?,
                Value::Level(level) => line(out, name, "", labels, Number(level.get()))?,
                Value::Buckets(buckets) => write_buckets(out, name, labels, buckets)?,
            }
        }
    }
    let (series, refused) = ("farcall_prometheus_series", "farcall_prometheus_series_refused_total");
    head(out, series, "gauge", "How many metrics are kept, each set of labels counted apart.")?;
    line(out, series, "", "", registry.series())?;
    head(out, refused, "counter", "How often a further one was asked for above the limit.")?;
    line(out, refused, "", "", registry.refused.get())
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    if !help.is_empty() {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        writeln!(out, "# HELP {name} {help}")?;
    }
    writeln!(out, "# TYPE {name} {kind}")
}

fn line(out: &mut String, name: &str, part: &str, labels: &str, value: impl fmt::Display) -> fmt::Result {
    match labels {
        "" => writeln!(out, "{name}{part} {value}"),
        _ => writeln!(out, "{name}{part}{{{labels}}} {value}"),
    }
}

fn write_buckets(out: &mut String, name: &str, labels: &str, buckets: &Buckets) -> fmt::Result {
    let counts = buckets.counts();
    let comma = if labels.is_empty() { "" } else { "," };
    for (bound, count) in &counts {
        writeln!(out, "{name}_bucket{{{labels}{comma}le=\"{}\"}} {count}", Number(*bound))?;
    }
    line(out, name, "_sum", labels, Number(buckets.sum()))?;
    line(out, name, "_count", labels, counts.last().map_or(0, |(_, all)| *all))
}

/// A number as Go reads it.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            number if number == f64::INFINITY => f.write_str("+Inf"),
            number if number == f64::NEG_INFINITY => f.write_str("-Inf"),
            number => number.fmt(f),
        }
    }
}

/// A name with `_` in the place of each character that may not stand there.
fn name(name: &str, may_have_colons: bool) -> String {
    let is_fine = |(place, char): (usize, char)| {
        let is_one = char.is_ascii_alphabetic() || char == '_' || (char == ':' && may_have_colons);
        if is_one || (char.is_ascii_digit() && place > 0) { char } else { '_' }
    };
    name.chars().enumerate().map(is_fine).collect()
}

fn labels(key: &Key) -> String {
    let mut labels: Vec<_> = key
        .labels()
        .map(|label| {
            let value = label.value().replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            format!("{}=\"{value}\"", name(label.key(), false))
        })
        .collect();
    labels.sort_unstable();
    labels.join(",")
}

#[cfg(test)]
mod tests;
