//! What the metrics of a server are called, and the handles of one server.

use std::collections::BTreeMap;
use std::time::Duration;

use metrics::{Counter, Gauge, Unit, counter, describe_counter, describe_gauge, gauge};
use rpc_core::connection::WaitsFor;
use rpc_transport::{ConnectionView, ServerView, Totals};

const OLDEST: &str = "farcall_server_oldest_call_age_seconds";
const STUCK: &str = "farcall_server_calls_stuck";
const WAITING: &str = "farcall_server_calls_waiting";

/// All that a call can wait for.
const WAITS: [WaitsFor; 6] = [
    WaitsFor::Arguments,
    WaitsFor::Handler,
    WaitsFor::Items,
    WaitsFor::Reader,
    WaitsFor::Connection,
    WaitsFor::Link,
];

/// Handlers of one method that have not answered.
#[derive(Clone, Copy, Default)]
pub(super) struct Watched {
    pub(super) oldest: Duration,
    pub(super) stuck: u32,
}

/// What one server is recorded into.
pub(super) struct Handles {
    uri: String,
    connections: Gauge,
    connections_limit: Gauge,
    connections_opened: Counter,
    connection_calls_max: Gauge,
    connection_calls_limit: Gauge,
    oneway_calls: Gauge,
    oneway_calls_limit: Gauge,
    received_bytes: Counter,
    sent_bytes: Counter,
    late_frames: Counter,
    unsent_bytes: Gauge,
    unread_bytes: Gauge,
    failures: Counter,
    leaving: Gauge,
    uptime: Gauge,
    waiting: [(WaitsFor, Gauge); 6],
    /// One for each method that was seen under way: no more than the server has, and one for all that it has not.
    methods: BTreeMap<(&'static str, &'static str), (Gauge, Gauge)>,
}

impl Handles {
    pub(super) fn new(uri: &str) -> Self {
        describe_gauge!(OLDEST, Unit::Seconds, "How long the oldest call waits for its handler's answer.");
        describe_gauge!(STUCK, Unit::Count, "Calls that wait for their handler's answer for too long.");
        describe_gauge!(WAITING, Unit::Count, "Calls under way on connections, by what they wait for.");
        let level = |name: &'static str, unit, help: &'static str| {
            describe_gauge!(name, unit, help);
            gauge!(name, "server" => uri.to_owned())
        };
        let count = |name: &'static str, unit, help: &'static str| {
            describe_counter!(name, unit, help);
            counter!(name, "server" => uri.to_owned())
        };
        let (calls, bytes) = (Unit::Count, Unit::Bytes);
        Self {
            uri: uri.to_owned(),
            connections: level(
                "farcall_server_connections",
                calls,
                "Connections, those being opened included.",
            ),
            connections_limit: level("farcall_server_connections_limit", calls, "How many there may be."),
            connections_opened: count(
                "farcall_server_connections_opened_total",
                calls,
                "Connections that were opened.",
            ),
            connection_calls_max: level(
                "farcall_server_connection_calls_max",
                calls,
                "Calls under way on the connection that has most of them.",
            ),
            connection_calls_limit: level(
                "farcall_server_connection_calls_limit",
                calls,
                "How many calls each connection may have under way; 0 while there is no connection.",
            ),
            oneway_calls: level("farcall_server_oneway_calls", calls, "Oneway handlers that run."),
            oneway_calls_limit: level("farcall_server_oneway_calls_limit", calls, "How many may."),
            received_bytes: count("farcall_server_received_bytes_total", bytes, "What came over links."),
            sent_bytes: count("farcall_server_sent_bytes_total", bytes, "What was handed to links."),
            late_frames: count("farcall_server_late_frames_total", calls, "Frames for calls that had ended."),
            unsent_bytes: level("farcall_server_unsent_bytes", bytes, "What waits for links to take it."),
            unread_bytes: level("farcall_server_unread_bytes", bytes, "Items that no handler has taken yet."),
            failures: count(
                "farcall_server_failures_total",
                calls,
                "Calls that were answered with a status.",
            ),
            leaving: level("farcall_server_leaving", calls, "1 where the server shuts down, else 0."),
            uptime: level("farcall_server_uptime_seconds", Unit::Seconds, "How long the server has run."),
            waiting: WAITS.map(|waits| {
                (waits, gauge!(WAITING, "server" => uri.to_owned(), "waits_for" => waits.name()))
            }),
            methods: BTreeMap::new(),
        }
    }

    pub(super) fn record_server(&self, server: &ServerView, totals: Totals) {
        self.connections.set(server.connections as f64);
        self.connections_limit.set(server.connections_max as f64);
        self.oneway_calls.set(server.oneway_calls as f64);
        self.oneway_calls_limit.set(server.oneway_calls_max as f64);
        self.failures.absolute(server.failures);
        self.leaving.set(f64::from(u8::from(server.is_leaving)));
        self.uptime.set(server.age.as_secs_f64());
        self.connections_opened.absolute(totals.connections);
        self.received_bytes.absolute(totals.received_bytes);
        self.sent_bytes.absolute(totals.sent_bytes);
        self.late_frames.absolute(totals.late_frames);
    }

    pub(super) fn record_connections(&self, connections: &[ConnectionView]) {
        let views = || connections.iter().map(|connection| &connection.view);
        self.unsent_bytes.set(views().map(|view| view.unsent_bytes as f64).sum::<f64>());
        self.unread_bytes.set(views().map(|view| view.unread_bytes as f64).sum::<f64>());
        self.connection_calls_max.set(views().map(|view| view.calls.len()).max().unwrap_or(0) as f64);
        self.connection_calls_limit.set(f64::from(views().map(|view| view.calls_max).max().unwrap_or(0)));
        for (waits, gauge) in &self.waiting {
            let calls = views().flat_map(|view| &view.calls).filter(|call| call.waits_for == *waits).count();
            gauge.set(calls as f64);
        }
    }

    pub(super) fn record_methods(&mut self, watched: BTreeMap<(&'static str, &'static str), Watched>) {
        // Methods that are idle now say so, too.
        for (name, (oldest, stuck)) in &self.methods {
            if !watched.contains_key(name) {
                oldest.set(0.0);
                stuck.set(0.0);
            }
        }
        let uri = &self.uri;
        for ((service, method), Watched { oldest, stuck }) in watched {
            let of = |name: &'static str| gauge!(name, "server" => uri.clone(), "service" => service, "method" => method);
            let (age, count) =
                self.methods.entry((service, method)).or_insert_with(|| (of(OLDEST), of(STUCK)));
            age.set(oldest.as_secs_f64());
            count.set(f64::from(stuck));
        }
    }
}
