//! Early data (0-RTT): what a client sends before the server has answered (rule Q10).

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use quinn::{Connection, ConnectionError, VarInt, ZeroRttAccepted};
use tokio::sync::watch;
use tokio::time::timeout;

use super::arrivals::{Arrival, Sink};
use super::frames;
use crate::link::RunsEarly;
use crate::tls::{TlsClient, TlsServer};

/// What becomes of the calls that a server reads while a handshake is under way.
#[derive(Clone)]
pub(super) struct EarlyCalls {
    runs_early: RunsEarly,
    is_confirmed: watch::Receiver<bool>,
}

/// A handshake that is under way at a server.
pub(super) struct Watching {
    pub(super) connection: Connection,
    /// So much time it has.
    pub(super) limit: Duration,
    pub(super) tls: TlsServer,
    /// It counts among those that are under way until it is done.
    pub(super) under_way: Arc<()>,
}

impl EarlyCalls {
    /// Watches over a handshake.
    pub(super) fn new(watching: Watching, confirmed: ZeroRttAccepted, runs_early: RunsEarly) -> Self {
        let (confirm, is_confirmed) = watch::channel(false);
        tokio::spawn(async move {
            let Watching { connection, limit, tls, under_way: _under_way } = watching;
            // What it says is for clients.
            let is_over = timeout(limit, confirmed).await.is_ok();
            let is_done = is_over && connection.close_reason().is_none();
            tls.count(is_done);
            if is_done {
                confirm.send_replace(true);
            } else {
                // Nobody has proved to be there: it may be a packet that was sent again.
                connection.close(VarInt::from_u32(0), b"the handshake was not done in time");
            }
        });
        Self { runs_early, is_confirmed }
    }

    /// Waits until what may follow this frame, the first of a stream, may be acted on; false where the handshake has failed.
    pub(super) async fn may_run(&mut self, first: &[u8]) -> bool {
        let runs_early = frames::opened_method(first).is_some_and(|method| (self.runs_early)(method));
        runs_early || self.is_confirmed.wait_for(|is_confirmed| *is_confirmed).await.is_ok()
    }
}

impl Sink {
    /// Waits until a handshake is done, which has so much time, and says whether the server has taken what was sent before.
    pub(super) async fn watch_handshake(
        self,
        connection: Connection,
        accepted: ZeroRttAccepted,
        limit: Duration,
        tls: TlsClient,
    ) {
        let accepted = timeout(limit, accepted).await;
        tls.count(accepted.is_ok() && connection.close_reason().is_none());
        match accepted {
            // That it has failed is said by who watches the connection.
            Ok(_) if connection.close_reason().is_some() => {}
            Ok(accepted) => self.send(Arrival::Handshake { accepted }).await,
            Err(_) => {
                self.send(Arrival::Lost(ConnectionError::TimedOut)).await;
                connection.close(VarInt::from_u32(0), b"the handshake was not done in time");
            }
        }
    }
}

/// A server has taken nothing of what was sent before the handshake was done.
#[derive(Debug)]
pub(crate) struct Rejected;

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server has not taken the early data")
    }
}

impl std::error::Error for Rejected {}

impl Rejected {
    /// Tells whether that is what an error of the link says.
    pub(crate) fn is_why(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|why| why.is::<Self>())
    }
}
