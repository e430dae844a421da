//! What waits in a call: most calls have nothing that does.

use std::collections::VecDeque;
use std::collections::vec_deque::Drain;

/// A queue that takes a pointer's room while nothing was ever in it.
#[derive(Debug)]
#[expect(
    clippy::box_collection,
    reason = "calls are moved into their slots: a queue that few need is not to make all of them larger"
)]
pub(super) struct Line<T>(Option<Box<VecDeque<T>>>);

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Line<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|queue| queue.is_empty())
    }

    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |queue| queue.len())
    }

    pub(super) fn push_back(&mut self, value: T) {
        self.0.get_or_insert_default().push_back(value);
    }

    pub(super) fn pop_front(&mut self) -> Option<T> {
        self.0.as_mut()?.pop_front()
    }

    pub(super) fn front(&self) -> Option<&T> {
        self.0.as_ref()?.front()
    }

    pub(super) fn front_mut(&mut self) -> Option<&mut T> {
        self.0.as_mut()?.front_mut()
    }

    pub(super) fn clear(&mut self) {
        self.0 = None;
    }

    /// Takes all out, and keeps the memory.
    pub(super) fn drain(&mut self) -> Option<Drain<'_, T>> {
        self.0.as_mut().map(|queue| queue.drain(..))
    }
}
