//! What broken, slow and hostile peers do, and what must hold then: each test bears the number of its case. The table in
//! `docs/testing` says which test proves which case, and what breaks it.

#![allow(missing_docs, missing_debug_implementations, unreachable_pub)]
#![allow(clippy::exhaustive_enums, clippy::exhaustive_structs)]

#[allow(dead_code)]
#[path = "../it/kit.rs"]
mod kit;
mod logs;
mod netns;
mod process;
mod shim;
mod valve;
mod wire;

mod accepting;
mod clocks;
#[cfg(all(feature = "gzip", feature = "lz4", feature = "zstd"))]
mod compressed;
mod credit;
mod floods;
mod frames;
mod handlers;
mod hops;
mod ids;
#[cfg(feature = "json")]
mod json;
mod lost;
#[cfg(all(feature = "cbor", feature = "messagepack"))]
mod nesting;
mod opening;
mod pools;
mod slow_readers;
mod storm;
mod unreachable;
mod values;
// Last in the order of names, so that next to nothing runs beside what it measures.
mod z_siege;
