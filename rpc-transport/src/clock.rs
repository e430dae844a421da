//! The time as tokio has it, which tests can pause.

use std::time::Instant;

/// Returns the present: timers and the times that they are set by have to agree when a test lets time pass.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
