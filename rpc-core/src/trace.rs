//! What travels with a call so that traces hold together: W3C Trace Context (recommendation of 2021) and W3C Baggage.

mod baggage;
mod state;

use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};

pub use baggage::Baggage;
pub use state::TraceState;

/// The metadata key of a [`TraceParent`].
pub const TRACEPARENT: &str = "traceparent";
/// The metadata key of a [`TraceState`].
pub const TRACESTATE: &str = "tracestate";
/// The metadata key of [`Baggage`].
pub const BAGGAGE: &str = "baggage";

/// A trace as W3C Trace Context names it: which trace, which span is the parent, and whether it is recorded.
///
/// ```
/// use rpc_core::TraceParent;
/// let trace = TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
/// assert!(trace.is_sampled());
/// let child = trace.child(7.try_into().unwrap());
/// assert_eq!(child.to_string(), "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000007-01");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    trace_id: NonZeroU128,
    parent_id: NonZeroU64,
    sampled: bool,
}

impl TraceParent {
    /// Names a span of a trace.
    pub const fn new(trace_id: NonZeroU128, parent_id: NonZeroU64, sampled: bool) -> Self {
        Self { trace_id, parent_id, sampled }
    }

    /// Names a further span of the same trace, recorded if this one is.
    #[must_use]
    pub const fn child(self, parent_id: NonZeroU64) -> Self {
        Self { parent_id, ..self }
    }

    /// Reads a `traceparent` value; what is malformed is none.
    ///
    /// Of a later version than 00, what that version adds at the end is skipped; version ff is none. Flags other than "sampled" are
    /// dropped, since version 00 gives them no meaning.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = trim(text).splitn(5, '-');
        let version = hex(parts.next()?, 2)?;
        let trace_id = NonZeroU128::new(hex(parts.next()?, 32)?)?;
        let parent_id = NonZeroU64::new(u64::try_from(hex(parts.next()?, 16)?).ok()?)?;
        let flags = hex(parts.next()?, 2)?;
        let is_known_form = version < 0xff && (version > 0 || parts.next().is_none());
        is_known_form.then(|| Self::new(trace_id, parent_id, flags & 1 == 1))
    }

    /// Returns the trace's id.
    pub fn trace_id(&self) -> u128 {
        self.trace_id.get()
    }

    /// Returns the id of the span that what follows is a child of.
    pub fn parent_id(&self) -> u64 {
        self.parent_id.get()
    }

    /// Tells whether the trace is recorded.
    pub fn is_sampled(&self) -> bool {
        self.sampled
    }
}

/// Writes it as a `traceparent` value of version 00.
impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Each call of a trace that is collected writes one: a third of the time that `{:032x}` and its like take.
        let mut text = *b"00-................................-................-00";
        let (_, rest) = text.split_at_mut(3);
        let (trace_id, rest) = rest.split_at_mut(32);
        let (_, rest) = rest.split_at_mut(1);
        let (parent_id, rest) = rest.split_at_mut(16);
        let (_, flags) = rest.split_at_mut(1);
        put_hex(self.trace_id(), trace_id);
        put_hex(self.parent_id().into(), parent_id);
        put_hex(self.sampled.into(), flags);
        f.write_str(str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

/// Fills a place with a number's lowest digits.
fn put_hex(number: u128, place: &mut [u8]) {
    let mut rest = number;
    for byte in place.iter_mut().rev() {
        let digit = (rest & 0xf) as u8;
        *byte = if digit < 10 { b'0' | digit } else { (b'a' - 10).wrapping_add(digit) };
        rest >>= 4;
    }
}

fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_well_formed =
        text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_well_formed.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

/// Takes off what HTTP calls optional white space.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Goes through the members of a list that commas part, without white space around them; empty ones are skipped.
fn members(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(trim).filter(|member| !member.is_empty())
}

#[cfg(test)]
mod tests;
