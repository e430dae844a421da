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

/// Encodes into a buffer, beside which large parts are kept apart, and gives those.
pub(super) fn collecting<R>(
    out: &mut Vec<u8>,
    encode: impl FnOnce(&mut Vec<u8>) -> R,
) -> (R, Vec<(usize, Bytes)>) {
    let outer = Outer { buffer: BUFFER.replace(place(out)), count: COUNT.get() };
    let result = encode(out);
    // Also what a failed encoding has kept.
    let parts = if COUNT.get() > outer.count { take_from(outer.count) } else { Vec::new() };
    (result, parts)
}

fn take_from(before: usize) -> Vec<(usize, Bytes)> {
    let split = |kept: &RefCell<Vec<_>>| {
        let mut kept = kept.borrow_mut();
        // What an encoding within this one left that panicked is in nobody's message.
        kept.truncate(COUNT.get());
        kept.split_off(before)
    };
    KEPT.try_with(split).unwrap_or_default()
}

/// Goes back to the message in whose encoding another one was encoded.
struct Outer {
    buffer: usize,
    count: usize,
}

impl Drop for Outer {
    fn drop(&mut self) {
        BUFFER.set(self.buffer);
        COUNT.set(self.count);
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
        // What an encoding left that panicked is in nobody's message.
        kept.truncate(COUNT.get());
        kept.push((out.len(), bytes));
        kept.len()
    });
    count.map(|count| COUNT.set(count)).is_ok()
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::CodecKind;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Pages {
        number: u32,
        #[serde(with = "crate::shared_bytes")]
        first: Bytes,
        title: String,
        #[serde(with = "crate::shared_bytes")]
        second: Bytes,
    }

    fn pages(first: usize, second: usize) -> Pages {
        let page = |bytes, fill| Bytes::from(vec![fill; bytes]);
        Pages { number: 300, first: page(first, 1), title: "Ada".to_owned(), second: page(second, 2) }
    }

    #[test]
    fn large_parts_stay_where_they_are_and_the_message_is_the_same() {
        for codec in CodecKind::general() {
            for (first, second) in [(10, 10), (LARGE_BYTES_MIN, 0), (10, 100_000), (100_000, 70_000)] {
                let pages = pages(first, second);
                let body = codec.encode_body(&pages).unwrap();
                let whole = codec.encode(&pages).unwrap();
                let large = [first, second].iter().filter(|bytes| **bytes >= LARGE_BYTES_MIN).count();
                let (_, rest) = body.message_parts();
                let parts = if codec == CodecKind::Postcard { 2 * large } else { 0 };
                assert_eq!((rest.len(), body.message_bytes()), (parts, whole.len()), "{codec:?}");
                let is_there = |page: &Bytes| rest.iter().any(|part| part.as_ptr() == page.as_ptr());
                assert_eq!(is_there(&pages.first), parts > 0 && first >= LARGE_BYTES_MIN);
                assert_eq!(body.message(), &whole, "{codec:?}");
                assert_eq!(body.try_clone().unwrap().into_parts().0, whole);
                assert_eq!(codec.decode::<Pages>(body.message()).unwrap(), pages);
            }
        }
    }

    /// Encodes a message within a message.
    struct Nested(Pages);

    impl Serialize for Nested {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let inner = CodecKind::Postcard.encode_body(&self.0).unwrap();
            assert_eq!(inner.message(), &CodecKind::Postcard.encode(&self.0).unwrap());
            let bytes = CodecKind::Postcard.encode(&self.0).unwrap();
            (&self.0, bytes.to_vec()).serialize(serializer)
        }
    }

    #[test]
    fn a_message_that_is_encoded_within_another_has_its_own_parts() {
        let nested = Nested(pages(LARGE_BYTES_MIN, 5));
        let body = CodecKind::Postcard.encode_body(&nested).unwrap();
        assert_eq!(body.message_parts().1.len(), 2);
        assert_eq!(body.message(), &CodecKind::Postcard.encode(&nested).unwrap());
    }

    /// Fails, or panics, once its page has been written.
    struct Broken(Pages, bool);

    impl Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use serde::ser::{Error, SerializeTuple};
            let mut tuple = serializer.serialize_tuple(2)?;
            tuple.serialize_element(&self.0)?;
            assert!(!self.1, "as the test wants it");
            Err(S::Error::custom("broken"))
        }
    }

    #[test]
    fn what_a_broken_encoding_kept_is_in_no_other_message() {
        for panics in [false, true] {
            let broken = Broken(pages(LARGE_BYTES_MIN, LARGE_BYTES_MIN), panics);
            let encode = std::panic::AssertUnwindSafe(|| CodecKind::Postcard.encode_body(&broken).is_err());
            assert_eq!(std::panic::catch_unwind(encode).is_err(), panics);
            let next = pages(LARGE_BYTES_MIN, 5);
            let body = CodecKind::Postcard.encode_body(&next).unwrap();
            assert_eq!(body.message_parts().1.len(), 2);
            assert_eq!(body.message(), &CodecKind::Postcard.encode(&next).unwrap());
        }
    }

    /// Encodes a page, and meanwhile another message that panics.
    struct Survivor(Pages, Broken);

    impl Serialize for Survivor {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use serde::ser::SerializeTuple;
            let mut tuple = serializer.serialize_tuple(2)?;
            tuple.serialize_element(&self.0)?;
            let broken = std::panic::AssertUnwindSafe(|| CodecKind::Postcard.encode_body(&self.1).is_err());
            assert!(std::panic::catch_unwind(broken).is_err());
            tuple.serialize_element(&7_u8)?;
            tuple.end()
        }
    }

    #[test]
    fn a_broken_encoding_within_another_leaves_nothing_in_it() {
        let survivor = Survivor(pages(LARGE_BYTES_MIN, 5), Broken(pages(LARGE_BYTES_MIN, 5), true));
        let body = CodecKind::Postcard.encode_body(&survivor).unwrap();
        assert_eq!(body.message_parts().1.len(), 2);
        assert_eq!(body.message(), &CodecKind::Postcard.encode(&survivor).unwrap());
    }
}
