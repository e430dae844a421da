//! The layers that come with farcall, on clients and on servers. The list of modules is the table of contents.

#![allow(missing_docs, missing_debug_implementations, unreachable_pub)]
#![allow(clippy::exhaustive_enums, clippy::exhaustive_structs)]

#[allow(dead_code)]
#[path = "../it/kit.rs"]
mod kit;
mod recorded;
mod shop;

mod access_log;
mod allocations;
mod budget;
mod cache;
mod catch_panic;
mod concurrency;
mod fallback;
mod idempotent;
mod once;
mod order;
mod rate_limit;
mod request_id;
mod retry;
mod timeout;
#[cfg(feature = "tower")]
mod tower;
mod trace;
mod validate;
