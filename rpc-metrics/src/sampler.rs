//! What an inspector sees, as metrics.

mod handles;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rpc_core::MethodId;
use rpc_core::connection::WaitsFor;
use rpc_transport::{ConnectionView, Inspector};

use handles::{Handles, Watched};

/// The service and the method of calls for methods that the server does not have.
const OTHER: &str = "_OTHER";
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// Records what a server is doing when it is told to: connections, calls under way and what they wait for, bytes, limits, handlers that
/// do not answer.
///
/// It spawns nothing and costs nothing between two samples; [`Prometheus`](crate::Prometheus) takes one at each scrape. With a recorder that
/// pushes, install that first and call [`sample`](Self::sample) as often as it does. A sample takes the lock of each connection for a moment, one after the other.
///
/// ```no_run
/// # async fn example() -> Result<(), rpc_core::Error> {
/// use std::time::Duration;
/// use rpc_metrics::Sampler;
/// use rpc_transport::Server;
/// let server = Server::builder().bind("tcp://127.0.0.1:0").await?;
/// let mut sampler = Sampler::new(server.inspector());
/// tokio::spawn(async move {
///     let mut ticks = tokio::time::interval(Duration::from_secs(10));
///     loop {
///         ticks.tick().await;
///         sampler.sample();
///     }
/// });
/// # Ok(()) }
/// ```
#[must_use]
pub struct Sampler {
    inspector: Inspector,
    stuck_after: Duration,
    /// None until the server listens.
    handles: Option<Handles>,
}

impl Sampler {
    /// Makes a sampler of one server; until that listens, samples record nothing.
    pub fn new(inspector: &Inspector) -> Self {
        Self { inspector: inspector.clone(), stuck_after: STUCK_AFTER, handles: None }
    }

    /// Says after how long a call counts as stuck whose handler has not answered: `farcall_server_calls_stuck`.
    ///
    /// Default: 60 s. Too short counts honest work, such as long uploads; too long tells late of handlers that hang.
    pub const fn stuck_after(mut self, after: Duration) -> Self {
        self.stuck_after = after;
        self
    }

    /// Records what there is to see now.
    pub fn sample(&mut self) {
        let Self { inspector, stuck_after, handles } = self;
        let Some(server) = inspector.server() else { return };
        let uri = server.uris.first().map_or("", String::as_str);
        let handles = handles.get_or_insert_with(|| Handles::new(uri));
        handles.record_server(&server, inspector.totals());
        let connections = inspector.connections();
        handles.record_connections(&connections);
        handles.record_methods(watch(inspector, &connections, *stuck_after));
    }
}

/// Finds the handlers that have not answered, by method.
fn watch(
    inspector: &Inspector,
    connections: &[ConnectionView],
    stuck_after: Duration,
) -> BTreeMap<(&'static str, &'static str), Watched> {
    let mut by_id = BTreeMap::<MethodId, Watched>::new();
    for call in connections.iter().flat_map(|connection| &connection.view.calls) {
        if call.waits_for == WaitsFor::Handler {
            let watched = by_id.entry(call.method).or_default();
            watched.oldest = watched.oldest.max(call.age);
            watched.stuck = watched.stuck.saturating_add(u32::from(call.age >= stuck_after));
        }
    }
    let mut by_name = BTreeMap::<_, Watched>::new();
    for (id, watched) in by_id {
        let name = inspector.method(id).map_or((OTHER, OTHER), |method| (method.service(), method.name()));
        let all = by_name.entry(name).or_default();
        all.oldest = all.oldest.max(watched.oldest);
        all.stuck = all.stuck.saturating_add(watched.stuck);
    }
    by_name
}

impl fmt::Debug for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inspector, stuck_after, .. } = self;
        f.debug_struct("Sampler")
            .field("inspector", inspector)
            .field("stuck_after", stuck_after)
            .finish_non_exhaustive()
    }
}
