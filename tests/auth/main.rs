//! Who is let in and who is not, on servers with the layers of `farcall::layers::auth`, and what clients send.

#![allow(missing_docs, missing_debug_implementations, unreachable_pub)]
#![allow(clippy::exhaustive_enums, clippy::exhaustive_structs)]

mod bank;

mod allocations;
mod bearer;
mod callers;
mod certificates;
mod rules;

#[cfg(feature = "jwt")]
mod faults;
#[cfg(feature = "jwt")]
mod issuer;
#[cfg(feature = "jwt")]
mod jwt;
