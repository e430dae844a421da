//! `Trace`: spans, and the ids that go along with calls.

mod ids;
mod sampling;
mod spans;
