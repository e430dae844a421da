//! Early data (0-RTT): what a client sends before the server has answered (rule Q10).

use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use quinn::{Connection, ConnectionError, VarInt, WriteError, ZeroRttAccepted};
use rpc_core::MethodId;
use rpc_core::wire::HEADER_BYTES;
use tokio::sync::watch;
use tokio::time::timeout;

use super::arrivals::{Arrival, Sink};
use super::calls::{Calls, Output};
use super::mux::{Mux, broken, open_stream};
use crate::link::RunsEarly;
use crate::tls::{TlsClient, TlsServer};

/// So much is sent early at most, which is kept until it is known to have been taken: about what fits into a first flight.
pub(super) const EARLY_BYTES_MAX: usize = 16 << 10;

/// What becomes of the calls that a server reads while a handshake is under way.
#[derive(Clone)]
pub(super) struct EarlyCalls {
    runs_early: RunsEarly,
    is_confirmed: watch::Receiver<bool>,
}

impl EarlyCalls {
    /// Watches over a handshake, which has so much time.
    pub(super) fn new(
        connection: Connection,
        confirmed: ZeroRttAccepted,
        limit: Duration,
        runs_early: RunsEarly,
        tls: TlsServer,
    ) -> Self {
        let (confirm, is_confirmed) = watch::channel(false);
        tokio::spawn(async move {
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

    /// Waits until a call may run that begins with this frame; false where the handshake has failed.
    pub(super) async fn may_run(&mut self, first: &[u8]) -> bool {
        let method = first.get(HEADER_BYTES..).and_then(<[u8]>::first_chunk).copied().map(u64::from_le_bytes);
        // A frame without a method is refused by the machine.
        let runs_early = method.is_none_or(|method| (self.runs_early)(MethodId::new(method)));
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
            Ok(accepted) => self.send(Arrival::Handshake { accepted }).await,
            Err(_) => {
                self.send(Arrival::Lost(ConnectionError::TimedOut)).await;
                connection.close(VarInt::from_u32(0), b"the handshake was not done in time");
            }
        }
    }
}

impl Mux {
    /// Keeps what is written early, and tells how much of it may be: none of it where that is enough until the handshake is done.
    pub(super) fn keep_early(&mut self, bytes: &[u8]) -> usize {
        let Some(early) = &mut self.early else { return bytes.len() };
        let room = EARLY_BYTES_MAX.saturating_sub(early.len()).min(bytes.len());
        early.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        room
    }

    /// The handshake is done: where the server has taken nothing of what was written before, all of that is written again, to new streams.
    pub(super) fn end_early(&mut self, accepted: bool) {
        let Some(written) = self.early.take() else { return };
        if accepted {
            return;
        }
        self.calls = Calls::default();
        self.control = Output::default();
        self.unopened.clear();
        self.unwritten.clear();
        (self.opening, self.queued_bytes, self.has_opened) = (None, 0, false);
        self.reopening = Some(open_stream(&self.connection));
        self.partial = BytesMut::from(written.as_slice());
        self.route_all();
    }

    /// Opens the stream of what concerns the connection again, before those of calls; tells whether it is open.
    pub(super) fn poll_reopen(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let Some(opening) = &mut self.reopening else { return Ok(true) };
        let Poll::Ready(opened) = opening.as_mut().poll(cx) else { return Ok(false) };
        self.reopening = None;
        let (send, recv) = opened.map_err(|error| broken(WriteError::ConnectionLost(error)))?;
        let _ = send.set_priority(1);
        self.control.send = Some(send);
        tokio::spawn(self.sink.clone().read_control(recv));
        Ok(true)
    }
}
