//! farcall's behaviour, as its users see it. The list of modules is the table of contents.

#![allow(missing_docs, missing_debug_implementations, unreachable_pub)]
#![allow(clippy::exhaustive_enums, clippy::exhaustive_structs)]

mod kit;

mod calls;
mod cancellation;
#[cfg(feature = "json")]
mod codecs;
#[cfg(any(feature = "gzip", feature = "lz4", feature = "zstd"))]
mod compression;
mod context;
#[cfg(feature = "custom-codecs")]
mod custom_codecs;
mod deadlines;
mod error_texts;
mod examples;
mod failures;
mod in_process;
mod inspector;
mod layers;
mod limits;
mod links;
mod oneway;
mod pool;
#[cfg(feature = "protobuf")]
mod protobuf;
mod raw;
mod reconnect;
mod shared_bytes;
mod shutdown;
mod streams;
mod timeline;
