//! The ambient call: what a handler can find out about the call that it answers, without an argument for it.

use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;
use tokio::sync::Notify;

use crate::trace::{BAGGAGE, TRACEPARENT};
use crate::{Baggage, Caller, Metadata, MethodDescriptor, Peer, Request, TraceParent, metadata};

thread_local! {
    static CURRENT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

/// The call that the current task is answering: deadline, metadata, peer, cancellation.
///
/// Calls made while it is ambient inherit from it: their deadline is the earlier of their own and this one, and metadata that is marked
/// to propagate goes along, `traceparent`, `tracestate` and `baggage` always. When the call is cancelled its handler is dropped, and with
/// it the calls that the handler awaits. A task that the handler spawns is on its own: take the context along with
/// [`scope`](Self::scope), and watch [`cancelled`](Self::cancelled).
///
/// Outside of a handler the context is empty: no deadline, no metadata, never cancelled.
///
/// ```
/// # use rpc_core::Context;
/// let context = Context::current();
/// assert_eq!(context.deadline(), None);
/// assert_eq!(context.metadata().text("tenant"), None);
/// ```
#[derive(Clone, Default)]
pub struct Context {
    method: Option<&'static MethodDescriptor>,
    deadline: Option<Instant>,
    metadata: Option<Arc<Metadata>>,
    peer: Option<Peer>,
    caller: Option<Caller>,
    // Made when a handler first asks: most never do.
    shared: Option<Arc<Shared>>,
}

#[derive(Default)]
struct Shared {
    over: AtomicBool,
    changed: Notify,
    response_metadata: Mutex<Metadata>,
}

impl Context {
    /// Returns the ambient call's context; an empty one outside of a handler.
    pub fn current() -> Self {
        CURRENT.with_borrow_mut(|current| {
            let Some(context) = current else { return Self::default() };
            context.shared.get_or_insert_default();
            context.clone()
        })
    }

    /// Returns the method that is being answered.
    pub fn method(&self) -> Option<&'static MethodDescriptor> {
        self.method
    }

    /// Returns when the call must be over.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Returns how much time is left; zero once the deadline has passed, none where there is no deadline.
    pub fn time_left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(crate::call::now()))
    }

    /// Returns what the caller sent beside the arguments.
    pub fn metadata(&self) -> &Metadata {
        static EMPTY: Metadata = Metadata::new();
        self.metadata.as_deref().unwrap_or(&EMPTY)
    }

    /// Returns who calls.
    pub fn peer(&self) -> Option<&Peer> {
        self.peer.as_ref()
    }

    /// Returns whom the call was proved to come from; none where no layer of the server has looked, or where it found nobody.
    ///
    /// It does not go along with the calls that the handler makes: those bring proof of their own.
    pub fn caller(&self) -> Option<&Caller> {
        self.caller.as_ref()
    }

    /// Returns the trace that the call belongs to, where it came with a well-formed W3C `traceparent`: with the caller's span, or with
    /// the span of this call where a layer has begun one, as `farcall::layers::Trace` does.
    pub fn trace(&self) -> Option<TraceParent> {
        TraceParent::parse(self.metadata().text(TRACEPARENT)?)
    }

    /// Returns what travels with the trace as W3C `baggage`; without such, an empty one.
    pub fn baggage(&self) -> Baggage {
        self.metadata().text(BAGGAGE).map(Baggage::parse).unwrap_or_default()
    }

    /// Sets a value that travels beside the result; for a stream, set it before the stream is returned.
    ///
    /// # Panics
    /// Where [`Metadata::is_valid_key`] says no.
    pub fn set_response_metadata(&self, key: &str, value: impl Into<metadata::Value>) {
        if let Some(shared) = &self.shared {
            shared.response_metadata.lock().unwrap_or_else(PoisonError::into_inner).insert(key, value);
        }
    }

    /// Tells whether the call is over: cancelled by the caller, past its deadline, its connection lost, or answered.
    pub fn is_cancelled(&self) -> bool {
        self.shared.as_ref().is_some_and(|shared| shared.over.load(Ordering::Acquire))
    }

    /// Waits until the call is over, for whichever reason; for ever outside of a call.
    ///
    /// # Cancel safety
    /// It can be dropped and called again at any time.
    pub async fn cancelled(&self) {
        let Some(shared) = &self.shared else { return std::future::pending().await };
        loop {
            let changed = shared.changed.notified();
            if self.is_cancelled() {
                return;
            }
            changed.await;
        }
    }

    /// Makes this the ambient context while `future` is polled, as a task that a handler spawns needs it.
    pub fn scope<F: Future>(self, future: F) -> Scope<F> {
        Scope { future, context: Some(self), ends_call: None }
    }

    pub(crate) fn of(request: &mut Request) -> Self {
        let metadata = request.take_metadata();
        Self {
            method: request.descriptor(),
            deadline: request.deadline(),
            metadata: (!metadata.is_empty()).then(|| Arc::new(metadata)),
            peer: request.take_peer(),
            caller: request.take_caller(),
            shared: None,
        }
    }

    /// Like [`scope`](Self::scope), and the call is over once the future is done or dropped.
    pub(crate) fn answer<F: Future>(self, future: F) -> Scope<F> {
        Scope { future, context: Some(self), ends_call: Some(EndsCall::default()) }
    }

    /// Lets a request inherit from the ambient call.
    pub(crate) fn inherit(request: &mut Request) {
        CURRENT.with_borrow(|current| {
            let Some(context) = current else { return };
            let earlier = [request.deadline(), context.deadline].into_iter().flatten().min();
            request.set_deadline(earlier);
            if let Some(metadata) = &context.metadata {
                request.metadata_mut().inherit(metadata);
            }
        });
    }

    /// Takes what the handler that is being polled wants to send beside its result.
    pub(crate) fn take_response_metadata() -> Metadata {
        CURRENT.with_borrow(|current| match current.as_ref().and_then(|context| context.shared.as_ref()) {
            Some(shared) => {
                std::mem::take(&mut *shared.response_metadata.lock().unwrap_or_else(PoisonError::into_inner))
            }
            None => Metadata::new(),
        })
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("method", &self.method.map(ToString::to_string))
            .field("deadline", &self.deadline)
            .field("metadata", self.metadata())
            .field("peer", &self.peer)
            .field("caller", &self.caller)
            .field("cancelled", &self.is_cancelled())
            .finish()
    }
}

