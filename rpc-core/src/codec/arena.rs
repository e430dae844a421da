//! Where encoded messages live: small ones of a thread share an allocation, each large one has its own.

use std::cell::{Cell, RefCell};

use bytes::{Bytes, BytesMut};

use crate::buffers;

/// How large a message may be to be put beside others.
const SMALL_BYTES_MAX: usize = 2 * 1024;

/// How much is allocated for small messages at a time: enough for a hundred of the usual size. It is also what one that is
/// kept for long keeps alive.
const ARENA_BYTES: usize = 8 * 1024;

thread_local! {
    /// Where values are encoded: pushing to a `Vec` costs half of what pushing to a `BytesMut` does.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static ARENA: RefCell<BytesMut> = RefCell::new(BytesMut::with_capacity(ARENA_BYTES));
}

/// Makes a message of what is written.
///
/// Small messages cost no allocation while those before them are dropped in time: the arena is written anew then.
///
/// # Errors
/// What `write` fails with; nothing of what it wrote is kept.
pub(super) fn message<E>(write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<Bytes, E> {
    // Taken out, not borrowed: a `Serialize` that encodes something itself finds an empty scratch instead of a panic. In a
    // thread that is ending there is none to take.
    let mut scratch = SCRATCH.try_with(Cell::take).unwrap_or_default();
    scratch.reserve(SMALL_BYTES_MAX);
    let written = write(&mut scratch);
    if scratch.capacity() > SMALL_BYTES_MAX {
        return written.map(|()| buffers::freeze(scratch));
    }
    let message = written.map(|()| share(&scratch));
    scratch.clear();
    let _ = SCRATCH.try_with(|place| place.set(scratch));
    message
}

fn share(message: &[u8]) -> Bytes {
    if message.is_empty() {
        return Bytes::new();
    }
    let copy = |arena: &RefCell<BytesMut>| {
        let mut arena = arena.borrow_mut();
        arena.extend_from_slice(message);
        arena.split().freeze()
    };
    ARENA.try_with(copy).unwrap_or_else(|_| Bytes::copy_from_slice(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(bytes: &[u8]) -> Bytes {
        let write = |out: &mut Vec<u8>| {
            out.extend_from_slice(bytes);
            Ok::<_, ()>(())
        };
        message(write).unwrap()
    }

    #[test]
    fn small_messages_stand_side_by_side() {
        let messages: Vec<_> = (0..10_u8).map(|byte| put(&[byte; 20])).collect();
        for (byte, message) in (0..10_u8).zip(&messages) {
            assert_eq!(message.as_ref(), [byte; 20]);
        }
        assert_eq!(messages[1].as_ptr() as usize - messages[0].as_ptr() as usize, 20);
    }

    #[test]
    fn the_place_of_dropped_messages_is_used_again() {
        let first = put(&[1; 100]).as_ptr() as usize;
        for _ in 0..10_000 {
            let place = put(&[2; 100]).as_ptr() as usize;
            assert!(place.abs_diff(first) < ARENA_BYTES);
        }
    }

    #[test]
    fn a_large_message_is_alone_and_leaves_nothing_behind() {
        let large = put(&[1; 20 << 10]);
        assert!(large.is_unique());
        let small = put(&[2; 10]);
        assert!(large.is_unique());
        assert_eq!(small.as_ref(), [2; 10]);
        assert!(SCRATCH.take().capacity() <= SMALL_BYTES_MAX);
    }

    #[test]
    fn what_a_failed_write_wrote_is_gone() {
        for size in [10, 10_000] {
            let failed = message(|out| {
                out.resize(size, 1);
                Err("no")
            });
            assert_eq!(failed, Err("no"));
            assert_eq!(put(&[2]).as_ref(), [2]);
        }
    }

    #[test]
    fn a_write_may_make_a_message_itself() {
        let outer = message(|out| {
            out.push(1);
            let inner = put(&[9]);
            out.extend_from_slice(&inner);
            Ok::<_, ()>(())
        });
        assert_eq!(outer.unwrap().as_ref(), [1, 9]);
    }

    #[test]
    fn nothing_is_an_empty_message() {
        assert!(put(&[]).is_empty());
    }
}
