//! A value that tasks wait on; they are woken in the order in which they began to wait, which tokio's `watch` leaves to chance.

use std::pin::pin;
use std::sync::Mutex;

use tokio::sync::Notify;

#[derive(Default)]
pub struct Shared<T> {
    value: Mutex<T>,
    changed: Notify,
}

impl<T: Copy> Shared<T> {
    pub fn get(&self) -> T {
        *self.value.lock().unwrap()
    }

    /// Changes the value, and wakes all who wait.
    pub fn change(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.value.lock().unwrap());
        self.changed.notify_waiters();
    }

    /// Waits until the value is as it should be.
    pub async fn until(&self, reached: impl Fn(&T) -> bool) {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if reached(&self.get()) {
                return;
            }
            changed.await;
        }
    }
}