pin_project! {
    /// The future that [`Context::scope`] makes.
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct Scope<F> {
        #[pin]
        future: F,
        context: Option<Context>,
        ends_call: Option<EndsCall>,
    }
}

/// Says that the call is over when it is dropped.
#[derive(Default)]
struct EndsCall {
    shared: Option<Arc<Shared>>,
}

impl Drop for EndsCall {
    fn drop(&mut self) {
        if let Some(shared) = &self.shared {
            shared.over.store(true, Ordering::Release);
            shared.changed.notify_waiters();
        }
    }
}

impl<F: Future> Future for Scope<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        swap_current(this.context);
        // Put back even if the future panics, so that the next call on this thread does not inherit from this one.
        let guard = Restore { context: this.context, ends_call: this.ends_call };
        let poll = this.future.poll(cx);
        drop(guard);
        if poll.is_ready() {
            *this.ends_call = None;
        }
        poll
    }
}

/// Makes another context the ambient one, where it lies: it is too large to be moved about.
fn swap_current(context: &mut Option<Context>) {
    CURRENT.with_borrow_mut(|current| std::mem::swap(current, context));
}

struct Restore<'a> {
    /// While the future is polled, the context that was the ambient one before.
    context: &'a mut Option<Context>,
    ends_call: &'a mut Option<EndsCall>,
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        swap_current(self.context);
        // Noted after a panic too: what the handler has spawned must still learn of its end.
        if let (Some(ends_call), Some(context)) = (&mut self.ends_call, &self.context)
            && ends_call.shared.is_none()
        {
            ends_call.shared.clone_from(&context.shared);
        }
    }
}

impl<F> fmt::Debug for Scope<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("context", &self.context).finish_non_exhaustive()
    }
}
