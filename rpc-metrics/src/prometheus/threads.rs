//! Numbers for threads that record.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

/// So many threads have a number at one time. One takes a cache line of each counter, 16 bytes of each histogram, and 170 of those that its
/// thread records into.
pub(super) const THREADS: usize = 16;

/// A bit for each number that a thread has.
static TAKEN: Mutex<u16> = Mutex::new(0);

thread_local! {
    /// This thread's number, where it is known. Apart from what gives it back, for a look at this costs next to nothing.
    static KNOWN: Cell<Option<Number>> = const { Cell::new(None) };
    static OWN: Own = Own::take();
}

/// What a thread has: a number of its own until it ends, or none where all were taken.
type Number = Option<usize>;

struct Own(Number);

/// Returns this thread's number, below [`THREADS`].
///
/// A thread that gets the number of one that has ended sees all that this one has written, for both have held the lock.
#[inline]
pub(super) fn number() -> Option<usize> {
    KNOWN.get().unwrap_or_else(ask)
}

#[cold]
fn ask() -> Number {
    let number = OWN.try_with(|own| own.0).ok().flatten();
    KNOWN.set(Some(number));
    number
}

impl Own {
    fn take() -> Self {
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let number = (0..THREADS).find(|number| *taken & bit(*number) == 0);
        *taken |= number.map_or(0, bit);
        Self(number)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // What this thread still records while it ends goes to the place of all.
        KNOWN.set(Some(None));
        if let Some(number) = self.0 {
            *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) &= !bit(number);
        }
    }
}

fn bit(number: usize) -> u16 {
    u32::try_from(number).ok().and_then(|number| 1_u16.checked_shl(number)).unwrap_or(0)
}
