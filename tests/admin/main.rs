//! The services for who operates a server: health, and seeing into it from elsewhere.

#![allow(missing_docs, missing_debug_implementations, unreachable_pub)]
#![allow(clippy::exhaustive_enums, clippy::exhaustive_structs)]

#[path = "../it/kit.rs"]
#[allow(dead_code)]
mod kit;

mod health;
mod introspection;
mod leaving;
mod rolling_restart;
mod snapshots;
