//! What the metrics of calls are called, and the handles of one method.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use metrics::{
    Counter, Gauge, Histogram, IntoF64, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};
use rpc_core::Code;

use crate::timeout::now;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Client,
    Attempts,
    Server,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Attempts => "attempts",
            Self::Server => "server",
        }
    }

    const fn names(self) -> &'static Names {
        match self {
            Self::Client => &CLIENT,
            Self::Attempts => &ATTEMPTS,
            Self::Server => &SERVER,
        }
    }
}

struct Names {
    started: &'static str,
    finished: &'static str,
    in_flight: &'static str,
    duration: &'static str,
    request_size: &'static str,
    response_size: &'static str,
    items_sent: &'static str,
    items_received: &'static str,
}

macro_rules! names {
    ($prefix:literal) => {
        Names {
            started: concat!($prefix, "s_started_total"),
            finished: concat!($prefix, "s_finished_total"),
            in_flight: concat!($prefix, "s_in_flight"),
            duration: concat!($prefix, "_duration_seconds"),
            request_size: concat!($prefix, "_request_size_bytes"),
            response_size: concat!($prefix, "_response_size_bytes"),
            items_sent: concat!($prefix, "_items_sent_total"),
            items_received: concat!($prefix, "_items_received_total"),
        }
    };
}

static CLIENT: Names = names!("farcall_client_call");
static ATTEMPTS: Names = names!("farcall_client_attempt");
static SERVER: Names = names!("farcall_server_call");
const RETRIES: &str = "farcall_client_retries_total";

impl Names {
    fn describe(&self) {
        describe_counter!(self.started, Unit::Count, "Calls that have begun.");
        describe_counter!(self.finished, Unit::Count, "Calls that are over, by how they ended.");
        describe_gauge!(self.in_flight, Unit::Count, "Calls that have begun and are not over.");
        describe_histogram!(
            self.duration,
            Unit::Seconds,
            "From the start of a call to its end, items included."
        );
        describe_histogram!(self.request_size, Unit::Bytes, "Encoded arguments and items of a call.");
        describe_histogram!(self.response_size, Unit::Bytes, "Encoded result and items of a call.");
        describe_counter!(self.items_sent, Unit::Count, "Items of streams that this side has sent.");
        describe_counter!(self.items_received, Unit::Count, "Items of streams that have come here.");
    }
}

/// How a call ended, as the label `code` has it: the codes by their numbers, and two that are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Ok,
    /// The method has answered with its own error.
    MethodError,
    Code(Code),
}

const ENDS: usize = Code::ALL.len().saturating_add(2);

impl End {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::MethodError => "METHOD_ERROR",
            Self::Code(code) => code.name(),
        }
    }

    fn index(self) -> usize {
        match self {
            Self::Ok => 0,
            Self::Code(code) => usize::from(code as u16),
            Self::MethodError => ENDS.saturating_sub(1),
        }
    }
}

/// What the calls of one method are recorded into.
pub(super) struct Handles {
    kind: Kind,
    service: &'static str,
    method: &'static str,
    pub(super) started: Counter,
    pub(super) in_flight: Gauge,
    pub(super) request_size: Histogram,
    pub(super) response_size: Histogram,
    /// Of the request's items and of the response's, whichever of them this side sends.
    pub(super) asked_items: Counter,
    pub(super) answered_items: Counter,
    pub(super) retries: Counter,
    ends: [OnceLock<Ended>; ENDS],
    /// Somebody records how long calls take, or that is not known yet.
    is_timed: AtomicBool,
}

struct Ended {
    finished: Counter,
    duration: Histogram,
}

impl Handles {
    pub(super) fn new(kind: Kind, service: &'static str, method: &'static str) -> Self {
        let names = kind.names();
        names.describe();
        let of = |name: &'static str| counter!(name, "service" => service, "method" => method);
        let size = |name: &'static str| histogram!(name, "service" => service, "method" => method);
        let (sent, received) = (of(names.items_sent), of(names.items_received));
        let (asked_items, answered_items) =
            if kind == Kind::Server { (received, sent) } else { (sent, received) };
        let retries = if kind == Kind::Attempts {
            describe_counter!(RETRIES, Unit::Count, "Attempts that were not the first of their call.");
            of(RETRIES)
        } else {
            Counter::noop()
        };
        Self {
            kind,
            service,
            method,
            started: of(names.started),
            in_flight: gauge!(names.in_flight, "service" => service, "method" => method),
            request_size: size(names.request_size),
            response_size: size(names.response_size),
            asked_items,
            answered_items,
            retries,
            ends: [const { OnceLock::new() }; ENDS],
            is_timed: AtomicBool::new(true),
        }
    }

    /// Tells whether it is of use to know when a call began.
    pub(super) fn is_timed(&self) -> bool {
        self.is_timed.load(Ordering::Relaxed)
    }

    /// A call is over, which began then.
    pub(super) fn finish(&self, end: End, start: Option<Instant>) {
        let Some(ended) = self.ends.get(end.index()) else { return };
        let ended = ended.get_or_init(|| self.ended(end));
        ended.finished.increment(1);
        if let Some(start) = start {
            ended.duration.record(Since(start));
        }
    }

    #[cold]
    fn ended(&self, end: End) -> Ended {
        let Self { kind, service, method, .. } = *self;
        let (names, code) = (kind.names(), end.name());
        let ended = Ended {
            finished: counter!(names.finished, "service" => service, "method" => method, "code" => code),
            duration: histogram!(names.duration, "service" => service, "method" => method, "code" => code),
        };
        // A recorder that wants to know of some ends only is told of those from its first one on.
        let is_timed = is_recorded(&ended.duration)
            || self.ends.iter().filter_map(OnceLock::get).any(|ended| is_recorded(&ended.duration));
        self.is_timed.store(is_timed, Ordering::Relaxed);
        ended
    }
}

/// How long it is since then, in seconds; the clock is read only where that is recorded.
struct Since(Instant);

impl IntoF64 for Since {
    fn into_f64(self) -> f64 {
        now().saturating_duration_since(self.0).as_secs_f64()
    }
}

/// Tells whether a recorder has given this handle, or whether it is one that does nothing.
fn is_recorded(histogram: &Histogram) -> bool {
    struct Asked<'a>(&'a Cell<bool>);

    impl IntoF64 for Asked<'_> {
        fn into_f64(self) -> f64 {
            self.0.set(true);
            0.0
        }
    }

    let is_asked = Cell::new(false);
    // A value that is recorded no times: it is asked for all the same, where there is a recorder.
    histogram.record_many(Asked(&is_asked), 0);
    is_asked.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_has_a_place_of_its_own() {
        let ends = Code::ALL.map(End::Code).into_iter().chain([End::Ok, End::MethodError]);
        let mut places: Vec<_> = ends.map(End::index).collect();
        places.sort_unstable();
        assert_eq!(places, (0..ENDS).collect::<Vec<_>>());
    }
}
