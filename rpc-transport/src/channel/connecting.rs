//! Making a channel's connection: one try at a time, which all calls that wait for it share, and which outlives each of them.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Instant;

use rpc_core::{Error, ErrorKind, Fate, deadline_after};
use tokio::task::{AbortHandle, yield_now};

use super::Inner;
use super::dial::{Dial, Ends, Tried};
use super::members::Retired;
use crate::clock::now;
use crate::connection::ClientConnection;
use crate::link::Link;
#[cfg(feature = "quic")]
use crate::{link::quic, uri::Uri};

/// What changes when connections come and go, and no call looks at.
#[derive(Default)]
pub(super) struct State {
    tries: Tries,
    pub(super) retired: Vec<Retired>,
    /// How many connections were made.
    pub(super) made: u64,
    /// Of its own: what one channel draws is then not moved by what others do.
    pub(super) chance: fastrand::Rng,
    /// Who looks after the connections.
    pub(super) upkeep: Option<AbortHandle>,
}

/// How making a connection goes.
#[derive(Default)]
struct Tries {
    /// Failed in a row, since the last connection.
    failed: u32,
    next_at: Option<Instant>,
    /// How many have ended, and how the last one failed.
    ended: u64,
    error: Option<Arc<Error>>,
    under_way: Option<Arc<Dial>>,
}

/// What a call that needs a connection does next.
enum Step {
    Take(Arc<ClientConnection>),
    Sleep(Instant),
    Wait(Arc<Dial>),
}

