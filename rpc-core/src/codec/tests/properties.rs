//! What holds for all values and all bytes.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde::{Deserialize, Deserializer};

use super::*;

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Unit),
        any::<bool>().prop_map(Value::Truth),
        any::<(i8, u16)>().prop_map(|(a, b)| Value::Small(a, b)),
        any::<i64>().prop_map(Value::Number),
        any::<(u128, i128)>().prop_map(|(a, b)| Value::Huge(a, b)),
        any::<char>().prop_map(Value::Letter),
        any::<String>().prop_map(Value::Text),
    ];
    leaf.prop_recursive(6, 48, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::List),
            btree_map(".{0,6}", inner.clone(), 0..6).prop_map(Value::Map),
            // JSON has one null: `Some(Unit)` is a string there, so nothing is lost.
            proptest::option::of(inner.clone()).prop_map(|value| Value::Maybe(value.map(Box::new))),
            (any::<u32>(), inner.clone()).prop_map(|(id, inner)| Value::Named { id, inner: Box::new(inner) }),
            (inner, any::<[u8; 3]>())
                .prop_map(|(value, rest)| Value::Wrapped(Wrapper((Box::new(value), rest)))),
        ]
    })
}

thread_local! {
    static DECODED: Cell<u64> = const { Cell::new(0) };
}

/// Takes no bytes, and counts how often it is decoded.
#[derive(PartialEq, Eq, Hash)]
struct Counted;

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        DECODED.set(DECODED.get() + 1);
        <()>::deserialize(deserializer).map(|()| Self)
    }
}

/// Decodes bytes as types that differ in what they make of them.
fn decode_as_anything(codec: CodecKind, bytes: &[u8]) {
    let _ = codec.decode::<Value>(bytes);
    let _ = codec.decode::<Vec<Option<Value>>>(bytes);
    let _ = codec.decode::<(u64, String, Vec<u8>, Option<char>)>(bytes);
    let _ = codec.decode::<HashMap<u64, BTreeMap<u8, f64>>>(bytes);
    let _ = codec.decode::<(BorrowedStr<'_>, BorrowedBytes<'_>)>(bytes);
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(value in values()) {
        for codec in CodecKind::general() {
            let bytes = codec.encode(&value).unwrap();
            prop_assert_eq!(decode(codec, &bytes), Ok(value.clone()), "{}", codec.name());
        }
    }

    #[test]
    fn random_bytes_are_a_value_or_an_error(bytes in vec(any::<u8>(), 0..256)) {
        for codec in CodecKind::general() {
            decode_as_anything(codec, &bytes);
        }
    }

    #[cfg(feature = "json")]
    #[test]
    fn random_text_is_a_value_or_an_error(text in r#"[\[\]{}:,"a-z0-9 \\.e-]{0,80}"#) {
        decode_as_anything(CodecKind::Json, text.as_bytes());
    }

    #[test]
    fn the_work_is_bounded_by_the_bytes(bytes in vec(any::<u8>(), 0..64)) {
        DECODED.set(0);
        let _ = CodecKind::Postcard.decode::<Vec<Vec<Counted>>>(&bytes);
        prop_assert!(DECODED.get() <= 65_536 + bytes.len() as u64);
    }

    #[test]
    fn a_value_that_is_cut_off_is_an_error(value in values()) {
        for codec in CodecKind::general() {
            let bytes = codec.encode(&value).unwrap();
            for end in 0..bytes.len() {
                prop_assert!(decode::<Value>(codec, &bytes[..end]).is_err(), "{}", codec.name());
            }
        }
    }

    #[test]
    fn a_flipped_bit_gives_a_value_or_an_error(value in values()) {
        for codec in CodecKind::general() {
            let mut bytes = codec.encode(&value).unwrap().to_vec();
            for bit in 0..bytes.len() * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                if let Ok(other) = codec.decode::<Value>(&bytes) {
                    let again = codec.encode(&other).unwrap();
                    prop_assert_eq!(decode(codec, &again), Ok(other));
                }
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }
}
