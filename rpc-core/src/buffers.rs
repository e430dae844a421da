//! Memory for large messages, used again: the system gives fresh pages one fault at a time, which costs more than copying into them.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a buffer is booked when it is lent or kept and taken off when it no longer is, with the capacity that it keeps"
)]

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

/// Shorter buffers are left to the allocator, which has them at hand.
pub(crate) const LARGE_BYTES_MIN: usize = 32 * 1024;
/// So much is kept at most while as much is in use.
const KEPT_BYTES_MAX: usize = 128 << 20;
/// So much is kept at most whatever is in use.
const KEPT_BYTES_MIN: usize = 32 << 20;
/// So many are kept at most: finding one is a look at each.
const KEPT_MAX: usize = 64;
/// A buffer serves a message of at least half its size: accounts count the length of messages, and so they are off by no more than that.
const SPARE_FACTOR_MAX: usize = 2;

const TRIM_INTERVAL: Duration = Duration::from_secs(10);

static KEPT: Mutex<Kept> =
    Mutex::new(Kept { buffers: Vec::new(), bytes: 0, lent_bytes: 0, trimmed_at: None });

struct Kept {
    buffers: Vec<Vec<u8>>,
    bytes: usize,
    lent_bytes: usize,
    trimmed_at: Option<Instant>,
}

fn kept() -> MutexGuard<'static, Kept> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns an empty buffer with room for so many bytes.
pub(crate) fn take(bytes: usize) -> Vec<u8> {
    if bytes >= LARGE_BYTES_MIN {
        let mut kept = kept();
        let fits =
            |buffer: &Vec<u8>| (bytes..=bytes.saturating_mul(SPARE_FACTOR_MAX)).contains(&buffer.capacity());
        if let Some(index) = kept.buffers.iter().rposition(fits) {
            let buffer = kept.buffers.swap_remove(index);
            kept.bytes -= buffer.capacity();
            return buffer;
        }
    }
    Vec::with_capacity(bytes)
}

/// Makes a message of what a buffer holds; once nobody holds a part of the message, the buffer is kept for another.
pub(crate) fn freeze(buffer: Vec<u8>) -> Bytes {
    if buffer.capacity() < LARGE_BYTES_MIN {
        return buffer.into();
    }
    kept().lent_bytes += buffer.capacity();
    Bytes::from_owner(Lent(buffer))
}

struct Lent(Vec<u8>);

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut buffer = std::mem::take(&mut self.0);
        buffer.clear();
        let mut kept = kept();
        kept.lent_bytes -= buffer.capacity();
        let bytes_max = kept.lent_bytes.clamp(KEPT_BYTES_MIN, KEPT_BYTES_MAX);
        if kept.buffers.len() < KEPT_MAX && kept.bytes + buffer.capacity() <= bytes_max {
            kept.bytes += buffer.capacity();
            kept.buffers.push(buffer);
        }
    }
}

/// Gives half of the memory that is kept for large messages back to the system, but not more often than every ten seconds: called now and
/// then, it leaves nothing of what nobody uses.
pub fn trim(now: Instant) {
    let mut kept = kept();
    if kept.trimmed_at.is_some_and(|at| now.saturating_duration_since(at) < TRIM_INTERVAL) {
        return;
    }
    kept.trimmed_at = Some(now);
    let half = kept.buffers.len().div_ceil(2);
    let dropped: Vec<_> = kept.buffers.drain(..half).collect();
    kept.bytes -= dropped.iter().map(Vec::capacity).sum::<usize>();
    // They are freed without the lock.
    drop(kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    // One test, since the tests of a process share what is kept.
    #[test]
    fn memory_of_large_messages_is_used_again_and_limited() {
        const BYTES: usize = 3 << 20;
        let place = |buffer: &[u8]| buffer.as_ptr() as usize;
        let mut first = take(BYTES);
        first.push(1);
        first.resize(BYTES, 1);
        let first_place = place(&first);
        let part = freeze(first).slice(..10);
        assert_ne!(place(&take(BYTES)), first_place, "somebody holds a part of it");
        drop(part);

        let mut second = take(BYTES);
        second.resize(BYTES, 1);
        let second_place = place(&second);
        drop(freeze(second));
        assert_ne!(place(&take(BYTES / 3)), second_place, "it is kept for large messages");
        let again = take(BYTES - 100);
        assert_eq!((place(&again), again.len()), (second_place, 0));

        (0..100).for_each(|_| drop(freeze(vec![0; BYTES])));
        let is_filled = |max: usize| (max - 2 * BYTES..=max).contains(&kept().bytes);
        assert!(is_filled(KEPT_BYTES_MIN), "{}", kept().bytes);
        let used: Vec<_> = (0..100).map(|_| freeze(vec![0; BYTES])).collect();
        (0..100).for_each(|_| drop(freeze(vec![0; BYTES])));
        assert!(is_filled(KEPT_BYTES_MAX), "{}", kept().bytes);
        drop(used);
        let start = Instant::now();
        trim(start);
        trim(start);
        assert!(kept().bytes > KEPT_BYTES_MAX / 4, "it is done once in a while");
        (1..10).for_each(|times| trim(start + times * TRIM_INTERVAL));
        assert_eq!(kept().bytes, 0);
    }
}
