//! What is printed: a line now and then, and the verdict.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::gauges::{Growth, Sample};
use crate::histogram::{Histogram, Quantiles};
use crate::ledger::{Counts, Ledger};

/// Runs that are shorter say how memory, descriptors and tasks changed, and do not judge it: too few samples fall into a tenth of them.
pub(crate) const GROWTH_JUDGED_FROM: Duration = Duration::from_secs(5 * 60);

pub(crate) fn print_line(elapsed: Duration, ledger: &Ledger, latency: &Histogram) -> anyhow::Result<()> {
    let (seconds, sample, latency) = (elapsed.as_secs(), Sample::take()?, latency.take_recent());
    println!("{seconds:>5} s: {}; {latency}; {sample}", Calls(&ledger.counts()));
    Ok(())
}

impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {:.1?}, p99 {:.1?}", self.p50, self.p99)
    }
}

/// How calls have ended, in words.
struct Calls<'a>(&'a Counts);

impl fmt::Display for Calls<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { ended, answered, sent, cancelled, failed, not_run: _ } = self.0;
        write!(f, "{ended} calls: {answered} answered, {sent} oneway, {cancelled} cancelled, failed:")?;
        let mut failed: Vec<_> = failed.iter().map(|(kind, count)| (format!("{kind:?}"), count)).collect();
        failed.sort_unstable();
        failed.iter().try_for_each(|(kind, count)| write!(f, " {kind} {count}"))
    }
}

/// What a soak has shown.
pub(crate) struct Verdict {
    pub(crate) ledger: Arc<Ledger>,
    /// Of the control client, over the whole run.
    pub(crate) latency: Quantiles,
    pub(crate) faults: String,
    pub(crate) growth: Growth,
    pub(crate) is_judged: bool,
    pub(crate) before: Sample,
    pub(crate) after: Sample,
}

impl Verdict {
    pub(crate) fn has_passed(&self) -> bool {
        self.is_right() && self.is_complete() && self.is_given_back() && self.is_steady()
    }

    fn is_right(&self) -> bool {
        self.ledger.complaints().is_empty()
    }

    fn is_complete(&self) -> bool {
        self.ledger.counts().ended == self.ledger.opened()
    }

    fn is_given_back(&self) -> bool {
        self.after.has_no_more_than(&self.before) && self.ledger.handlers() == 0
    }

    fn is_steady(&self) -> bool {
        !self.is_judged || self.growth.means().iter().all(|means| means.is_steady())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |is_right: bool| if is_right { "ok" } else { "FAILED" };
        let Self { ledger, latency, faults, growth, before, after, .. } = self;
        let counts = ledger.counts();
        writeln!(f, "\n{}\n{faults}", Calls(&counts))?;
        writeln!(f, "control client: {latency}")?;
        for complaint in ledger.complaints() {
            writeln!(f, "WRONG: {complaint}")?;
        }
        let (answered, items, not_run) = (counts.answered, ledger.items(), counts.not_run);
        writeln!(
            f,
            "{}: {answered} answers and {items} items are those of their calls, in order and whole; \
                     none of {not_run} calls that were never sent or refused has run, and none ran twice",
            word(self.is_right())
        )?;
        writeln!(
            f,
            "{}: {} of {} calls have ended",
            word(self.is_complete()),
            counts.ended,
            ledger.opened()
        )?;
        for means in growth.means() {
            let judged =
                if self.is_judged { word(means.is_steady()) } else { "not judged in so short a run" };
            write!(
                f,
                "{judged}: {:+.2} % {}, tenth by tenth after {:?}:",
                means.growth_percent(),
                means.gauge,
                growth.warm_up
            )?;
            means.parts.iter().try_for_each(|part| write!(f, " {part:.1}"))?;
            writeln!(f)?;
        }
        let handlers = ledger.handlers();
        writeln!(
            f,
            "{}: before: {before}; after: {after}; {handlers} handlers left",
            word(self.is_given_back())
        )?;
        writeln!(f, "{}", if self.has_passed() { "passed" } else { "FAILED" })
    }
}
