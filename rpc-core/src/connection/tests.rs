//! Two machines wired back to back, and one machine against bytes of all kinds.

mod abuse;
mod assumed;
mod endings;
mod faults;
mod flow;
mod fuzz;
mod kit;
mod property;
mod sent;
mod world;
