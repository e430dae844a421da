//! Making a channel's connection: one try at a time, which all calls that wait for it share, and which outlives each of them.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Instant;

use rpc_core::wire::CloseCode;
use rpc_core::{Error, ErrorKind, Fate, deadline_after};
use tokio::sync::watch;

use super::Inner;
use crate::clock::now;
use crate::connection::ClientConnection;
use crate::link::Link;
#[cfg(feature = "tls")]
use crate::uri::Uri;

/// How making a connection goes.
#[derive(Default)]
pub(super) struct Tries {
    /// Failed in a row, since the last connection.
    failed: u32,
    next_at: Option<Instant>,
    /// How many have ended, and how the last one failed.
    ended: u64,
    error: Option<Arc<Error>>,
    under_way: Option<watch::Receiver<Option<Tried>>>,
}

/// How a try ended.
type Tried = Result<Arc<ClientConnection>, Arc<Error>>;

/// What a call that needs a connection does next.
enum Step {
    Take(Arc<ClientConnection>),
    Sleep(Instant),
    Wait(watch::Receiver<Option<Tried>>),
}

impl Inner {
    /// Returns a connection that takes calls: one that somebody else has made in the meantime, or a new one.
    pub(super) async fn reconnect(
        self: &Arc<Self>,
        deadline: Option<Instant>,
    ) -> Result<Arc<ClientConnection>, Error> {
        let known = self.tries().ended;
        loop {
            match self.step(known, deadline)? {
                Step::Take(connection) => return Ok(connection),
                Step::Sleep(until) => tokio::time::sleep_until(until.into()).await,
                Step::Wait(mut tried) => {
                    let tried = tried.wait_for(Option::is_some).await.ok().and_then(|tried| tried.clone());
                    // None: the try went away with its runtime, and another one is made.
                    if let Some(tried) = tried {
                        return tried.map_err(|error| self.failed(error));
                    }
                }
            }
        }
    }

    fn tries(&self) -> MutexGuard<'_, Tries> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(self: &Arc<Self>, known: u64, deadline: Option<Instant>) -> Result<Step, Error> {
        let mut tries = self.tries();
        if let Some(connection) = self.current().filter(|connection| connection.takes_calls()) {
            return Ok(Step::Take(connection));
        }
        if let Some(error) = tries.error.clone().filter(|_| tries.ended != known) {
            return Err(self.failed(error));
        }
        if let Some(tried) = tries.under_way.clone().filter(|tried| tried.has_changed().is_ok()) {
            return Ok(Step::Wait(tried));
        }
        if let Some(next_at) = tries.next_at.filter(|next_at| *next_at > now()) {
            if deadline.is_some_and(|deadline| deadline <= next_at) {
                return Err(self.too_early(tries.failed));
            }
            return Ok(Step::Sleep(next_at));
        }
        let (end, tried) = watch::channel(None);
        tries.under_way = Some(tried.clone());
        let inner = self.clone();
        // In a task of its own: a call that is given up half way takes nothing from those who wait with it.
        tokio::spawn(async move {
            let tried = inner.make().await;
            end.send_replace(Some(tried));
        });
        Ok(Step::Wait(tried))
    }

    async fn make(&self) -> Tried {
        let started_at = now();
        let pings_halved = self.pings_halved();
        let made = self.connect(pings_halved).await.map(Arc::new).map_err(Arc::new);
        let mut tries = self.tries();
        let (failed, ended) = (tries.failed.saturating_add(1), tries.ended.wrapping_add(1));
        *tries = match &made {
            Ok(connection) => {
                self.pings_halved.store(pings_halved, Ordering::Relaxed);
                self.current.store(Some(connection.clone()));
                Tries { ended, ..Tries::default() }
            }
            Err(error) => {
                let next_at = deadline_after(started_at, self.options.backoff.after(failed, fastrand::f64()));
                Tries { failed, next_at: Some(next_at), ended, error: Some(error.clone()), under_way: None }
            }
        };
        made
    }

    /// How often the next connection halves its pings: once more where the server closed the last one for them (rule K7).
    fn pings_halved(&self) -> u32 {
        let halved = self.pings_halved.load(Ordering::Relaxed);
        let code = self.current().and_then(|last| last.shared.with(|machine| machine.peer_close_code()));
        if code == Some(CloseCode::TooManyPings) { halved.saturating_add(1) } else { halved }
    }

    async fn connect(&self, pings_halved: u32) -> Result<ClientConnection, Error> {
        let timeout = self.options.connect_timeout;
        let link = tokio::time::timeout(timeout, Link::connect(&self.uri));
        let link = match link.await {
            Ok(Ok(link)) => link,
            Ok(Err(error)) => {
                let text = "no connection could be made: check the address, and that a server listens there";
                return Err(Error::new(ErrorKind::Connect, text).with_source(error));
            }
            Err(_) => {
                let text = format!("no connection could be made within {timeout:?}");
                return Err(Error::new(ErrorKind::Connect, text));
            }
        };
        let limits = &self.options.limits.clone().halve_pings(pings_halved);
        #[cfg(feature = "tls")]
        if let (Uri::Tls(host), Some(tls)) = (&self.uri, &self.options.tls) {
            let open = async { ClientConnection::open(tls.secure(link, host).await?, limits).await };
            let opened = tokio::time::timeout(limits.handshake_timeout, open).await;
            return opened.unwrap_or_else(|_| {
                let text = format!("the TLS handshake was not done within {:?}", limits.handshake_timeout);
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
            "no connection could be made {failed} times in a row, and the next try comes after the call's deadline"
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
