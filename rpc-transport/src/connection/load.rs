//! What a connection has to do, for those who choose among several: read without its lock.

use std::sync::atomic::{AtomicUsize, Ordering};

use rpc_core::connection::Connection;

/// What a connection has to do; of two, the lesser is the better choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Load(usize);

/// More than there can be calls: the peer may be gone, and has to be asked before a call is sent.
const IN_DOUBT: usize = 1 << 24;
/// The peer was asked, and has not answered.
const ASKED: usize = 1 << 25;

impl Load {
    /// It takes no calls.
    pub(crate) const ENDED: Self = Self(usize::MAX);

    /// Returns how many calls are in flight.
    pub(crate) fn calls(self) -> usize {
        if self == Self::ENDED { 0 } else { self.0 % IN_DOUBT }
    }

    pub(crate) fn takes_calls(self) -> bool {
        self != Self::ENDED
    }

    /// Tells whether the peer may be gone, and nobody has asked it yet.
    pub(crate) fn is_to_be_asked(self) -> bool {
        self.takes_calls() && self.0 & IN_DOUBT != 0 && self.0 & ASKED == 0
    }
}

/// Where a connection's load is read; written under the connection's lock, which says all that has to be in order.
#[derive(Debug)]
pub(super) struct LoadCell(AtomicUsize);

impl Default for LoadCell {
    fn default() -> Self {
        Self(AtomicUsize::new(Load::ENDED.0))
    }
}

impl LoadCell {
    #[inline]
    pub(super) fn set(&self, machine: &Connection) {
        let calls = machine.calls_in_flight() % IN_DOUBT;
        let load = match machine.takes_calls() {
            true if machine.awaits_sign_of_life() => calls | IN_DOUBT | ASKED,
            true if machine.is_in_doubt() => calls | IN_DOUBT,
            true => calls,
            false => Load::ENDED.0,
        };
        self.0.store(load, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Load {
        Load(self.0.load(Ordering::Relaxed))
    }
}