impl Inner {
    /// Returns a connection that takes calls: one that somebody else has made in the meantime, or a new one.
    pub(super) async fn reconnect(
        self: &Arc<Self>,
        deadline: Option<Instant>,
    ) -> Result<Arc<ClientConnection>, Error> {
        let known = self.state().tries.ended;
        loop {
            match self.step(known, deadline)? {
                Step::Take(connection) => return Ok(connection),
                Step::Sleep(until) => tokio::time::sleep_until(until.into()).await,
                Step::Wait(dial) => {
                    if let Some(tried) = dial.wait().await {
                        return tried.map_err(|error| self.failed(error));
                    }
                    // The try went away with its runtime, and another one is made; where that is this task's runtime, it must get to stop the task.
                    yield_now().await;
                }
            }
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(self: &Arc<Self>, known: u64, deadline: Option<Instant>) -> Result<Step, Error> {
        let state = &mut *self.state();
        if let Some(connection) = self.usable() {
            return Ok(Step::Take(connection));
        }
        if let Some(error) = state.tries.error.clone().filter(|_| state.tries.ended != known) {
            return Err(self.failed(error));
        }
        match self.next_try(state) {
            Step::Sleep(next_at) if deadline.is_some_and(|deadline| deadline <= next_at) => {
                Err(self.too_early(state.tries.failed))
            }
            step => Ok(step),
        }
    }

    /// Makes one more connection, whatever there are; gives when the next try may be made, where this one fails.
    pub(super) async fn another(self: &Arc<Self>) -> Result<(), Instant> {
        loop {
            let step = self.next_try(&mut self.state());
            match step {
                Step::Sleep(until) => return Err(until),
                Step::Wait(dial) => match dial.wait().await {
                    Some(Ok(_)) => return Ok(()),
                    Some(Err(_)) => return Err(self.state().tries.next_at.unwrap_or_else(now)),
                    None => yield_now().await,
                },
                Step::Take(_) => return Ok(()),
            }
        }
    }

    /// Joins the try that is under way, or begins one where it is time: there is one at a time.
    fn next_try(self: &Arc<Self>, state: &mut State) -> Step {
        let tries = &mut state.tries;
        if let Some(dial) = tries.under_way.clone().filter(|dial| dial.is_under_way()) {
            return Step::Wait(dial);
        }
        if let Some(next_at) = tries.next_at.filter(|next_at| *next_at > now()) {
            return Step::Sleep(next_at);
        }
        let dial = Arc::new(Dial::default());
        tries.under_way = Some(dial.clone());
        let ends = Ends(dial.clone());
        let inner = self.clone();
        // In a task of its own: a call that is given up half way takes nothing from those who wait with it.
        tokio::spawn(async move {
            ends.with(inner.make().await);
        });
        Step::Wait(dial)
    }

    async fn make(self: &Arc<Self>) -> Tried {
        let started_at = now();
        self.retire_ended(&mut self.state());
        let pings_halved = self.pings_halved.load(Ordering::Relaxed);
        let made = self.connect(pings_halved).await.map(Arc::new).map_err(Arc::new);
        let state = &mut *self.state();
        let (failed, ended) = (state.tries.failed.saturating_add(1), state.tries.ended.wrapping_add(1));
        state.tries = match &made {
            Ok(_) => Tries { ended, ..Tries::default() },
            Err(error) => {
                let next_at =
                    deadline_after(started_at, self.options.backoff.after(failed, state.chance.f64()));
                Tries { failed, next_at: Some(next_at), ended, error: Some(error.clone()), under_way: None }
            }
        };
        if let Ok(connection) = &made {
            self.admit(state, connection.clone(), pings_halved);
            self.start_upkeep(state);
            if !self.options.pool.is_one() && self.is_short() {
                // The others of a pool: whoever waits for this one has it.
                self.grow();
            }
        }
        made
    }

    async fn connect(&self, pings_halved: u32) -> Result<ClientConnection, Error> {
        let limits = &self.options.limits.clone().halve_pings(pings_halved);
        #[cfg(feature = "quic")]
        if let (Uri::Quic(host), Some(tls)) = (&self.uri, &self.options.security.tls) {
            return quic::connect(host, tls, limits).await;
        }
        let timeout = self.options.connect_timeout;
        let link = tokio::time::timeout(timeout, Link::connect(&self.uri));
        let link = match link.await {
            Ok(Ok(link)) => link,
            Ok(Err(error)) => {
                let text = "no connection could be made: check the address, and that a server listens there";
                return Err(Error::new(ErrorKind::Connect, text).with_source(error));
            }
            Err(_) => {
                let text = format!(
                    "no connection could be made within this side's connect_timeout of {timeout:?}: check the address, or allow more"
                );
                return Err(Error::new(ErrorKind::Connect, text));
            }
        };
        #[cfg(any(feature = "tls", feature = "websocket"))]
        if let Some(kind) = self.uri.handshake() {
            let open = async {
                let link = link.shake_hands(&self.uri, &self.options.security).await?;
                ClientConnection::open(link, limits).await
            };
            let opened = tokio::time::timeout(limits.handshake_timeout, open).await;
            return opened.unwrap_or_else(|_| {
                let text = format!(
                    "the {kind} handshake was not done within this side's handshake_timeout of {:?}: check that the peer speaks it, or allow more",
                    limits.handshake_timeout
                );
                Err(Error::new(ErrorKind::Connect, text))
            });
        }
        ClientConnection::open(link, limits).await
    }

    /// Gives a call its own copy of what its try failed with.
    fn failed(&self, error: Arc<Error>) -> Error {
        let copy = Error::new(error.kind(), error.to_string())
            .with_fate(Fate::NeverSent)
            .with_peer(self.uri.to_string());
        match std::error::Error::source(&*error) {
            Some(_) => copy.with_source(SourceOf(error)),
            None => copy,
        }
    }

    fn too_early(&self, failed: u32) -> Error {
        let text = format!(
            "no connection could be made {failed} times in a row, and the next try comes after the call's deadline: check that a server listens there"
        );
        Error::new(ErrorKind::Connect, text).with_peer(self.uri.to_string())
    }
}

/// Stands for the source of a shared error.
#[derive(Debug)]
struct SourceOf(Arc<Error>);

impl SourceOf {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&*self.0)
    }
}

impl fmt::Display for SourceOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source().map_or(Ok(()), |source| fmt::Display::fmt(source, f))
    }
}

impl std::error::Error for SourceOf {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source()?.source()
    }
}
