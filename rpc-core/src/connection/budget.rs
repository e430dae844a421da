//! How often a peer may do what costs this side more than it costs the peer.

use std::time::Instant;

/// A token bucket over given time: `capacity` at once, and `per_second` more as time goes by.
#[derive(Debug)]
pub(super) struct Budget {
    left: f64,
    capacity: f64,
    per_second: f64,
    filled_at: Instant,
}

impl Budget {
    pub(super) fn new(capacity: u32, per_second: f64, now: Instant) -> Self {
        Self { left: capacity.into(), capacity: capacity.into(), per_second, filled_at: now }
    }

    /// Takes one out; false where none is left.
    pub(super) fn spend(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.filled_at);
        self.filled_at = now;
        self.left = (self.left + elapsed.as_secs_f64() * self.per_second).min(self.capacity);
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }

    /// Puts one back.
    pub(super) fn refund(&mut self) {
        self.left = (self.left + 1.0).min(self.capacity);
    }
}
