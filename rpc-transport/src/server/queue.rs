//! How long calls wait for their turn to be answered.

use std::time::Instant;

use metrics::{Histogram, Unit, describe_histogram, histogram};

const NAME: &str = "farcall_server_queue_duration_seconds";

/// Measures from the first frame of a call to the moment that layers and handler begin with it.
pub(super) struct Queue {
    waits: Histogram,
}

impl Queue {
    /// Finds the histogram, once for each connection.
    pub(super) fn new() -> Self {
        describe_histogram!(NAME, Unit::Seconds, "From a call's first frame to the start of its handler.");
        Self { waits: histogram!(NAME) }
    }

    /// A call's wait is over.
    pub(super) fn left(&self, came_at: Instant, now: Instant) {
        self.waits.record(now.saturating_duration_since(came_at));
    }
}
