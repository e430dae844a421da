//! Seeing into a running server.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rpc_core::connection::View;
use rpc_core::wire::StreamId;
use rpc_core::{Code, Error, MethodDescriptor, MethodId, Peer, ServiceDescriptor};
use tokio::sync::{Semaphore, watch};

use super::Phase;
use crate::clock::now;
use crate::connection::Shared;

/// So many failures, and so many connections that have ended, are remembered.
const REMEMBERED_MAX: usize = 64;
/// A failure's text is cut to this.
const TEXT_BYTES_MAX: usize = 512;

/// Sees into a running server: its connections, the calls under way and what they wait for, its limits, what failed of late.
///
/// Looking takes the lock of each connection for a moment, one after the other; where nobody looks it costs nothing. Cloning costs a reference
/// count. One made with [`new`](Self::new) is given to [`ServerBuilder::inspector`](super::ServerBuilder::inspector), and sees nothing until the
/// server listens.
///
/// ```no_run
/// # async fn example() -> Result<(), rpc_core::Error> {
/// use rpc_transport::Server;
/// let server = Server::builder().bind("tcp://127.0.0.1:0").await?;
/// for connection in server.inspector().connections() {
///     println!("{} has {} calls under way", connection.peer, connection.view.calls.len());
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct Inspector {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    connections: Mutex<Connections>,
    failures: Mutex<Failures>,
    ended: Mutex<VecDeque<Ended>>,
    facts: OnceLock<Started>,
}

#[derive(Default)]
struct Connections {
    open: BTreeMap<u64, Entry>,
    /// How many there have been.
    count: u64,
    /// What those moved that have gone.
    gone: Totals,
}

#[derive(Clone)]
struct Entry {
    shared: Arc<Shared>,
    since: Instant,
}

/// What the connections of a server have done since it was started, those included that have gone: each number only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// How many were opened.
    pub connections: u64,
    /// What came, in bytes.
    pub received_bytes: u64,
    /// What was handed to links, in bytes.
    pub sent_bytes: u64,
    /// Frames that came for calls that had ended.
    pub late_frames: u64,
}

impl Totals {
    fn add(&mut self, shared: &Shared) {
        let (received_bytes, sent_bytes, late_frames) = shared.with(|machine| machine.totals());
        self.received_bytes = self.received_bytes.saturating_add(received_bytes);
        self.sent_bytes = self.sent_bytes.saturating_add(sent_bytes);
        self.late_frames = self.late_frames.saturating_add(late_frames);
    }
}

#[derive(Default)]
struct Failures {
    last: VecDeque<Failure>,
    count: u64,
}

struct Started {
    at: Instant,
    facts: Facts,
}

/// What a server is made of.
pub(super) struct Facts {
    pub(super) uris: Vec<String>,
    pub(super) layers: Vec<String>,
    /// Described only: a service that holds the inspector would be held by it in turn, for ever.
    pub(super) services: Vec<&'static ServiceDescriptor>,
    /// What is left of how many.
    pub(super) connections: (Arc<Semaphore>, usize),
    pub(super) oneway: (Arc<Semaphore>, usize),
    pub(super) phase: watch::Receiver<Phase>,
}

/// A server when it was looked at.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerView {
    /// The addresses that it listens on.
    pub uris: Vec<String>,
    /// What a call passes through, the outermost layer first and the services last.
    pub layers: Vec<String>,
    /// The names of its services.
    pub services: Vec<&'static str>,
    /// For how long it has been running.
    pub age: Duration,
    /// It shuts down.
    pub is_leaving: bool,
    /// How many connections there are, those that are being opened included.
    pub connections: usize,
    /// How many there may be.
    pub connections_max: usize,
    /// How many were opened since the server was started, those that have closed included.
    pub connections_opened: u64,
    /// How many oneway handlers run.
    pub oneway_calls: usize,
    /// How many may.
    pub oneway_calls_max: usize,
    /// How many calls have failed with a status since the server was started, a method's own errors not counted.
    pub failures: u64,
}

/// A connection when it was looked at.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionView {
    /// Counts up from 1, for as long as the server runs.
    pub number: u64,
    /// Who is at the other end.
    pub peer: Peer,
    /// For how long it has been open.
    pub age: Duration,
    /// What it is doing.
    pub view: View,
}

/// A call that failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failure {
    /// When it was answered.
    pub at: SystemTime,
    /// What was called: `Service/method`, or the id of a method that the server does not have.
    pub method: String,
    /// Who called.
    pub peer: Peer,
    /// What the caller was told.
    pub code: Code,
    /// The same in words, cut to 512 bytes.
    pub text: String,
    /// How long it took since its first frame came; none where the call had ended by itself.
    pub elapsed: Option<Duration>,
}

/// A connection that has ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ended {
    /// The number that it had.
    pub number: u64,
    /// Who was at the other end.
    pub peer: Peer,
    /// When it ended.
    pub at: SystemTime,
    /// How old it became.
    pub age: Duration,
    /// Why it ended, cut to 512 bytes.
    pub reason: String,
}

impl Inspector {
    /// Makes one that no server has yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at the server as a whole; none where it does not listen yet.
    pub fn server(&self) -> Option<ServerView> {
        let Started { at, facts } = self.inner.facts.get()?;
        let used =
            |(left, max): &(Arc<Semaphore>, usize)| (max.saturating_sub(left.available_permits()), *max);
        let ((connections, connections_max), (oneway_calls, oneway_calls_max)) =
            (used(&facts.connections), used(&facts.oneway));
        Some(ServerView {
            uris: facts.uris.clone(),
            layers: facts.layers.clone(),
            services: facts.services.iter().map(|service| service.name()).collect(),
            age: now().saturating_duration_since(*at),
            is_leaving: *facts.phase.borrow() > Phase::Running,
            connections,
            connections_max,
            connections_opened: lock(&self.inner.connections).count,
            oneway_calls,
            oneway_calls_max,
            failures: lock(&self.inner.failures).count,
        })
    }

