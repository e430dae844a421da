//! Tasks that are to be woken, a portion at a time.

use std::task::Waker;

/// A quarter of a batch, and 16 at least: what it gives is written before the next is begun, so that the other side has work while this side
/// goes on with its own.
pub(super) fn portion(batch: usize) -> usize {
    (batch / 4).max(16)
}

/// Those whose wait is over. Dropping this wakes them all: nobody else knows them any more.
#[derive(Default)]
pub(super) struct Wakes(pub(super) Vec<Waker>);

impl Wakes {
    /// Wakes the next portion of them.
    pub(super) fn wake_portion(&mut self) {
        let portion = portion(self.0.len()).min(self.0.len());
        self.0.drain(..portion).for_each(Waker::wake);
    }

    pub(super) fn wake_all(&mut self) {
        self.0.drain(..).for_each(Waker::wake);
    }
}

impl Drop for Wakes {
    fn drop(&mut self) {
        self.wake_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn each_is_woken_once_however_it_ends() {
        let woken = Arc::new(Woken::default());
        let mut wakes = Wakes((0..100).map(|_| woken.clone().into()).collect());
        for expected in [25, 43, 59, 75] {
            wakes.wake_portion();
            assert_eq!(woken.0.load(Ordering::Relaxed), expected);
        }
        drop(wakes);
        assert_eq!(woken.0.load(Ordering::Relaxed), 100);
    }
}
