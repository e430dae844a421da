//! A timeline as people read it.

use std::fmt;
use std::time::Duration;

use super::{ServerTimes, Timeline};

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waits_for_link = self.opened_at.is_some() && !self.was_sent();
        let parts = [
            (self.layers(), "in layers here", self.entered_at.is_none() && self.started_at.is_some()),
            (self.connecting, "connecting", false),
            (self.queue, "queue", false),
            (
                self.sending(),
                if waits_for_link { "waiting to be sent" } else { "until sent" },
                waits_for_link,
            ),
            (self.waiting(), "waiting for the answer", self.was_sent()),
        ];
        let mut comma = "";
        for (time, what, is_last) in parts {
            // What took no time is left out, unless it is where the call ended.
            if is_last || time >= SHOWN_MIN {
                write!(f, "{comma}{} {what}", Time(time))?;
                comma = ", ";
            }
        }
        match self.server.zip(self.network()) {
            Some((server, _)) if comma.is_empty() => write!(f, "server: {server}"),
            Some((server, network)) => write!(f, " (server: {server}; {} on the way)", Time(network)),
            None if comma.is_empty() => f.write_str("no time"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ServerTimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} queue, {} handler", Time(self.queue()), Time(self.handler()))
    }
}

/// Less than this is shown as nothing.
const SHOWN_MIN: Duration = Duration::from_micros(50);

/// A time in the unit that reads best.
struct Time(Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = self.0.as_secs_f64() * 1e3;
        match milliseconds {
            ..9.95 => write!(f, "{milliseconds:.1} ms"),
            ..9_999.5 => write!(f, "{milliseconds:.0} ms"),
            _ => write!(f, "{:.1} s", self.0.as_secs_f64()),
        }
    }
}
