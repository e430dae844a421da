//! TLS as users see it: who is let in and who is not, what they are told, and how certificates change under way.

#![allow(missing_docs, missing_debug_implementations, unreachable_pub)]
#![allow(clippy::exhaustive_enums, clippy::exhaustive_structs)]

mod authority;
#[allow(dead_code)]
#[path = "../it/kit.rs"]
mod kit;
mod set;

mod clients;
mod foreign;
mod rotation;
mod servers;
mod settings;
