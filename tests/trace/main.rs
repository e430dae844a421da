//! Traces as OpenTelemetry collects them: what leaves the process as OTLP, over three hops, and what happens when nobody takes it.

#![allow(missing_docs, missing_debug_implementations, unreachable_pub)]
#![allow(clippy::exhaustive_enums, clippy::exhaustive_structs)]

mod collector;
mod process;

mod exporting;
mod three_hops;
