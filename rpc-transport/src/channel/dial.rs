//! A try to connect that is under way, and those who wait for it.

use std::pin::pin;
use std::sync::{Arc, OnceLock};

use rpc_core::Error;
use tokio::sync::Notify;

use crate::connection::ClientConnection;

/// How a try ended.
pub(super) type Tried = Result<Arc<ClientConnection>, Arc<Error>>;

/// A try that is under way, or was.
///
/// Not a `watch`: that wakes in an order of chance, and the first to be woken here is the first to choose a connection.
#[derive(Default)]
pub(super) struct Dial {
    /// None inside: it went away with its runtime.
    end: OnceLock<Option<Tried>>,
    ended: Notify,
}

impl Dial {
    pub(super) fn is_under_way(&self) -> bool {
        self.end.get().is_none()
    }

    /// Waits for the end; none where the try went away with its runtime.
    ///
    /// # Cancel safety
    /// It can be dropped at any time; the try goes on.
    pub(super) async fn wait(&self) -> Option<Tried> {
        let mut ended = pin!(self.ended.notified());
        // Before the look: what ends in between wakes all that wait by then.
        ended.as_mut().enable();
        if self.is_under_way() {
            ended.await;
        }
        self.end.get().cloned().flatten()
    }
}

/// Ends a try when it is dropped, be it with its task.
pub(super) struct Ends(pub(super) Arc<Dial>);

impl Ends {
    pub(super) fn with(self, tried: Tried) {
        self.0.end.get_or_init(|| Some(tried));
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.end.get_or_init(|| None);
        self.0.ended.notify_waiters();
    }
}
