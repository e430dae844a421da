//! A span for each call, and the ids that make one trace of what happens in many processes.

mod address;
mod carried;
#[cfg(feature = "opentelemetry")]
mod otel;
mod span;

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use rpc_core::{
    Error, ItemBatch, ItemStream, Layer, MethodDescriptor, MethodId, Request, Response, Service, TraceParent,
};
use tracing::{Instrument, metadata};

use crate::either::Either;
use crate::listened::is_listened_to;
use address::Address;
use carried::Carried;
#[cfg(feature = "opentelemetry")]
use otel::unrecorded;
use span::{CallSpan, Kind};

const TARGET: &str = "farcall::trace";

/// Gives each call a `tracing` span, and passes its trace on, as W3C `traceparent`, `tracestate` and `baggage` in metadata.
///
/// Put it around a channel and around a server's services, outermost. A server's span is a child of its caller's, and the calls of a
/// handler are children of the server's: a trace goes through all hops, wherever this layer stands. Inside of a [`Retry`](crate::Retry)
/// each attempt has a span, around it all attempts share one.
///
/// **Spans** have the target `farcall::trace` and the level INFO, and are named and described as OpenTelemetry's conventions for RPC ask
/// (version 1.42): `otel.name` and `rpc.method` are `Service/method`. A span ends with the call, with the last item where the answer is a
/// stream. `rpc.response.status_code` says how: `OK`, a status code's name, `CANCELLED` for a call that was dropped. With the
/// feature `opentelemetry` and a `tracing-opentelemetry` layer, ids are those of OpenTelemetry's spans; without, the fields `trace_id`,
/// `span_id` and `parent_span_id` tell them. No argument, result or metadata value is written; a message that comes with a failure is.
///
/// **Sampling** is decided before a span is made: a call that came with a trace is recorded if its caller's flag says so, and a new trace
/// as [`ratio`](Self::ratio) says. A call that is not recorded has no span; its ids go along all the same, so that further hops leave it
/// out too.
///
/// **While nobody collects**, because there is no subscriber or none that takes the target at INFO, the layer does nothing: no ids are
/// made, no clock is read, no memory is taken. What a call came with goes on as it came, also from a handler to the calls that it makes; the next
/// hop that collects takes it up, or begins the trace. Each call asks anew, so a filter that is changed while the program runs counts
/// from the next call on. A filter that looks at each span anew may take it, so with one this layer collects.
///
/// What is malformed starts a new trace, and `tracestate` is then dropped; what is over the limits of [`TraceState`](rpc_core::TraceState)
/// and [`Baggage`](rpc_core::Baggage) is dropped too.
///
/// ```
/// use rpc_core::{Layer, Router};
/// use rpc_layers::Trace;
/// let server = Trace::server().ratio(0.1).layer(Router::new());
/// let client = Trace::client().address("tcp://weather.example:7000").layer(Router::new());
/// # let _ = (server, client);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Trace {
    kind: Kind,
    address: Option<Address>,
    ratio: f64,
}

impl Trace {
    /// Creates the layer for calls that a client makes.
    pub const fn client() -> Self {
        Self { kind: Kind::Client, address: None, ratio: 1.0 }
    }

    /// Creates the layer for calls that a server answers.
    pub const fn server() -> Self {
        Self { kind: Kind::Server, address: None, ratio: 1.0 }
    }

    /// Says where the server is, as clients know it: spans have it as `server.address` and `server.port`.
    ///
    /// On a client, `Channel::uri` knows it. Default: not said.
    pub fn address(mut self, uri: &str) -> Self {
        self.address = Some(Address::parse(uri));
        self
    }

    /// Records so large a part of the traces that begin here, from 0 to 1; what is beyond counts as 0 or 1.
    ///
    /// Default: 1, all of them. The trace's id decides, as in OpenTelemetry's `TraceIdRatioBased`. A call that came with a trace is not
    /// asked. Too much costs a span a call and fills the collector; too little, and the call that matters is not there.
    pub const fn ratio(mut self, ratio: f64) -> Self {
        self.ratio = ratio.clamp(0.0, 1.0);
        self
    }

