//! The links: each carries the same suite, and each has what only it can do.

#![allow(missing_docs, missing_debug_implementations, unreachable_pub)]
#![allow(clippy::exhaustive_enums, clippy::exhaustive_structs)]

#[cfg(feature = "tls")]
#[allow(dead_code)]
#[path = "../tls/authority.rs"]
mod authority;
#[allow(dead_code)]
#[path = "../it/kit.rs"]
mod kit;
mod way;

#[cfg(feature = "quic")]
mod early;
#[cfg(feature = "quic")]
mod quic;
#[cfg(feature = "quic")]
mod raw;
mod suite;
#[cfg(feature = "quic")]
mod udp;
#[cfg(feature = "websocket")]
mod web;
