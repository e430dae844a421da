//! Metrics as a scraper sees them. The recorder belongs to the whole process, so each test has services or methods of its own.

#![allow(missing_docs, missing_debug_implementations, unreachable_pub)]
#![allow(clippy::exhaustive_enums, clippy::exhaustive_structs)]

mod allocations;
mod scrape;

mod calls;
mod endpoint;
mod faults;
mod limits;
#[cfg(target_os = "linux")]
mod logs;
mod ops;
mod servers;
