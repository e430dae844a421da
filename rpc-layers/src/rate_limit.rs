//! Bounds how many calls are made in a time.

mod gcra;
mod keys;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rpc_core::{
    Code, Error, Fate, Layer, MethodDescriptor, MethodId, Pushback, Request, Response, Service, Status,
};

pub use gcra::Quota;

use crate::refusals::Refusals;
use crate::timeout::now;
use gcra::Meter;
use keys::Keys;

/// Refuses calls beyond a rate: in all, and by key, such as the tenant or the peer; who is refused is told when to come back.
///
/// A refused call counts against neither rate. The keys are bounded: where there is no room for a further one, all that have none share
/// one quota, as do keys of more than 256 bytes, so that made-up keys buy nothing. A call without a key has the key "".
///
/// ```
/// use rpc_layers::{Quota, RateLimit};
/// let layer = RateLimit::new()
///     .total(Quota::per_second(10_000))
///     .per_metadata("tenant", Quota::per_second(100).burst(20))
///     .key("batch", Quota::per_second(5));
/// # let _ = layer;
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct RateLimit {
    total: Option<Quota>,
    by_key: Option<(KeyOf, Quota)>,
    own: HashMap<Box<str>, Quota>,
    keys_max: Option<usize>,
}

const KEYS_MAX: usize = 10_000;

impl RateLimit {
    /// Creates the layer without a limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits all calls together. Default: no limit.
    pub fn total(mut self, quota: Quota) -> Self {
        self.total = Some(quota);
        self
    }

    /// Limits the calls of each value that the metadata has under `key`; text only.
    ///
    /// The caller chooses what it sends: where that matters, put this inside of what checks it.
    pub fn per_metadata(self, key: &str, quota: Quota) -> Self {
        self.by(KeyOf::Metadata(key.into()), quota)
    }

    /// Limits the calls of each peer: for `tcp://`, of each host, whatever its ports.
    pub fn per_peer(self, quota: Quota) -> Self {
        self.by(KeyOf::Peer, quota)
    }

    /// Limits the calls of each key that a function finds in a request.
    pub fn per_key(
        self,
        key: impl Fn(&Request) -> Option<String> + Send + Sync + 'static,
        quota: Quota,
    ) -> Self {
        self.by(KeyOf::Function(Arc::new(key)), quota)
    }

    fn by(mut self, key: KeyOf, quota: Quota) -> Self {
        self.by_key = Some((key, quota));
        self
    }

    /// Gives one key a quota of its own.
    pub fn key(mut self, key: &str, quota: Quota) -> Self {
        self.own.insert(key.into(), quota);
        self
    }

    /// Caps the keys that are counted apart at one time.
    ///
    /// Default: 10,000; each takes some 100 bytes beside its own. Too few throw honest callers together.
    pub fn keys_max(mut self, keys: usize) -> Self {
        self.keys_max = Some(keys);
        self
    }
}

impl<S: Service> Layer<S> for RateLimit {
    type Service = RateLimitService<S>;

    fn layer(self, inner: S) -> Self::Service {
        let Self { total, by_key, own, keys_max } = self;
        let keys_max = keys_max.unwrap_or(KEYS_MAX);
        let by_key = by_key.map(|(key, quota)| (key, Keys::new(quota, own, keys_max)));
        RateLimitService {
            inner,
            start: now(),
            total: total.map(Meter::new),
            by_key,
            refusals: Refusals::new("rate"),
        }
    }
}

/// The service that [`RateLimit`] makes.
///
/// # Errors
/// `RESOURCE_EXHAUSTED` with a [pushback](rpc_core::Status::pushback): the call was not run.
#[derive(Debug)]
pub struct RateLimitService<S> {
    inner: S,
    start: Instant,
    total: Option<Meter>,
    by_key: Option<(KeyOf, Keys)>,
    refusals: Refusals,
}

impl<S: Service> Service for RateLimitService<S> {
    async fn call(&self, request: Request) -> Result<Response, Error> {
        if let Err(wait) = self.take(&request) {
            let id = request.method();
            self.refusals.count(id, || request.descriptor().or_else(|| self.inner.find_method(id)));
            let text = format!("{} is over its rate: try again in {wait:?}", request.method_name());
            let status = Status::new(Code::ResourceExhausted, text).with_pushback(Pushback::After(wait));
            return Err(Error::from(status).with_fate(Fate::Refused));
        }
        self.inner.call(request).await
    }

    fn find_method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.inner.find_method(id)
    }

    fn describe(&self, lines: &mut Vec<String>) {
        let total = self.total.as_ref().map(|meter| format!("{} in all", meter.quota()));
        let by_key = self.by_key.as_ref().map(|(key, keys)| format!("{} per {key}", keys.quota()));
        let limits: Vec<_> = total.into_iter().chain(by_key).collect();
        lines.push(format!("RateLimit({})", limits.join(", ")));
        self.inner.describe(lines);
    }
}

impl<S> RateLimitService<S> {
    /// Counts a call, or says after how long it may come back.
    fn take(&self, request: &Request) -> Result<(), Duration> {
        let since = now().saturating_duration_since(self.start).as_nanos();
        let now = u64::try_from(since).unwrap_or(u64::MAX);
        let total = || self.total.as_ref().map_or(Ok(()), |meter| meter.take(now));
        let taken = match &self.by_key {
            Some((key, keys)) => keys.take(&key.of(request), now, total),
            None => total(),
        };
        taken.map_err(Duration::from_nanos)
    }
}

/// Where a request's key is found.
#[derive(Clone)]
enum KeyOf {
    Metadata(Box<str>),
    Peer,
    Function(Arc<KeyFunction>),
}

type KeyFunction = dyn Fn(&Request) -> Option<String> + Send + Sync;

impl KeyOf {
    fn of<'a>(&self, request: &'a Request) -> Cow<'a, str> {
        match self {
            Self::Metadata(key) => Cow::Borrowed(request.metadata().text(key).unwrap_or_default()),
            Self::Peer => Cow::Borrowed(request.peer().map(|peer| host(peer.uri())).unwrap_or_default()),
            Self::Function(function) => Cow::Owned(function(request).unwrap_or_default()),
        }
    }
}

/// A peer without its port, which is another for each connection.
fn host(uri: &str) -> &str {
    match uri.strip_prefix("tcp://").and_then(|address| address.rsplit_once(':')) {
        Some((host, _)) => host,
        None => uri,
    }
}

impl fmt::Display for KeyOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metadata(key) => f.write_str(key),
            Self::Peer => f.write_str("peer"),
            Self::Function(_) => f.write_str("key"),
        }
    }
}

impl fmt::Debug for KeyOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn a_host_is_a_peer_without_its_port() {
        assert_eq!(host("tcp://10.0.0.7:4711"), "10.0.0.7");
        assert_eq!(host("tcp://[::1]:4711"), "[::1]");
        assert_eq!(host("unix:///run/app.sock"), "unix:///run/app.sock");
        assert_eq!(host("mem://7"), "mem://7");
    }
}
