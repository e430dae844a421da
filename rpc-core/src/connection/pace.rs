//! How much of a message goes into one frame: more where the link is fast.

use std::time::{Duration, Instant};

/// Over so long it is counted what the link takes.
const COUNT_TIME: Duration = Duration::from_millis(10);
/// So long a message may take that travels in one piece, and so long a small call may wait behind it: the next is cut where as much is unsent.
const PIECE_MICROS: u64 = 4_000;
/// The system's buffers take so much at once from a link of any speed.
const BUFFERED_BYTES: u64 = 256 << 10;
/// No link is so fast that more goes in one piece.
const PIECE_BYTES_MAX: u64 = 8 << 20;

/// What a link took of late.
#[derive(Debug)]
pub(super) struct Pace {
    since: Instant,
    /// How much it had taken then.
    taken_bytes: u64,
    least: u64,
    piece_bytes: u64,
}

impl Pace {
    /// Nothing is known of the link: pieces have the least length.
    pub(super) fn new(least: u32, now: Instant) -> Self {
        Self { since: now, taken_bytes: 0, least: least.into(), piece_bytes: least.into() }
    }

    /// Notes how much the link has taken by now, of all that was ever sent.
    ///
    /// One count changes the length of pieces by a factor of two at most: a thread that was not run for some time looks like a slow link.
    #[inline]
    pub(super) fn note(&mut self, taken_bytes: u64, now: Instant) {
        let elapsed = now.saturating_duration_since(self.since);
        if elapsed >= COUNT_TIME {
            self.count(taken_bytes, elapsed);
            self.since = now;
        }
    }

    fn count(&mut self, taken_bytes: u64, elapsed: Duration) {
        let bytes = taken_bytes.saturating_sub(self.taken_bytes).saturating_sub(BUFFERED_BYTES);
        self.taken_bytes = taken_bytes;
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX).max(1);
        let piece_bytes = bytes.saturating_mul(PIECE_MICROS).checked_div(micros).unwrap_or_default();
        let (half, twice) = (self.piece_bytes.div_euclid(2), self.piece_bytes.saturating_mul(2));
        self.piece_bytes = piece_bytes.clamp(half, twice).min(PIECE_BYTES_MAX).max(self.least);
    }

    /// Returns how much the link takes in so short a time that nobody minds to wait for it.
    pub(super) fn piece_bytes(&self) -> usize {
        usize::try_from(self.piece_bytes).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: u32 = 16 << 10;

    /// What is known of a link after it took so much in each of so many times 10 ms.
    fn piece_after(counts: u32, bytes_each: u64) -> usize {
        let start = Instant::now();
        let mut pace = Pace::new(LEAST, start);
        for count in 1..=counts {
            pace.note(u64::from(count) * bytes_each, start + count * COUNT_TIME);
        }
        pace.piece_bytes()
    }

    #[test]
    fn pieces_grow_to_what_the_link_takes_in_four_milliseconds() {
        let of_10_gbit_per_s = 12_500_000;
        assert_eq!(piece_after(0, of_10_gbit_per_s), 16 << 10);
        assert_eq!(piece_after(1, of_10_gbit_per_s), 32 << 10, "not more than twice as long at once");
        assert_eq!(piece_after(20, of_10_gbit_per_s), (12_500_000 - (256 << 10)) * 4 / 10);
        assert_eq!(piece_after(20, 100 * of_10_gbit_per_s), 8 << 20, "there is a limit");
    }

    #[test]
    fn what_only_fills_the_buffers_of_the_system_says_nothing() {
        assert_eq!(piece_after(20, BUFFERED_BYTES), LEAST as usize);
        let of_100_mbit_per_s = 125_000;
        assert_eq!(piece_after(20, of_100_mbit_per_s), LEAST as usize);
    }

    #[test]
    fn a_link_that_slows_down_is_known_in_a_few_counts() {
        let start = Instant::now();
        let mut pace = Pace { piece_bytes: 8 << 20, ..Pace::new(LEAST, start) };
        pace.note(1000, start + COUNT_TIME / 2);
        assert_eq!(pace.piece_bytes(), 8 << 20, "it is too early to say");
        pace.note(1000, start + COUNT_TIME);
        assert_eq!(pace.piece_bytes(), 4 << 20);
        pace.note(1000, start + 100 * COUNT_TIME);
        assert_eq!(pace.piece_bytes(), 2 << 20, "nothing sent for long, or a thread that was not run");
        (101..110).for_each(|count| pace.note(1000, start + count * COUNT_TIME));
        assert_eq!(pace.piece_bytes(), LEAST as usize);
    }
}
