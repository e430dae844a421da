//! `Bytes` that are encoded and decoded without being copied.
//!
//! Serde hands out what stands in a message as a slice, and a `Bytes` of a slice is a copy. While a message is decoded that is itself a
//! `Bytes`, this module knows which it is, and makes a part of it of a slice that lies within.
//!
//! For a field, name the module: `#[serde(with = "farcall::shared_bytes")]`. Results and items that are `Bytes` as a whole need nothing.
//!
//! Such a part keeps the whole message in memory for as long as it lives. Below 4 KiB, and in JSON, bytes are copied.
//!
//! ```
//! # mod farcall { pub use rpc_core::shared_bytes; }
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Page {
//!     number: u64,
//!     #[serde(with = "farcall::shared_bytes")]
//!     content: bytes::Bytes,
//! }
//! ```

use std::any::Any;
use std::cell::RefCell;
use std::fmt;

use bytes::Bytes;
use serde::de::{DeserializeOwned, Deserializer, SeqAccess, Visitor};
use serde::ser::Serializer;

use super::apart;
use crate::{CodecKind, Error};

/// Copying less than this costs less than keeping a message alive.
const SHARED_BYTES_MIN: usize = 4 * 1024;

thread_local! {
    /// The message that is being decoded.
    static SOURCE: RefCell<Option<Bytes>> = const { RefCell::new(None) };
}

/// Serializes bytes.
///
/// # Errors
/// What the serializer fails with.
pub fn serialize<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    apart::offer(bytes, || serializer.serialize_bytes(bytes))
}

/// Deserializes bytes, as a part of the message that they stand in where that is possible.
///
/// # Errors
/// What the deserializer fails with.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    // Not `deserialize_byte_buf`, for which postcard gives a slice that is not said to be borrowed.
    deserializer.deserialize_bytes(SharedVisitor)
}

/// Decodes a message, or a part of one, while [`deserialize`] knows where it stands.
pub(crate) fn decoding<'a, R>(memory: &Bytes, part: &'a [u8], decode: impl FnOnce(&'a [u8]) -> R) -> R {
    if part.len() < SHARED_BYTES_MIN {
        return decode(part);
    }
    // In a thread that is ending there is no place: what is decoded there is copied.
    let source = SOURCE.try_with(|source| source.replace(Some(memory.clone())));
    let _restored = Restored(source.unwrap_or_default());
    decode(part)
}

/// Puts back what was being decoded before, be it that a `Deserialize` panics.
struct Restored(Option<Bytes>);

impl Drop for Restored {
    fn drop(&mut self) {
        let _ = SOURCE.try_with(|source| source.replace(self.0.take()));
    }
}

/// Decodes a value from a part of what is in memory; one that is `Bytes` as a whole shares that.
pub(crate) fn decode<T: DeserializeOwned + 'static>(
    codec: CodecKind,
    memory: &Bytes,
    part: &[u8],
) -> Result<T, Error> {
    if part.len() < SHARED_BYTES_MIN {
        return codec.decode(part);
    }
    decoding(memory, part, |bytes| {
        let mut value = None;
        let place: &mut dyn Any = &mut value;
        if let Some(place) = place.downcast_mut() {
            let Whole(bytes) = codec.decode(bytes)?;
            *place = Some(bytes);
        }
        value.map_or_else(|| codec.decode(bytes), Ok)
    })
}

#[derive(serde::Deserialize)]
struct Whole(#[serde(deserialize_with = "deserialize")] Bytes);

struct SharedVisitor;

impl<'de> Visitor<'de> for SharedVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_borrowed_bytes<E: serde::de::Error>(self, slice: &'de [u8]) -> Result<Bytes, E> {
        let share = |source: &RefCell<Option<Bytes>>| {
            let source = source.borrow();
            let message =
                source.as_ref().filter(|message| slice.len() >= SHARED_BYTES_MIN && holds(message, slice));
            message.map(|message| message.slice_ref(slice))
        };
        SOURCE.try_with(share).ok().flatten().map_or_else(|| self.visit_bytes(slice), Ok)
    }

    fn visit_bytes<E: serde::de::Error>(self, slice: &[u8]) -> Result<Bytes, E> {
        Ok(Bytes::copy_from_slice(slice))
    }

    fn visit_byte_buf<E: serde::de::Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
        Ok(bytes.into())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Bytes, E> {
        self.visit_bytes(text.as_bytes())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Bytes, A::Error> {
        // What the peer says of the length is not believed.
        let mut bytes = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(SHARED_BYTES_MIN));
        while let Some(byte) = seq.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes.into())
    }
}

