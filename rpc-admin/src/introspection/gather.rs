//! Looking at many connections without holding up the server, or taking memory for all of them.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use rpc_core::Peer;
use rpc_core::connection::CallView;
use rpc_transport::{ConnectionView, Ended, Failure, Inspector, ServerView};

use super::info::{
    BusyConnection, CallInfo, CallList, ConnectionInfo, ConnectionList, EndedInfo, FailureInfo, LimitInfo,
    ServerInfo,
};
use super::top::Top;

/// So many connections are looked at before other work has its turn.
const TURN: usize = 64;
/// Texts that a peer has a say in are cut to this.
const TEXT_BYTES_MAX: usize = 512;

/// Shows each connection whose number is above `after`, the oldest first.
pub(super) async fn each_connection(
    inspector: &Inspector,
    mut after: u64,
    mut see: impl FnMut(ConnectionView) + Send,
) {
    loop {
        let some = inspector.connections_after(after, TURN);
        let Some(last) = some.last() else { return };
        after = last.number;
        some.into_iter().for_each(&mut see);
        tokio::task::yield_now().await;
    }
}

pub(super) async fn connections(inspector: &Inspector, after: u64, max: usize) -> ConnectionList {
    let (mut connections, mut left_out) = (Vec::new(), 0_u64);
    each_connection(inspector, after, |view| {
        if connections.len() < max {
            connections.push(connection_info(&view));
        } else {
            left_out = left_out.saturating_add(1);
        }
    })
    .await;
    ConnectionList { connections, left_out }
}

/// The calls that have been under way for longest.
pub(super) struct Oldest {
    older_than: Duration,
    top: Top<Duration, (u64, Peer, CallView)>,
}

impl Oldest {
    pub(super) fn new(older_than: Duration, max: usize) -> Self {
        Self { older_than, top: Top::new(max) }
    }

    pub(super) fn see(&mut self, view: &ConnectionView) {
        for call in view.view.calls.iter().filter(|call| call.age >= self.older_than) {
            self.top.add(call.age, (view.number, view.peer.clone(), *call));
        }
    }

    pub(super) fn list(self, inspector: &Inspector) -> CallList {
        let left_out = self.top.left_out();
        let info = |(age, (connection, peer, call)): (Duration, (u64, Peer, CallView))| CallInfo {
            connection,
            peer: cut(peer.uri()),
            method: inspector
                .method(call.method)
                .map_or_else(|| call.method.to_string(), ToString::to_string),
            age,
            waits_for: call.waits_for.name().to_owned(),
            more: BTreeMap::new(),
        };
        CallList { calls: self.top.into_sorted().map(info).collect(), left_out }
    }
}

/// The connections that have moved the most since they were last looked at.
pub(super) struct Busiest<'a> {
    before: &'a HashMap<u64, u64>,
    now: HashMap<u64, u64>,
    top: Top<u64, ConnectionInfo>,
}

impl<'a> Busiest<'a> {
    pub(super) fn new(before: &'a HashMap<u64, u64>, max: usize) -> Self {
        Self { before, now: HashMap::new(), top: Top::new(max) }
    }

    pub(super) fn see(&mut self, view: &ConnectionView) {
        let bytes = view.view.received_bytes.saturating_add(view.view.sent_bytes);
        self.now.insert(view.number, bytes);
        let before = self.before.get(&view.number).copied().unwrap_or_default();
        self.top.add(bytes.saturating_sub(before), connection_info(view));
    }

    /// Returns them, and what each connection has moved so far.
    pub(super) fn list(self) -> (Vec<BusyConnection>, HashMap<u64, u64>) {
        let info = |(recent_bytes, connection)| BusyConnection { connection, recent_bytes };
        (self.top.into_sorted().map(info).collect(), self.now)
    }
}

/// What all connections together say of a server.
#[derive(Default)]
pub(super) struct Sums {
    calls: u64,
    waiting: BTreeMap<&'static str, u64>,
    /// Calls under way, and how many may be, on the connection that is nearest to its limit.
    fullest: Option<(u64, u64)>,
}

impl Sums {
    pub(super) fn see(&mut self, view: &ConnectionView) {
        for call in &view.view.calls {
            let waiting = self.waiting.entry(call.waits_for.name()).or_default();
            *waiting = waiting.saturating_add(1);
        }
        let (calls, max) = (count(view.view.calls.len()), u64::from(view.view.calls_max));
        self.calls = self.calls.saturating_add(calls);
        let left = |(calls, max): (u64, u64)| max.saturating_sub(calls);
        if self.fullest.is_none_or(|fullest| left((calls, max)) < left(fullest)) {
            self.fullest = Some((calls, max));
        }
    }

    pub(super) fn server(self, view: ServerView) -> ServerInfo {
        let limit = |name: &str, used, max| LimitInfo { name: name.to_owned(), used, max };
        let mut limits = vec![
            limit("connections", count(view.connections), count(view.connections_max)),
            limit("oneway_calls", count(view.oneway_calls), count(view.oneway_calls_max)),
        ];
        limits.extend(self.fullest.map(|(used, max)| limit("calls_in_flight", used, max)));
        ServerInfo {
            uris: view.uris,
            layers: view.layers,
            services: view.services.into_iter().map(str::to_owned).collect(),
            age: view.age,
            is_leaving: view.is_leaving,
            connections_opened: view.connections_opened,
            calls: self.calls,
            waiting: self.waiting.into_iter().map(|(name, calls)| (name.to_owned(), calls)).collect(),
            failures: view.failures,
            limits,
            more: BTreeMap::new(),
        }
    }
}

fn connection_info(ConnectionView { number, peer, age, view, .. }: &ConnectionView) -> ConnectionInfo {
    ConnectionInfo {
        number: *number,
        peer: cut(peer.uri()),
        age: *age,
        calls: count(view.calls.len()),
        calls_max: u64::from(view.calls_max),
        received_bytes: view.received_bytes,
        sent_bytes: view.sent_bytes,
        unsent_bytes: count(view.unsent_bytes),
        unread_bytes: view.unread_bytes,
        credit_bytes: view.credit_bytes,
        silent_for: view.silent_for,
        is_draining: view.is_draining,
        late_frames: view.late_frames,
        more: BTreeMap::new(),
    }
}

pub(super) fn failure_info(failure: Failure) -> FailureInfo {
    FailureInfo {
        at: failure.at,
        method: failure.method,
        peer: cut(failure.peer.uri()),
        code: failure.code.name().into(),
        text: failure.text,
        elapsed: failure.elapsed,
        more: BTreeMap::new(),
    }
}

pub(super) fn ended_info(ended: Ended) -> EndedInfo {
    EndedInfo {
        number: ended.number,
        peer: cut(ended.peer.uri()),
        at: ended.at,
        age: ended.age,
        reason: ended.reason,
        more: BTreeMap::new(),
    }
}

pub(super) fn cut(text: &str) -> String {
    text.get(..text.floor_char_boundary(TEXT_BYTES_MAX)).unwrap_or_default().to_owned()
}

fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}
