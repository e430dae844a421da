//! Sends a token with each call.

mod source;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use rpc_core::{
    Code, Error, Fate, Layer, MethodDescriptor, MethodId, Request, Response, Service, Status, deadline_after,
};
use tokio::sync::{Mutex, MutexGuard};

pub use source::{Fixed, Token, TokenSource};

use super::authenticate::AUTHORIZATION;
use crate::timeout::{now, within};

const FETCH_TIMEOUT: Duration = Duration::from_secs(10);
const REFRESH_BEFORE_MAX: Duration = Duration::from_secs(60);
/// After a fetch, the next one waits so long, whatever became of it.
const PAUSE: Duration = Duration::from_secs(1);

/// Sends a token with each call of a client, as the metadata `authorization: Bearer <token>`.
///
/// A token that expires is fetched anew before it does, by one call at a time, while the others go on with the old one; once it has expired,
/// they wait. A server that answers `UNAUTHENTICATED` has the next call fetch another. The token is not marked to propagate: what the called
/// handler calls in turn does not get it. A call that brings metadata `authorization` of its own keeps that; what it has inherited is replaced.
///
/// Over `tcp://` a token can be read on the way: use `tls://` where the network is not yours alone.
///
/// ```
/// use rpc_core::{Layer, Router};
/// use rpc_layers::auth::BearerToken;
/// let service = BearerToken::new("f3d8Kq0vXw7cTn1LzR5b").layer(Router::new());
/// # let _ = service;
/// ```
#[must_use]
pub struct BearerToken<T = Fixed> {
    source: T,
    fetch_timeout: Duration,
    refresh_before: Option<Duration>,
}

impl BearerToken {
    /// Sends the same token always.
    pub fn new(token: impl Into<Box<str>>) -> Self {
        Self::from_source(Fixed { token: Token::new(token) })
    }
}

impl<T: TokenSource> BearerToken<T> {
    /// Sends what a source gives, which is asked when the first call is made.
    pub fn from_source(source: T) -> Self {
        Self { source, fetch_timeout: FETCH_TIMEOUT, refresh_before: None }
    }

    /// Bounds how long the source may take.
    ///
    /// Default: 10 s. Too short fails calls while the source is slow; too long holds them up while it is stuck. A call's own deadline holds, too.
    pub fn fetch_timeout(mut self, timeout: Duration) -> Self {
        self.fetch_timeout = timeout;
        self
    }

    /// Fetches a token anew when so much of its time is left.
    ///
    /// Default: a fifth of its time, and a minute at most. Too little has calls wait for the source, or be refused by a server whose clock
    /// is ahead; too much asks the source more often than needed.
    pub fn refresh_before(mut self, left: Duration) -> Self {
        self.refresh_before = Some(left);
        self
    }
}

impl<T> fmt::Debug for BearerToken<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerToken")
            .field("fetch_timeout", &self.fetch_timeout)
            .field("refresh_before", &self.refresh_before)
            .finish_non_exhaustive()
    }
}

impl<S: Service, T: TokenSource> Layer<S> for BearerToken<T> {
    type Service = BearerTokenService<S, T>;

    fn layer(self, inner: S) -> Self::Service {
        let fetching = Mutex::new(Fetching { not_before: now(), failed: None });
        BearerTokenService { inner, settings: self, current: ArcSwapOption::empty(), fetching }
    }
}

/// The service that [`BearerToken`] makes.
///
/// # Errors
/// What the source failed with, or `UNAVAILABLE` where it took too long: the call was never sent.
///
/// # Panics
/// Where it has to wait for a token: outside of a tokio runtime with its time driver on.
///
/// # Cancel safety
/// A call that is dropped while it fetches a token leaves that to the next.
pub struct BearerTokenService<S, T> {
    inner: S,
    settings: BearerToken<T>,
    current: ArcSwapOption<Held>,
    /// Held by whoever asks the source.
    fetching: Mutex<Fetching>,
}

struct Held {
    value: Box<str>,
    fetched_at: Instant,
    /// None where it stays valid.
    times: Option<Times>,
}

struct Times {
    refresh_at: Instant,
    expires_at: Instant,
}

struct Fetching {
    not_before: Instant,
    failed: Option<Failed>,
}

struct Failed {
    at: Instant,
    code: Code,
    text: String,
}

impl<S: Service, T: TokenSource> Service for BearerTokenService<S, T> {
    async fn call(&self, mut request: Request) -> Result<Response, Error> {
        let own = request.metadata().iter().find(|entry| entry.key() == AUTHORIZATION);
        if own.is_some_and(|entry| !entry.propagates()) {
            return self.inner.call(request).await;
        }
        let held = self.token(request.deadline()).await?;
        request.metadata_mut().insert(AUTHORIZATION, &*held.value);
        let result = self.inner.call(request).await;
        if result.as_ref().is_err_and(|error| error.code() == Code::Unauthenticated) {
            self.refused(&held);
        }
        result
    }

