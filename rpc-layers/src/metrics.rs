//! Counts and times of calls, for whoever records them.

mod call;
mod methods;
mod names;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use rpc_core::{Error, ItemStream, Layer, MethodDescriptor, MethodId, Request, Response, Service};

use crate::RETRY_ATTEMPT;
use call::{Answered, Asked, Measured, bytes};
pub(crate) use methods::Methods;
use names::{Handles, Kind};

/// Counts calls and measures them, through the [`metrics`](https://docs.rs/metrics) facade, by service, method and code.
///
/// Put [`server`](Self::server) around a server's services and [`client`](Self::client) around a client's channel, outermost, and
/// [`attempts`](Self::attempts) inside of a [`Retry`](crate::Retry): then calls and attempts are told apart, as in gRPC's A66. The names,
/// labels and units are in the guide to metrics. The code is `OK`, `METHOD_ERROR` where the method has answered with its own error, a
/// status code's name, `CANCELLED` for a call that was dropped, or `INTERNAL` for one that panicked. A call that answers with a stream ends with
/// its last item.
///
/// What a method records into is looked up at its first call and kept: install the recorder before that, for one that comes later sees
/// nothing of this layer. Methods that nobody here knows are recorded as the service and method `_OTHER`, so strangers cannot make up
/// labels. A call costs no memory, with a recorder or without; where nobody records its duration, the clock is not read.
///
/// ```
/// use rpc_core::{Layer, Router, Stack};
/// use rpc_layers::{Metrics, Retry};
/// let server = Metrics::server().layer(Router::new());
/// let client = Stack::new(Metrics::client(), Stack::new(Retry::new(), Metrics::attempts())).layer(Router::new());
/// # let _ = (server, client);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Metrics {
    kind: Kind,
}

impl Metrics {
    /// Creates the layer for calls that a client makes: metrics named `farcall_client_call…`.
    pub const fn client() -> Self {
        Self { kind: Kind::Client }
    }

    /// Creates the layer for the attempts of a client's calls, inside of what makes calls again: metrics named `farcall_client_attempt…`,
    /// and `farcall_client_retries_total`.
    pub const fn attempts() -> Self {
        Self { kind: Kind::Attempts }
    }

    /// Creates the layer for calls that a server answers: metrics named `farcall_server_call…`.
    pub const fn server() -> Self {
        Self { kind: Kind::Server }
    }
}

impl<S: Service> Layer<S> for Metrics {
    type Service = MetricsService<S>;

    fn layer(self, inner: S) -> Self::Service {
        MetricsService { inner, kind: self.kind, methods: Methods::new() }
    }
}

/// The service that [`Metrics`] makes.
///
/// # Cancel safety
/// A call that is dropped is counted with `CANCELLED`.
#[derive(Debug)]
pub struct MetricsService<S> {
    inner: S,
    kind: Kind,
    methods: Methods<Handles>,
}

impl<S: Service> Service for MetricsService<S> {
    #[inline(always)] // see `Either`
    fn call(&self, mut request: Request) -> impl Future<Output = Result<Response, Error>> + Send {
        let id = request.method();
        let find = || request.descriptor().or_else(|| self.inner.find_method(id));
        let handles = self.methods.get(id, find, |service, method| Handles::new(self.kind, service, method));
        if self.kind == Kind::Attempts && request.metadata().value(RETRY_ATTEMPT).is_some() {
            handles.retries.increment(1);
        }
        let call = Measured::begin(handles);
        let asked = request.body().message_bytes();
        if request.body().has_items() {
            let asked = Asked::new(handles.clone(), asked);
            request = request.map_items(|items| ItemStream::of_batches(asked.follow(items)));
        } else {
            handles.request_size.record(bytes(asked));
        }
        UnderWay { inner: self.inner.call(request), call: Some(call) }
    }

    fn find_method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.inner.find_method(id)
    }

    fn describe(&self, lines: &mut Vec<String>) {
        lines.push(format!("Metrics({})", self.kind.name()));
        self.inner.describe(lines);
    }
}

pin_project! {
    // No async function: that would keep places for the request before and after it was looked at, and futures are moved while they are
    // put into each other.
    struct UnderWay<'a, F> {
        #[pin]
        inner: F,
        // None once it is over.
        call: Option<Measured<&'a Arc<Handles>>>,
    }
}

impl<F: Future<Output = Result<Response, Error>>> Future for UnderWay<'_, F> {
    type Output = Result<Response, Error>;

    #[inline(always)] // see `Either`
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(call) = this.call else { return this.inner.poll(cx) };
        call.enter();
        let polled = this.inner.poll(cx);
        match &polled {
            Poll::Pending => {
                call.leave();
                return Poll::Pending;
            }
            Poll::Ready(Ok(response)) => {
                call.receive(response.body().message_bytes());
                call.succeed(response.is_failed());
            }
            Poll::Ready(Err(error)) => call.fail(error),
        }
        match (polled, this.call.take()) {
            (Poll::Ready(Ok(response)), Some(call)) if response.body().has_items() => {
                let call = call.keep();
                Poll::Ready(
                    Ok(response.map_items(|items| ItemStream::of_batches(Answered::new(items, call)))),
                )
            }
            (polled, _) => polled,
        }
    }
}
