//! Messages of prost, in their own codec and in others.

use std::error::Error as _;

use proptest::collection::vec;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{CodecKind, Proto};

#[derive(Clone, PartialEq, prost::Message)]
struct Order {
    #[prost(uint64, tag = "1")]
    number: u64,
    #[prost(string, repeated, tag = "2")]
    lines: Vec<String>,
    #[prost(bytes = "vec", optional, tag = "3")]
    note: Option<Vec<u8>>,
    #[prost(sint32, repeated, tag = "4")]
    sums: Vec<i32>,
    #[prost(message, optional, boxed, tag = "5")]
    before: Option<Box<Order>>,
}

fn orders() -> impl Strategy<Value = Order> {
    let parts = (any::<u64>(), vec(any::<String>(), 0..4), any::<Option<Vec<u8>>>(), vec(any::<i32>(), 0..4));
    let leaf =
        parts.prop_map(|(number, lines, note, sums)| Order { number, lines, note, sums, before: None });
    vec(leaf, 1..5).prop_map(|orders| {
        let nest = |before: Option<Order>, order| Some(Order { before: before.map(Box::new), ..order });
        orders.into_iter().fold(None, nest).unwrap_or_default()
    })
}

proptest! {
    #[test]
    fn a_message_comes_back_in_every_codec(order in orders()) {
        for codec in CodecKind::ALL {
            let bytes = codec.encode(&Proto(order.clone())).unwrap();
            prop_assert_eq!(codec.decode::<Proto<Order>>(&bytes).unwrap().0, order.clone(), "{}", codec.name());
        }
    }

    #[test]
    fn a_message_is_what_prost_writes(order in orders()) {
        let bytes = CodecKind::Protobuf.encode(&Proto(order.clone())).unwrap();
        prop_assert_eq!(&bytes[..], prost::Message::encode_to_vec(&order));
        let result = CodecKind::Protobuf.encode(&Ok::<_, ()>(Proto(order))).unwrap();
        prop_assert_eq!(bytes, result);
    }

    #[test]
    fn random_bytes_are_a_message_or_an_error(bytes in vec(any::<u8>(), 0..128)) {
        if let Ok(order) = CodecKind::Protobuf.decode::<Proto<Order>>(&bytes) {
            let again = CodecKind::Protobuf.encode(&order).unwrap();
            prop_assert_eq!(CodecKind::Protobuf.decode::<Proto<Order>>(&again).unwrap(), order);
        }
        let _ = CodecKind::Protobuf.decode::<Result<Proto<Order>, Proto<Order>>>(&bytes);
    }
}

#[track_caller]
fn refuses<T: Serialize + DeserializeOwned + std::fmt::Debug>(value: &T) {
    let cause = |error: crate::Error| error.source().expect("a cause").to_string();
    let said = cause(CodecKind::Protobuf.encode(value).unwrap_err());
    assert!(said.contains("wrap the types in `Proto`"), "{said}");
    let said = cause(CodecKind::Protobuf.decode::<T>(b"\x08\x01").unwrap_err());
    assert!(said.contains("wrap the types in `Proto`"), "{said}");
}

#[test]
fn anything_else_is_refused_with_what_to_write() {
    #[derive(Serialize, Deserialize, Debug)]
    struct Two {
        a: Proto<Order>,
        b: Proto<Order>,
    }
    let order = || Proto(Order::default());
    refuses(&7_u64);
    refuses(&"text".to_owned());
    refuses(&vec![order()]);
    refuses(&Some(order()));
    refuses(&(order(), order()));
    refuses(&Two { a: order(), b: order() });
    refuses(&Ok::<Result<Proto<Order>, ()>, ()>(Ok(order())));
    refuses(&Ok::<u64, Proto<Order>>(1));
    let refused = CodecKind::Protobuf.encode(&super::AsBytes(b"\x08\x01"));
    assert!(refused.is_err(), "bytes are no message");
}

#[test]
fn fault_16_deep_protobuf_is_refused() {
    let nested = |levels| {
        let around = |inner: Vec<u8>, _| {
            let mut outer = b"\x2a".to_vec();
            prost::encode_length_delimiter(inner.len(), &mut outer).unwrap();
            [outer, inner].concat()
        };
        (0..levels).fold(Vec::new(), around)
    };
    assert!(CodecKind::Protobuf.decode::<Proto<Order>>(&nested(100)).is_ok());
    let error = CodecKind::Protobuf.decode::<Proto<Order>>(&nested(5_000)).unwrap_err();
    assert!(error.source().unwrap().to_string().contains("recursion limit"), "{error:?}");
    // Longer than the message, of each kind that has a length.
    for field in [&b"\x12"[..], b"\x1a", b"\x22", b"\x2a"] {
        let bytes = [field, b"\xff\xff\xff\xff\x7f"].concat();
        assert!(CodecKind::Protobuf.decode::<Proto<Order>>(&bytes).is_err());
    }
}
