//! What a call's metadata says of the trace that it belongs to.

use std::fmt::Write;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::num::{NonZeroU64, NonZeroU128};
use std::sync::LazyLock;

use rpc_core::{BAGGAGE, Baggage, Metadata, TRACEPARENT, TRACESTATE, TraceParent, TraceState, Value};

/// A value of version 00 is as long as this.
const TRACEPARENT_BYTES: usize = 55;

/// The trace that a call comes with.
pub(super) struct Carried {
    pub(super) parent: Option<TraceParent>,
    /// Only there with a parent from metadata.
    pub(super) state: Option<TraceState>,
    /// The parent is the span that is current in this task, which its child finds by itself.
    pub(super) is_current: bool,
}

impl Carried {
    /// Reads what metadata says, and takes out of it what must not be passed on: what is malformed, too much, or a state without a trace.
    pub(super) fn take(metadata: &mut Metadata) -> Self {
        let mut carried = Self { parent: None, state: None, is_current: false };
        if !metadata.is_empty() {
            carried.parent = metadata.text(TRACEPARENT).and_then(TraceParent::parse);
            carried.state = match carried.parent {
                Some(_) => clean(metadata, TRACESTATE, TraceState::parse, TraceState::as_str),
                None => clean(metadata, TRACESTATE, |_| None, TraceState::as_str),
            };
            let baggage = |text: &str| Some(Baggage::parse(text)).filter(|baggage| !baggage.is_empty());
            clean(metadata, BAGGAGE, baggage, Baggage::as_str);
        }
        carried.prefer(current());
        carried
    }

    /// Between a handler's span and the calls that it makes there may be spans of its own: the innermost one is the parent. One of another
    /// trace is not, since the caller has said which trace it means.
    fn prefer(&mut self, current: Option<TraceParent>) {
        let Some(current) = current else { return };
        if self.parent.is_none_or(|parent| parent.trace_id() == current.trace_id()) {
            self.parent = Some(current);
            self.is_current = true;
        }
    }
}

/// Parses an entry, and replaces or removes it where that changes it.
fn clean<T>(
    metadata: &mut Metadata,
    key: &str,
    parse: impl FnOnce(&str) -> Option<T>,
    as_str: impl FnOnce(&T) -> &str,
) -> Option<T> {
    let value = metadata.value(key)?;
    let parsed = match value {
        Value::Text(text) => parse(text),
        _ => None,
    };
    match parsed.as_ref().map(as_str) {
        None => drop(metadata.remove(key)),
        Some(kept) if metadata.text(key) == Some(kept) => {}
        Some(kept) => metadata.insert(key, kept),
    }
    parsed
}

/// Has the call carry this as the parent of what it causes.
pub(super) fn set_parent(metadata: &mut Metadata, here: TraceParent) {
    let mut text = String::with_capacity(TRACEPARENT_BYTES);
    // Writing into a string does not fail.
    let _ = write!(text, "{here}");
    metadata.insert(TRACEPARENT, text);
}

/// Returns a number that no other trace has.
pub(super) fn new_trace_id() -> NonZeroU128 {
    // The generator has 64 bits of state; the other half differs from process to process.
    static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().build_hasher().finish());
    let id = fastrand::u128(..) ^ (u128::from(*PROCESS) << 64);
    NonZeroU128::new(id).unwrap_or(NonZeroU128::MIN)
}

/// Returns a number that no other span of a trace has.
pub(super) fn new_span_id() -> NonZeroU64 {
    NonZeroU64::new(fastrand::u64(..)).unwrap_or(NonZeroU64::MIN)
}

#[cfg(feature = "opentelemetry")]
fn current() -> Option<TraceParent> {
    super::otel::current()
}

/// Without OpenTelemetry, spans have no ids but those of this layer, which metadata carries.
#[cfg(not(feature = "opentelemetry"))]
fn current() -> Option<TraceParent> {
    None
}
