//! Large `Bytes` that stay where they are while the message around them is encoded, and are sent from there.
//!
//! Serde hands a format a slice, which it can only copy. So [`offer`] says which `Bytes` the next slice is, and a format that meets this very
//! slice [keeps](keep) them beside the message's other bytes.

use std::cell::{Cell, RefCell};

use bytes::Bytes;

use crate::buffers::LARGE_BYTES_MIN;

thread_local! {
    /// Where the buffer is whose message may have parts apart; none where it may not.
    static BUFFER: Cell<usize> = const { Cell::new(0) };
    static OFFERED: RefCell<Option<Bytes>> = const { RefCell::new(None) };
    /// The parts, and how many bytes of the buffer stand before each.
    static KEPT: RefCell<Vec<(usize, Bytes)>> = const { RefCell::new(Vec::new()) };
    /// How many there are: most messages have none, and look no further.
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

/// Encodes into a buffer, beside which large parts are kept apart, and adds those to `parts`.
pub(super) fn collecting<R>(
    out: &mut Vec<u8>,
    parts: &mut Vec<(usize, Bytes)>,
    encode: impl FnOnce(&mut Vec<u8>) -> R,
) -> R {
    let outer = Outer { buffer: BUFFER.replace(place(out)), count: COUNT.get() };
    let result = encode(out);
    if outer.has_kept() {
        parts.append(&mut outer.take_kept());
    }
    result
}

/// Goes back to the message in whose encoding another one was encoded, also where that panics.
struct Outer {
    buffer: usize,
    count: usize,
}

impl Outer {
    /// Tells whether something was kept since.
    fn has_kept(&self) -> bool {
        COUNT.get() != self.count
    }

    /// Takes what was kept since; it is what keeps the count right, so that most encodings look no further.
    #[cold]
    fn take_kept(&self) -> Vec<(usize, Bytes)> {
        COUNT.set(self.count);
        KEPT.try_with(|kept| kept.borrow_mut().split_off(self.count)).unwrap_or_default()
    }
}

impl Drop for Outer {
    fn drop(&mut self) {
        BUFFER.set(self.buffer);
        if self.has_kept() {
            drop(self.take_kept());
        }
    }
}

fn place(out: &Vec<u8>) -> usize {
    std::ptr::from_ref(out).addr()
}

/// Says that what `serialize` hands to a format is these bytes.
pub(super) fn offer<R>(bytes: &Bytes, serialize: impl FnOnce() -> R) -> R {
    if bytes.len() < LARGE_BYTES_MIN || BUFFER.get() == 0 {
        return serialize();
    }
    let _ = OFFERED.try_with(|offered| offered.replace(Some(bytes.clone())));
    let result = serialize();
    let _ = OFFERED.try_with(RefCell::take);
    result
}

/// Keeps a slice beside the buffer that it would be written to; false where it must be copied.
pub(super) fn keep(out: &Vec<u8>, slice: &[u8]) -> bool {
    if BUFFER.get() != place(out) {
        return false;
    }
    let is_it = |bytes: &mut Bytes| std::ptr::eq(&**bytes, slice);
    let offered = OFFERED.try_with(|offered| offered.borrow_mut().take_if(is_it));
    let Some(bytes) = offered.ok().flatten() else { return false };
    let count = KEPT.try_with(|kept| {
        let mut kept = kept.borrow_mut();
        kept.push((out.len(), bytes));
        kept.len()
    });
    count.map(|count| COUNT.set(count)).is_ok()
}

#[cfg(test)]
mod tests;
