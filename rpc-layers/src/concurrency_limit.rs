//! Bounds how many calls are under way at one time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use rpc_core::{Error, ErrorKind, Fate, Layer, MethodDescriptor, MethodId, Request, Response, Service};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::held::hold;
use crate::refusals::Refusals;
use crate::timeout::now;

/// Lets so many calls be under way at one time, in all and by method; a further one waits its turn or is refused.
///
/// A call is under way until its answer is there, or the last of the items that follow it. What is refused was not run, so a caller may
/// try again. A call that is given up gives its place back.
///
/// ```
/// use rpc_core::MethodId;
/// use rpc_layers::ConcurrencyLimit;
/// let layer = ConcurrencyLimit::new(256)
///     .per_method(64)
///     .method(MethodId::hash("Reports", "build"), 2)
///     .queue(32);
/// # let _ = layer;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ConcurrencyLimit {
    total: usize,
    each: Option<usize>,
    methods: HashMap<MethodId, usize>,
    queue: usize,
}

impl ConcurrencyLimit {
    /// Caps the calls under way in all.
    ///
    /// Too low leaves the service idle while callers wait; too high lets a slow service gather calls until memory is short.
    pub fn new(calls: usize) -> Self {
        Self { total: calls, each: None, methods: HashMap::new(), queue: 0 }
    }

    /// Caps the calls of each method that is known here, so that a slow one leaves room for the others. Default: no such cap.
    pub fn per_method(mut self, calls: usize) -> Self {
        self.each = Some(calls);
        self
    }

    /// Caps the calls of one method, in place of [`per_method`](Self::per_method).
    pub fn method(mut self, method: MethodId, calls: usize) -> Self {
        self.methods.insert(method, calls);
        self
    }

    /// Lets so many calls wait for each of the caps, first come, first served.
    ///
    /// Default: 0, which refuses at once. Too long a queue makes each call in it late; none refuses in any burst.
    pub fn queue(mut self, calls: usize) -> Self {
        self.queue = calls;
        self
    }
}

impl<S: Service> Layer<S> for ConcurrencyLimit {
    type Service = ConcurrencyLimitService<S>;

    fn layer(self, inner: S) -> Self::Service {
        let Self { total, each, methods, queue } = self;
        let by_method = (each.is_some() || !methods.is_empty()).then(|| {
            let gates = methods.into_iter().map(|(id, calls)| (id, Arc::new(Gate::new(calls, queue))));
            ByMethod { each, queue, gates: RwLock::new(gates.collect()) }
        });
        ConcurrencyLimitService {
            inner,
            total: Gate::new(total, queue),
            by_method,
            refusals: Refusals::new("concurrency"),
        }
    }
}

/// The service that [`ConcurrencyLimit`] makes.
///
/// # Errors
/// [`ErrorKind::Refused`]: as many calls are under way and wait as may; the call was not run.
///
/// # Cancel safety
/// A call that is dropped gives its place back, in the queue as well.
#[derive(Debug)]
pub struct ConcurrencyLimitService<S> {
    inner: S,
    total: Gate,
    by_method: Option<ByMethod>,
    refusals: Refusals,
}

impl<S: Service> Service for ConcurrencyLimitService<S> {
    async fn call(&self, mut request: Request) -> Result<Response, Error> {
        // The method first: a call that waits for a busy method holds up no other.
        let method = match &self.by_method {
            Some(by_method) => {
                request.find_descriptor(&self.inner);
                match by_method.gate(&request) {
                    Some(gate) => Some(self.enter(&gate, &request).await?),
                    None => None,
                }
            }
            None => None,
        };
        let total = self.enter(&self.total, &request).await?;
        let response = self.inner.call(request).await?;
        Ok(hold(response, (total, method)))
    }

    fn find_method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.inner.find_method(id)
    }

    fn describe(&self, lines: &mut Vec<String>) {
        let each = self.by_method.as_ref().and_then(|by_method| by_method.each);
        let each = each.map(|calls| format!("{calls} per method, ")).unwrap_or_default();
        let Gate { calls, queue, .. } = &self.total;
        lines.push(format!("ConcurrencyLimit({calls} calls, {each}{queue} waiting)"));
        self.inner.describe(lines);
    }
}

impl<S: Service> ConcurrencyLimitService<S> {
    async fn enter(&self, gate: &Gate, request: &Request) -> Result<OwnedSemaphorePermit, Error> {
        let entered = gate.enter(request).await;
        if entered.is_err() {
            let id = request.method();
            self.refusals.count(id, || request.descriptor().or_else(|| self.inner.find_method(id)));
        }
        entered
    }
}

#[derive(Debug)]
struct ByMethod {
    each: Option<usize>,
    queue: usize,
    gates: RwLock<HashMap<MethodId, Arc<Gate>>>,
}

impl ByMethod {
    fn gate(&self, request: &Request) -> Option<Arc<Gate>> {
        let id = request.method();
        if let Some(gate) = self.gates.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Some(gate.clone());
        }
        let each = self.each?;
        // Ids come from peers: only a method that this program has gets a gate, so there are as many as it has methods.
        request.descriptor()?;
        let mut gates = self.gates.write().unwrap_or_else(PoisonError::into_inner);
        Some(gates.entry(id).or_insert_with(|| Arc::new(Gate::new(each, self.queue))).clone())
    }
}

#[derive(Debug)]
struct Gate {
    permits: Arc<Semaphore>,
    calls: usize,
    waiting: AtomicUsize,
    queue: usize,
}

impl Gate {
    fn new(calls: usize, queue: usize) -> Self {
        let permits = Arc::new(Semaphore::new(calls.min(Semaphore::MAX_PERMITS)));
        Self { permits, calls, waiting: AtomicUsize::new(0), queue }
    }

    async fn enter(&self, request: &Request) -> Result<OwnedSemaphorePermit, Error> {
        if let Ok(permit) = self.permits.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let _place = Place::take(self).ok_or_else(|| self.full(request))?;
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| self.full(request))?;
        // A call whose caller has stopped waiting is not worth running.
        if request.deadline().is_some_and(|deadline| deadline <= now()) {
            return Err(Error::deadline_exceeded().with_fate(Fate::NeverSent));
        }
        Ok(permit)
    }

    fn full(&self, request: &Request) -> Error {
        let text = format!(
            "{} was not taken up: {} calls are under way and {} wait, as many as may; try again later, or raise the limit",
            request.method_name(),
            self.calls,
            self.queue
        );
        Error::new(ErrorKind::Refused, text)
    }
}

/// A place in a queue.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(gate: &'a Gate) -> Option<Self> {
        let one_more = |waiting: usize| waiting.checked_add(1).filter(|waiting| *waiting <= gate.queue);
        gate.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(Self(&gate.waiting))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
