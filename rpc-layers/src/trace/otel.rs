//! Has `tracing`'s spans and OpenTelemetry's agree on who they are.

use std::num::{NonZeroU64, NonZeroU128};

use opentelemetry::Context;
use opentelemetry::context::FutureExt;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId};
use rpc_core::{Error, ItemStream, Response, TraceParent, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::carried::Carried;

/// Returns the current span, where OpenTelemetry knows it.
pub(super) fn current() -> Option<TraceParent> {
    // A span that is entered is OpenTelemetry's current one too, unless the program has turned that off.
    named(Context::current().span().span_context())
        .or_else(|| named(Span::current().context().span().span_context()))
}

/// Gives a new span its parent, and returns the ids that OpenTelemetry has given it, and the state that goes along; none where it does
/// not collect the span.
pub(super) fn adopt(
    span: &Span,
    carried: &Carried,
    is_remote: bool,
) -> Option<(TraceParent, Option<String>)> {
    if let Some(parent) = carried.parent.filter(|_| !carried.is_current) {
        span.set_parent(within(parent, carried.state.as_ref(), is_remote)).ok()?;
    }
    let context = span.context();
    let span = context.span();
    let state = span.span_context().trace_state().header();
    Some((named(span.span_context())?, (!state.is_empty()).then_some(state)))
}

/// Has a call that is not recorded be the parent of the spans that the program makes in it: a sampler that asks for the parent's flag
/// then leaves them out too, where they would begin traces of their own.
pub(super) async fn unrecorded(
    here: TraceParent,
    call: impl Future<Output = Result<Response, Error>>,
) -> Result<Response, Error> {
    let context = within(here, None, false);
    let response = call.with_context(context.clone()).await?;
    Ok(response.map_items(|items| ItemStream::of_batches(items.into_batches().with_context(context))))
}

/// The context of what is a child of this span.
fn within(parent: TraceParent, state: Option<&TraceState>, is_remote: bool) -> Context {
    let state = state.and_then(|state| state.as_str().parse().ok()).unwrap_or_default();
    let flags = if parent.is_sampled() { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED };
    let trace_id = TraceId::from_bytes(parent.trace_id().to_be_bytes());
    let span_id = SpanId::from_bytes(parent.parent_id().to_be_bytes());
    let parent = SpanContext::new(trace_id, span_id, flags, is_remote, state);
    Context::current().with_remote_span_context(parent)
}

fn named(span: &SpanContext) -> Option<TraceParent> {
    let trace_id = NonZeroU128::new(u128::from_be_bytes(span.trace_id().to_bytes()))?;
    let span_id = NonZeroU64::new(u64::from_be_bytes(span.span_id().to_bytes()))?;
    Some(TraceParent::new(trace_id, span_id, span.is_sampled()))
}