    fn find_method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.inner.find_method(id)
    }

    fn describe(&self, lines: &mut Vec<String>) {
        lines.push("BearerToken".to_owned());
        self.inner.describe(lines);
    }
}

impl<S, T: TokenSource> BearerTokenService<S, T> {
    /// Returns a token that is valid, after fetching one where it must be.
    async fn token(&self, deadline: Option<Instant>) -> Result<Arc<Held>, Error> {
        let asked_at = now();
        if let Some(held) = self.current.load_full() {
            if held.times.as_ref().is_none_or(|times| asked_at < times.refresh_at) {
                return Ok(held);
            }
            if held.times.as_ref().is_some_and(|times| asked_at < times.expires_at) {
                return self.refreshed(held, deadline).await;
            }
        }
        let Some(fetching) = within(self.until(deadline), self.fetching.lock()).await else {
            return Err(never_sent(self.too_slow(deadline)));
        };
        // While this call waited, another one may have had an answer.
        if let Some(held) = self.current.load_full().filter(|held| held.fetched_at >= asked_at) {
            return Ok(held);
        }
        match &fetching.failed {
            Some(failed) if failed.at >= asked_at || asked_at < fetching.not_before => {
                Err(never_sent(Status::new(failed.code, failed.text.clone()).into()))
            }
            _ => self.fetch(fetching, deadline).await.map_err(never_sent),
        }
    }

    /// Fetches a new token if nobody does; the old one does as well, for a while.
    async fn refreshed(&self, old: Arc<Held>, deadline: Option<Instant>) -> Result<Arc<Held>, Error> {
        let Ok(fetching) = self.fetching.try_lock() else { return Ok(old) };
        if now() < fetching.not_before {
            return Ok(old);
        }
        let error = match self.fetch(fetching, deadline).await {
            Err(error) => error,
            fetched => return fetched,
        };
        if old.times.as_ref().is_some_and(|times| times.expires_at <= now()) {
            return Err(never_sent(error));
        }
        tracing::warn!(%error, "a token could not be fetched anew; the old one is used until it expires");
        Ok(old)
    }

    async fn fetch(
        &self,
        mut fetching: MutexGuard<'_, Fetching>,
        deadline: Option<Instant>,
    ) -> Result<Arc<Held>, Error> {
        let began_at = now();
        let fetched = within(self.until(deadline), self.settings.source.fetch()).await;
        let fetched = fetched.unwrap_or_else(|| Err(self.too_slow(deadline)));
        fetching.not_before = deadline_after(now(), PAUSE);
        match fetched {
            Ok(token) => {
                let held = Arc::new(self.held(&token, began_at));
                self.current.store(Some(held.clone()));
                fetching.failed = None;
                Ok(held)
            }
            Err(error) => {
                // A deadline is this call's own: the next may have more time.
                if deadline.is_none_or(|deadline| deadline > now()) {
                    fetching.failed = Some(Failed { at: now(), code: error.code(), text: text(&error) });
                }
                Err(error)
            }
        }
    }

    fn held(&self, token: &Token, began_at: Instant) -> Held {
        let times = token.lifetime.map(|lifetime| {
            let before =
                self.settings.refresh_before.unwrap_or_else(|| lifetime.mul_f64(0.2).min(REFRESH_BEFORE_MAX));
            Times {
                refresh_at: deadline_after(began_at, lifetime.saturating_sub(before)),
                expires_at: deadline_after(began_at, lifetime),
            }
        });
        Held { value: ["Bearer ", &token.text].concat().into(), fetched_at: now(), times }
    }

    /// Lets go of a token that a server has refused, unless it has only just come: the source is not asked for each call.
    fn refused(&self, held: &Arc<Held>) {
        if deadline_after(held.fetched_at, PAUSE) <= now() {
            let _ = self.current.compare_and_swap(held, None);
        }
    }

    fn until(&self, deadline: Option<Instant>) -> Instant {
        let latest = deadline_after(now(), self.settings.fetch_timeout);
        deadline.map_or(latest, |deadline| deadline.min(latest))
    }

    fn too_slow(&self, deadline: Option<Instant>) -> Error {
        if deadline.is_some_and(|deadline| deadline <= now()) {
            return Error::deadline_exceeded();
        }
        let text = format!(
            "no token came within {:?}: see whether its source answers, or allow more with `fetch_timeout`",
            self.settings.fetch_timeout
        );
        Status::new(Code::Unavailable, text).into()
    }
}

fn never_sent(error: Error) -> Error {
    error.with_fate(Fate::NeverSent)
}

fn text(error: &Error) -> String {
    error.status().map_or_else(|| error.to_string(), |status| status.message().to_owned())
}

impl<S: fmt::Debug, T> fmt::Debug for BearerTokenService<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerTokenService")
            .field("settings", &self.settings)
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
