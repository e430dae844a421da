//! Fuzz targets for farcall: each is a function of bytes that panics where something is wrong.
//!
//! The stable runner (`runner`) and the wrappers for libFuzzer (`fuzz_targets`) call the same functions.

/// As in `rpc-macros/src/lib.rs`, which cannot be called from here: a crate of macros exports nothing else.
macro_rules! emit {
    ($($tokens:tt)*) => { ::quote::quote_spanned!(::proc_macro2::Span::mixed_site()=> $($tokens)*) };
}

pub mod codec;
pub mod frame;
pub mod machine;
pub mod macro_input;
#[path = "../../rpc-macros/src"]
mod macros {
    pub(crate) mod expand;
    pub(crate) mod model;
    pub(crate) mod parse;
}
#[allow(dead_code, unreachable_pub)] // public there; the parsers need only a part of it
#[path = "../../rpc-core/src/metadata.rs"]
mod metadata;
#[allow(dead_code, unreachable_pub)] // public there, too
#[path = "../../rpc-core/src/timeline/server_times.rs"]
mod server_times;
mod source;
mod trace {
    pub(crate) use rpc_core::{BAGGAGE, TRACEPARENT, TRACESTATE};
}

// The names by which the included files know these.
use macros::{expand, model, parse};
use metadata::Metadata;
use rpc_core::{Code, MethodId, Status};
use server_times::ServerTimes;

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Target {
    /// Names it, and its folder of the corpus.
    pub name: &'static str,
    /// Runs it once; a panic is a finding.
    pub run: fn(&[u8]),
    /// Longer inputs are cut to this.
    pub bytes_max: usize,
}

/// All targets.
pub const TARGETS: [Target; 4] = [
    Target { name: "frame", run: frame::run, bytes_max: 4096 },
    Target { name: "machine", run: machine::run, bytes_max: 2048 },
    Target { name: "codec", run: codec::run, bytes_max: 4096 },
    Target { name: "macro_input", run: macro_input::run, bytes_max: 2048 },
];
