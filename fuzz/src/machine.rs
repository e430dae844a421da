//! The connection machine: against a hostile peer, and against another machine.
//!
//! Time is an argument of the machine and moves only where the input says so; wakers are those that do nothing, since whether they are
//! woken is tested in `rpc-core/src/connection/tests/property.rs`.

mod content;
mod hostile;
mod pair;
mod wire;

use std::task::{Context, Waker};

use bytes::Buf;
use rpc_core::connection::{Connection, Transmit};

use crate::source::Source;

/// Drives a machine, or two, with what the input says.
pub fn run(input: &[u8]) {
    let mut source = Source::new(input);
    if source.flag() { hostile::run(&mut source) } else { pair::run(&mut source) }
}

fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// Takes what a machine has to write at once.
fn transmit(machine: &mut Connection) -> Vec<u8> {
    let mut transmit = Transmit::new();
    if machine.poll_transmit(&mut context(), &mut transmit).is_pending() {
        return Vec::new();
    }
    transmit.copy_to_bytes(transmit.remaining()).into()
}