    /// Names the span of a call: a child of its parent, or the first of a trace.
    fn name(&self, parent: Option<TraceParent>) -> TraceParent {
        match parent {
            Some(parent) => parent.child(carried::new_span_id()),
            None => {
                let trace = carried::new_trace_id();
                TraceParent::new(trace, carried::new_span_id(), is_within(self.ratio, trace.get()))
            }
        }
    }
}

impl<S: Service> Layer<S> for Trace {
    type Service = TraceService<S>;

    fn layer(self, inner: S) -> Self::Service {
        TraceService { inner, trace: self }
    }
}

/// The service that [`Trace`] makes.
///
/// # Cancel safety
/// A call that is dropped ends its span, with `CANCELLED`.
#[derive(Debug)]
pub struct TraceService<S> {
    inner: S,
    trace: Trace,
}

impl<S: Service> Service for TraceService<S> {
    #[inline(always)] // see `Either`
    fn call(&self, request: Request) -> impl Future<Output = Result<Response, Error>> + Send {
        // First of all: it is what a process pays that collects nothing.
        if is_listened_to!("call", TARGET, metadata::Kind::SPAN) {
            Either::Seen { call: Box::pin(self.collect(request)) }
        } else {
            Either::Passes { call: self.inner.call(request) }
        }
    }

    fn find_method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.inner.find_method(id)
    }

    fn describe(&self, lines: &mut Vec<String>) {
        lines.push(format!("Trace({}, {} of new traces)", self.trace.kind.name(), self.trace.ratio));
        self.inner.describe(lines);
    }
}

impl<S: Service> TraceService<S> {
    /// Makes a call that somebody wants to know of, unless its trace is not recorded.
    async fn collect(&self, mut request: Request) -> Result<Response, Error> {
        let carried = Carried::take(request.metadata_mut());
        let here = self.trace.name(carried.parent);
        if !here.is_sampled() {
            carried::set_parent(request.metadata_mut(), here);
            return unrecorded(here, self.inner.call(request)).await;
        }
        request.find_descriptor(&self.inner);
        let address = self.trace.address.as_ref();
        let mut call = CallSpan::begin(self.trace.kind, address, &mut request, &carried, here);
        match self.inner.call(request).instrument(call.span().clone()).await {
            Ok(response) if response.body().has_items() => {
                Ok(response.map_items(|items| ItemStream::of_batches(Traced { items, call: Some(call) })))
            }
            Ok(response) => {
                call.succeed(response.is_failed());
                Ok(response)
            }
            Err(error) => {
                call.fail(&error);
                Err(error)
            }
        }
    }
}

/// Tells whether a trace is of the part that is recorded; every process that asks about it says the same.
fn is_within(ratio: f64, trace: u128) -> bool {
    // 63 bits of chance, as OpenTelemetry takes them. The cast clamps.
    const ALL: f64 = (1_u64 << 63) as f64;
    let chance = u64::try_from(trace & u128::from(u64::MAX)).unwrap_or(0) >> 1;
    chance < (ratio * ALL) as u64
}

/// Without OpenTelemetry, no span of the program's own knows of a trace.
#[cfg(not(feature = "opentelemetry"))]
async fn unrecorded(
    _: TraceParent,
    call: impl Future<Output = Result<Response, Error>>,
) -> Result<Response, Error> {
    call.await
}

/// Items that belong to a call's span, which ends with them.
struct Traced {
    items: ItemStream,
    /// None once they are over.
    call: Option<CallSpan>,
}

impl Stream for Traced {
    type Item = Result<ItemBatch, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let entered = this.call.as_ref().map(|call| call.span().enter());
        let batch = this.items.poll_batch(cx);
        drop(entered);
        let batch = ready!(batch);
        match (&batch, &mut this.call) {
            (Some(Ok(_)), _) | (_, None) => return Poll::Ready(batch),
            (Some(Err(error)), Some(call)) => call.fail(error),
            (None, Some(call)) => call.succeed(false),
        }
        this.call = None;
        Poll::Ready(batch)
    }
}