    /// Looks at each open connection, the oldest first.
    pub fn connections(&self) -> Vec<ConnectionView> {
        self.connections_after(0, usize::MAX)
    }

    /// Looks at the open connections whose [number](ConnectionView::number) is above `after`, the oldest first, and at most at so many: for a server with more
    /// of them than should be looked at in one go.
    pub fn connections_after(&self, after: u64, max: usize) -> Vec<ConnectionView> {
        // Without the list's lock: the connections that come and go need it.
        let entries: Vec<_> = lock(&self.inner.connections)
            .open
            .range((Bound::Excluded(after), Bound::Unbounded))
            .take(max)
            .map(|(number, entry)| (*number, entry.clone()))
            .collect();
        let now = now();
        let view = |(number, Entry { shared, since }): (u64, Entry)| {
            let view = shared.with(|machine| machine.look(now));
            let age = now.saturating_duration_since(since);
            ConnectionView { number, peer: shared.peer.clone(), age, view }
        };
        entries.into_iter().map(view).collect()
    }

    /// Returns the descriptions of the server's services; none where it does not listen yet.
    pub fn services(&self) -> &[&'static ServiceDescriptor] {
        self.inner.facts.get().map_or(&[], |started| &started.facts.services)
    }

    /// Sums up what all connections have done so far, as counters of metrics need it.
    pub fn totals(&self) -> Totals {
        // With the list's lock only what has gone is read; a connection that goes meanwhile is counted as it is here, and as gone next time.
        let (entries, mut totals): (Vec<_>, _) = {
            let connections = lock(&self.inner.connections);
            let entries = connections.open.values().map(|entry| entry.shared.clone()).collect();
            (entries, Totals { connections: connections.count, ..connections.gone })
        };
        entries.iter().for_each(|shared| totals.add(shared));
        totals
    }

    /// Returns the last calls that failed with a status, 64 at most, the latest last.
    pub fn failures(&self) -> Vec<Failure> {
        lock(&self.inner.failures).last.iter().cloned().collect()
    }

    /// Returns the last connections that have ended, 64 at most, the latest last. Those that were turned away before they were open are not among them.
    pub fn ended(&self) -> Vec<Ended> {
        lock(&self.inner.ended).iter().cloned().collect()
    }

    /// Describes a method of the server.
    pub fn method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        let services = self.inner.facts.get()?.facts.services.iter();
        services.flat_map(|service| service.methods()).find(|method| method.id() == id).copied()
    }

    pub(super) fn start(&self, facts: Facts) {
        // An inspector sees the first server that it is given to.
        let _ = self.inner.facts.set(Started { at: now(), facts });
    }

    /// Lists a connection for as long as what this returns is kept.
    pub(super) fn list(&self, shared: &Arc<Shared>) -> Listed {
        let mut connections = lock(&self.inner.connections);
        let number = connections.count.saturating_add(1);
        connections.count = number;
        connections.open.insert(number, Entry { shared: shared.clone(), since: now() });
        Listed { inspector: self.clone(), number }
    }

    /// Notes a call that is about to be answered with an error.
    #[cold]
    pub(super) fn note_failure(&self, shared: &Shared, id: StreamId, method: MethodId, error: &Error) {
        let came_at = shared.with(|machine| machine.came_at(id));
        let method = self.method(method).map_or_else(|| method.to_string(), ToString::to_string);
        let text = match error.status() {
            Some(status) => status.message().to_owned(),
            None => error.to_string(),
        };
        let failure = Failure {
            at: SystemTime::now(),
            method,
            peer: shared.peer.clone(),
            code: error.code(),
            text: cut(&text),
            elapsed: came_at.map(|at| now().saturating_duration_since(at)),
        };
        let mut failures = lock(&self.inner.failures);
        failures.count = failures.count.saturating_add(1);
        remember(&mut failures.last, failure);
    }
}

fn remember<T>(last: &mut VecDeque<T>, one: T) {
    if last.len() == REMEMBERED_MAX {
        last.pop_front();
    }
    last.push_back(one);
}

fn cut(text: &str) -> String {
    text.get(..text.floor_char_boundary(TEXT_BYTES_MAX)).unwrap_or_default().to_owned()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection's place in the list.
pub(super) struct Listed {
    inspector: Inspector,
    number: u64,
}

impl Drop for Listed {
    fn drop(&mut self) {
        let Entry { shared, since } = {
            let mut connections = lock(&self.inspector.inner.connections);
            let Some(entry) = connections.open.remove(&self.number) else { return };
            connections.gone.add(&entry.shared);
            entry
        };
        let reason = shared.with(|machine| machine.closed_reason().map(cut));
        let ended = Ended {
            number: self.number,
            peer: shared.peer.clone(),
            at: SystemTime::now(),
            age: now().saturating_duration_since(since),
            reason: reason.unwrap_or_else(|| "its task was stopped".to_owned()),
        };
        tracing::debug!(peer = %ended.peer, age = ?ended.age, reason = ?ended.reason, "a connection has ended");
        remember(&mut lock(&self.inspector.inner.ended), ended);
    }
}

impl fmt::Debug for Inspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connections = lock(&self.inner.connections).open.len();
        f.debug_struct("Inspector").field("connections", &connections).finish_non_exhaustive()
    }
}