/// Tells whether a slice lies within a message.
fn holds(message: &Bytes, slice: &[u8]) -> bool {
    let (whole, part) = (message.as_ptr_range(), slice.as_ptr_range());
    whole.start <= part.start && part.end <= whole.end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Page {
        number: u64,
        #[serde(with = "crate::shared_bytes")]
        content: Bytes,
    }

    fn page(bytes: usize) -> Page {
        Page { number: 7, content: vec![3; bytes].into() }
    }

    #[test]
    fn a_large_field_is_a_part_of_its_message() {
        let message = CodecKind::Postcard.encode(&page(SHARED_BYTES_MIN)).unwrap();
        let read: Page = decode(CodecKind::Postcard, &message, &message).unwrap();
        assert!(holds(&message, &read.content));
        assert_eq!((read.number, read.content.len()), (7, SHARED_BYTES_MIN));
        drop(message);
        assert!(read.content.iter().all(|byte| *byte == 3));
        assert!(SOURCE.take().is_none());
    }

    #[test]
    fn a_small_field_is_copied() {
        let message = CodecKind::Postcard.encode(&page(SHARED_BYTES_MIN - 1)).unwrap();
        let read: Page = decode(CodecKind::Postcard, &message, &message).unwrap();
        assert!(!holds(&message, &read.content));
        assert_eq!(read.content.len(), SHARED_BYTES_MIN - 1);
    }

    #[test]
    fn a_whole_message_of_bytes_needs_no_attribute() {
        let message = CodecKind::Postcard.encode(&Bytes::from(vec![3; 10_000])).unwrap();
        let read: Bytes = decode(CodecKind::Postcard, &message, &message).unwrap();
        assert!(holds(&message, &read));
        assert_eq!(read.len(), 10_000);
    }

    #[test]
    fn a_slice_of_another_message_is_copied() {
        let (message, other) = (Bytes::from(vec![1; 10_000]), [2; 10_000]);
        let read = decoding(&message, &message, |_| {
            SharedVisitor.visit_borrowed_bytes::<serde::de::value::Error>(&other)
        });
        assert_eq!(read.unwrap(), other[..]);
    }

    #[test]
    fn what_was_being_decoded_is_known_again_after_a_panic_within() {
        let (outer, inner) = (Bytes::from(vec![1; 10_000]), Bytes::from(vec![2; 10_000]));
        decoding(&outer, &outer, |_| {
            let panicked = std::panic::catch_unwind(|| {
                decoding(&inner, &inner, |_| panic!("a `Deserialize` that panics"))
            });
            assert!(panicked.is_err());
            SOURCE.with_borrow(|source| assert_eq!(source.as_ref(), Some(&outer)));
        });
    }

    #[cfg(all(feature = "cbor", feature = "messagepack"))]
    #[test]
    fn codecs_that_have_bytes_share_them() {
        for codec in [CodecKind::Cbor, CodecKind::MessagePack] {
            let message = codec.encode(&page(SHARED_BYTES_MIN)).unwrap();
            let read: Page = decode(codec, &message, &message).unwrap();
            assert!(holds(&message, &read.content), "{}", codec.name());
        }
    }

    #[cfg(feature = "json")]
    #[test]
    fn json_copies() {
        let message = CodecKind::Json.encode(&page(SHARED_BYTES_MIN)).unwrap();
        let read: Page = decode(CodecKind::Json, &message, &message).unwrap();
        assert_eq!(read.content.len(), SHARED_BYTES_MIN);
    }
}
