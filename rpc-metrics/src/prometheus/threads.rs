//! Numbers for threads that record.

use std::sync::{Mutex, PoisonError};

/// So many threads have a number at one time. One takes 16 bytes of each histogram, and 170 of those that its thread records into.
pub(super) const THREADS: usize = 16;

/// A bit for each number that a thread has.
static TAKEN: Mutex<u16> = Mutex::new(0);

thread_local! {
    static OWN: Number = Number::take();
}

/// A number that one thread has until it ends; none where all are taken.
struct Number(Option<usize>);

/// Returns this thread's number, below [`THREADS`].
///
/// A thread that gets the number of one that has ended sees all that this one has written, for both have held the lock.
pub(super) fn number() -> Option<usize> {
    OWN.try_with(|own| own.0).ok().flatten()
}

impl Number {
    fn take() -> Self {
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let number = (0..THREADS).find(|number| *taken & bit(*number) == 0);
        *taken |= number.map_or(0, bit);
        Self(number)
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        if let Some(number) = self.0 {
            *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) &= !bit(number);
        }
    }
}

fn bit(number: usize) -> u16 {
    u32::try_from(number).ok().and_then(|number| 1_u16.checked_shl(number)).unwrap_or(0)
}
