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
            let rest = &body.message_parts()[1..];
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
    assert_eq!(body.message_parts().len(), 3);
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
        assert_eq!(body.message_parts().len(), 3);
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
    assert_eq!(body.message_parts().len(), 3);
    assert_eq!(body.message(), &CodecKind::Postcard.encode(&survivor).unwrap());
}
