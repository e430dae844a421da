//! The answering side: a server listens, and answers calls until it is shut down.

mod accept;
mod age;
mod answer;
mod builder;
mod deadline;
mod inspector;
mod placement;
#[cfg(feature = "metrics")]
mod queue;
mod serve;

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use rpc_core::{Router, Service};
use tokio::sync::{mpsc, watch};

pub use builder::ServerBuilder;
pub use inspector::{ConnectionView, Ended, Failure, Inspector, ServerView, Totals};

/// How far a server is on its way to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Running,
    /// As before, but those who ask are told to call elsewhere.
    Leaving,
    /// No new links, no new calls; calls under way go on.
    Draining,
    /// Calls under way are ended.
    Stopping,
}

/// Waits for a future, but only until the server has come this far.
async fn until<F: Future>(phase: &mut watch::Receiver<Phase>, end: Phase, future: F) -> Option<F::Output> {
    let mut reached = pin!(phase.wait_for(|phase| *phase >= end));
    let mut future = pin!(future);
    poll_fn(|cx| {
        // A server that is gone without a word counts as come to its end.
        if reached.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        future.as_mut().poll(cx).map(Some)
    })
    .await
}

/// Lets a server go on to a later phase; false where it is there already.
fn raise(phase: &watch::Sender<Phase>, to: Phase) -> bool {
    phase.send_if_modified(|phase| {
        let is_later = to > *phase;
        *phase = to.max(*phase);
        is_later
    })
}

/// A running server.
///
/// It runs in tasks of its own until it is shut down or dropped; dropping it ends its calls at once.
///
/// ```no_run
/// # async fn example() -> Result<(), rpc_core::Error> {
/// use rpc_transport::Server;
/// let server = Server::builder().bind("tcp://127.0.0.1:0").await?;
/// println!("listening on {}", server.uri());
/// server.shutdown().await;
/// # Ok(()) }
/// ```
#[must_use = "dropping a server ends it"]
pub struct Server {
    uris: Vec<String>,
    layers: Vec<String>,
    handle: ServerHandle,
    inspector: Inspector,
    grace: Duration,
    /// Never sent to: it closes when the last task of the server is gone.
    tasks: mpsc::Receiver<()>,
}

impl Server {
    /// Starts setting up a server.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }

    /// Returns the address it listens on, with the port that the system chose; the first, where there are several.
    pub fn uri(&self) -> &str {
        self.uris.first().map_or("", String::as_str)
    }

    /// Returns all addresses it listens on.
    pub fn uris(&self) -> &[String] {
        &self.uris
    }

    /// Describes what a call passes through, a line each, the outermost layer first and the services last.
    pub fn describe(&self) -> &[String] {
        &self.layers
    }

    /// Lets the services announce it ([`Service::leave`]), and goes on for [`drain_delay`](ServerBuilder::drain_delay); then stops listening, tells clients to call elsewhere, and lets calls under way finish; those that are not done after the grace period are
    /// ended with `UNAVAILABLE`. Returns once no connection is left, also with streams that never end.
    ///
    /// # Cancel safety
    /// Dropping the future drops the server, which ends its calls at once.
    pub async fn shutdown(self) {
        self.handle().shutdown();
        self.wait().await;
    }

    /// Waits until the server ends, which it does only when somebody calls [`ServerHandle::shutdown`]; then as [`shutdown`](Self::shutdown) does.
    ///
    /// # Cancel safety
    /// Dropping the future drops the server, which ends its calls at once.
    pub async fn wait(mut self) {
        let mut phase = self.handle.phase.subscribe();
        // The sender lives as long as `self`, so this cannot fail.
        let _ = phase.wait_for(|phase| *phase >= Phase::Draining).await;
        if tokio::time::timeout(self.grace, self.tasks.recv()).await.is_err() {
            self.handle.phase.send_replace(Phase::Stopping);
            self.tasks.recv().await;
        }
    }

    /// Returns a handle that can start the shutdown from elsewhere.
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }

    /// Returns what sees into the server.
    pub fn inspector(&self) -> &Inspector {
        &self.inspector
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.handle.phase.send_replace(Phase::Stopping);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("uris", &self.uris).finish_non_exhaustive()
    }
}

/// Starts the shutdown of a [`Server`] from elsewhere, such as a signal handler.
#[derive(Clone)]
pub struct ServerHandle {
    phase: Arc<watch::Sender<Phase>>,
    services: Router,
    drain_delay: Duration,
}

impl ServerHandle {
    /// Lets the server drain; [`Server::wait`] returns when it has.
    pub fn shutdown(&self) {
        if raise(&self.phase, Phase::Leaving) {
            self.services.leave();
            if self.drain_delay.is_zero() {
                raise(&self.phase, Phase::Draining);
            }
        }
    }

    /// Drains a server that is leaving, once those who ask have had the time to learn of it.
    async fn drain_in_time(phase: Arc<watch::Sender<Phase>>, delay: Duration) {
        if delay.is_zero() {
            // Whoever shuts it down does so, after the services have heard.
            return;
        }
        let mut reached = phase.subscribe();
        let _ = reached.wait_for(|phase| *phase >= Phase::Leaving).await;
        if until(&mut reached, Phase::Draining, tokio::time::sleep(delay)).await.is_some() {
            raise(&phase, Phase::Draining);
        }
    }
}

impl fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerHandle({:?})", *self.phase.borrow())
    }
}
