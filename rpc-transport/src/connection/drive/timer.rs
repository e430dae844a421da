//! What the task of a connection does when time has passed.

use std::io;
use std::time::{Duration, Instant};

use rpc_core::connection::Fatal;
use rpc_core::{deadline_after, trim_buffers};

use super::{Driver, KEPT, PROBE_INTERVAL};
use crate::clock::now;

impl Driver {
    /// When the machine, or a peer that sends no more, is to be looked after.
    pub(super) fn due(&self) -> Instant {
        if self.input_ended {
            deadline_after(now(), PROBE_INTERVAL)
        } else {
            self.shared.with(|machine| machine.timer())
        }
    }

    /// Looks at the machine's timer when it may be due, and gives back memory: it moves with each read, so the sleep is set anew only
    /// when it fires.
    pub(super) fn on_timer(&mut self) -> Result<(), Fatal> {
        self.input.shrink();
        self.events.forget_done();
        self.pending.shrink_to(KEPT);
        self.wakes.0.shrink_to(KEPT);
        let now = now();
        trim_buffers(now);
        self.shared.with(|machine| {
            if self.input_ended {
                // Nothing can be heard any more: whether the peer is there is found out by writing.
                machine.probe();
                return Ok(());
            }
            machine.on_timer(now)
        })
    }
}

/// What ends a connection whose peer has taken nothing for so long.
pub(super) fn stalled(timeout: Duration) -> io::Error {
    io::Error::new(
        io::ErrorKind::TimedOut,
        format!(
            "the peer has taken nothing for {timeout:?}, this side's write_timeout: it hangs, or reads too slowly"
        ),
    )
}
