//! Keeps answers, and gives them again.

mod store;

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rpc_core::{Body, Error, Layer, MethodDescriptor, MethodId, Request, Response, Service};

use crate::idempotent::Idempotent;
use crate::timeout::now;
use store::{Key, Store};

/// Keeps the answers of some methods for a while, and gives them again to calls with the same arguments.
///
/// Name only methods that read: one that writes would not be run for a call that was seen before. Arguments are the same where their
/// bytes and their codec are. **Whoever may call gets what anybody was answered**: where the answer depends on the caller, say by what
/// metadata with [`vary`](Self::vary). Kept are results, not what travels beside them; not a method's own errors, not statuses, not
/// streams. Calls that come before the first answer all go through.
///
/// ```
/// # use rpc_core::{MethodDescriptor, ServiceDescriptor};
/// # static GET: MethodDescriptor = MethodDescriptor::new("Store", "get").with_idempotent();
/// # static STORE: ServiceDescriptor = ServiceDescriptor::new("Store", &[&GET]);
/// # struct StoreClient;
/// # impl StoreClient { const DESCRIPTOR: &'static ServiceDescriptor = &STORE; }
/// use std::time::Duration;
/// use rpc_layers::{Cache, Idempotent};
/// const READ: Idempotent = Idempotent::new(StoreClient::DESCRIPTOR, "get");
/// let layer = Cache::new(Duration::from_secs(5)).method(READ).vary("tenant");
/// # let _ = layer;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Cache {
    ttl: Duration,
    methods: HashSet<MethodId>,
    vary: Vec<Box<str>>,
    entries_max: usize,
    bytes_max: usize,
}

impl Cache {
    /// Keeps each answer for so long.
    ///
    /// Too short saves nothing; too long answers with what is no longer so.
    pub fn new(ttl: Duration) -> Self {
        Self { ttl, methods: HashSet::new(), vary: Vec::new(), entries_max: 10_000, bytes_max: 16 << 20 }
    }

    /// Keeps the answers of this method. Default: of none.
    ///
    /// It takes an [`Idempotent`]: for a method that is not marked, that does not compile, or is refused at set-up.
    pub fn method(mut self, method: Idempotent) -> Self {
        self.methods.insert(method.method().id());
        self
    }

    /// Keeps answers apart by the value of a metadata key.
    pub fn vary(mut self, key: &str) -> Self {
        self.vary.push(key.into());
        self
    }

    /// Caps the answers that are kept. Default: 10,000. Beyond it, one that was not asked for lately makes room.
    pub fn entries_max(mut self, entries: usize) -> Self {
        self.entries_max = entries;
        self
    }

    /// Caps the bytes of arguments and answers that are kept. Default: 16 MiB. An answer that is larger is not kept.
    pub fn bytes_max(mut self, bytes: usize) -> Self {
        self.bytes_max = bytes;
        self
    }
}

impl<S: Service> Layer<S> for Cache {
    type Service = CacheService<S>;

    fn layer(self, inner: S) -> Self::Service {
        let store = Mutex::new(Store::new(self.entries_max, self.bytes_max));
        CacheService { inner, policy: self, store }
    }
}

/// The service that [`Cache`] makes.
#[derive(Debug)]
pub struct CacheService<S> {
    inner: S,
    policy: Cache,
    store: Mutex<Store>,
}

impl<S: Service> Service for CacheService<S> {
    async fn call(&self, mut request: Request) -> Result<Response, Error> {
        request.find_descriptor(&self.inner);
        let Some(key) = self.key(&request) else { return self.inner.call(request).await };
        let codec = request.codec();
        if let Some(message) = self.store.lock().unwrap_or_else(PoisonError::into_inner).find(&key, now()) {
            return Ok(Response::new(codec, Body::new(message)));
        }
        let response = self.inner.call(request).await?;
        if !response.is_failed() && response.codec() == codec && !response.body().has_items() {
            let until = rpc_core::deadline_after(now(), self.policy.ttl);
            self.store.lock().unwrap_or_else(PoisonError::into_inner).insert(
                key,
                response.body().message(),
                until,
            );
        }
        Ok(response)
    }

    fn find_method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.inner.find_method(id)
    }

    fn describe(&self, lines: &mut Vec<String>) {
        lines.push(format!("Cache({:?})", self.policy.ttl));
        self.inner.describe(lines);
    }
}

impl<S> CacheService<S> {
    /// What the answer is kept under; none where it is not kept.
    fn key(&self, request: &Request) -> Option<Key> {
        let is_kept = self.policy.methods.contains(&request.method())
            && !request.body().has_items()
            && request.descriptor().is_some_and(|method| method.is_idempotent());
        is_kept.then(|| Key {
            method: request.method(),
            codec: request.codec(),
            arguments: request.body().message().clone(),
            vary: self.policy.vary.iter().map(|key| request.metadata().value(key).cloned()).collect(),
        })
    }
}
