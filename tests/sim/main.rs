//! Clients and servers on a simulated network, thousands of times over: delays, partitions, resets, restarts, all decided by a seed.
//!
//! The same seed gives the same run, event by event. `docs/testing.md` says what is checked, and how to replay a seed that has failed.

#![allow(missing_docs, missing_debug_implementations, unreachable_pub)]
#![allow(clippy::exhaustive_enums, clippy::exhaustive_structs)]

mod seeds;

mod caller;
mod crowd;
mod host;
mod ledger;
mod log;
mod net;
mod plan;
mod rest;
mod service;
mod shared;
mod time;
mod world;
