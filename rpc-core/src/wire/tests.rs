//! The rules of `docs/protocol.md`, proved on bytes: golden vectors, and frames written here by hand.

mod calls;
mod closing;
mod contents;
mod coverage;
mod credit;
mod frames;
mod ids;
mod kit;
mod limits;
mod opening;
mod values;
