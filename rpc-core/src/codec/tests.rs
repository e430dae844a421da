mod faults;
mod properties;
#[cfg(feature = "protobuf")]
mod protobuf;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::error::Error as _;

use super::*;

/// Every kind of value that serde knows.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
enum Value {
    Unit,
    Truth(bool),
    Small(i8, u16),
    Number(i64),
    Huge(u128, i128),
    Letter(char),
    Text(String),
    List(Vec<Value>),
    Map(BTreeMap<String, Value>),
    Maybe(Option<Box<Value>>),
    Named { id: u32, inner: Box<Value> },
    Wrapped(Wrapper),
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
struct Wrapper((Box<Value>, [u8; 3]));

/// The bytes' value, or what the codec said against them.
fn decode<'a, T: Deserialize<'a>>(codec: CodecKind, bytes: &'a [u8]) -> Result<T, String> {
    codec.decode(bytes).map_err(|error| error.source().expect("a cause").to_string())
}

fn postcard<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, String> {
    decode(CodecKind::Postcard, bytes)
}

#[cfg(feature = "json")]
fn json<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    decode(CodecKind::Json, text.as_bytes())
}

#[test]
fn each_codec_is_found_by_its_id() {
    for codec in CodecKind::ALL {
        assert_eq!(CodecKind::from_id(codec.id()), Some(*codec));
    }
    assert_eq!(CodecKind::from_id(0), None);
}

#[test]
fn an_unknown_codec_is_answered_with_the_known_ones() {
    let status = CodecKind::unsupported(99, &[CodecKind::Postcard]);
    assert_eq!(status.code(), Code::Unimplemented);
    assert_eq!(
        status.message(),
        "codec 99 is not known here; known are postcard: choose one of these, or turn its feature on here"
    );
}

#[test]
fn an_error_names_the_codec_and_has_the_cause() {
    let error = CodecKind::Postcard.decode::<bool>(&[2]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("cannot decode 1 bytes as postcard"), "{error}");
    assert!(error.source().is_some());
}

#[test]
fn a_postcard_error_says_what_to_look_for() {
    #[derive(Deserialize, Debug)]
    enum Older {
        Only,
    }
    assert!(matches!(postcard(&[0]), Ok(Older::Only)));
    assert!(postcard::<Older>(&[1]).unwrap_err().contains("another version of the type"));
    assert!(postcard::<serde::de::IgnoredAny>(&[1]).unwrap_err().contains("such as JSON"));
}

#[test]
fn a_value_that_cannot_be_encoded_is_an_error() {
    struct Broken;
    impl Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("broken"))
        }
    }
    for codec in CodecKind::ALL {
        assert_eq!(codec.encode(&(1, Broken)).unwrap_err().kind(), ErrorKind::Encode);
    }
}

#[test]
fn borrowed_values_point_into_the_message() {
    let bytes = CodecKind::Postcard.encode(&("borrowed", AsBytes(b"bytes"))).unwrap();
    let (text, blob): (BorrowedStr<'_>, BorrowedBytes<'_>) = postcard(&bytes).unwrap();
    assert!(matches!(text.0, std::borrow::Cow::Borrowed("borrowed")));
    assert!(matches!(blob.0, std::borrow::Cow::Borrowed(b"bytes")));
}

#[test]
fn a_codec_says_whether_people_can_read_it() {
    use std::net::Ipv4Addr;
    let address = Ipv4Addr::new(127, 0, 0, 1);
    assert_eq!(CodecKind::Postcard.encode(&address).unwrap().as_ref(), [127, 0, 0, 1]);
    assert_eq!(postcard(&[127, 0, 0, 1]), Ok(address));
    #[cfg(feature = "json")]
    assert_eq!(json("\"127.0.0.1\""), Ok(address));
}

#[test]
fn self_describing_representations_work_where_names_travel() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    #[serde(untagged)]
    enum Untagged {
        Number(u64),
        List(Vec<u8>),
        Named { a: Option<i8> },
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    #[serde(tag = "kind")]
    enum Tagged {
        Point { x: i32 },
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Flat {
        a: u8,
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    }
    #[track_caller]
    fn both_ways<T: Serialize + for<'de> Deserialize<'de> + PartialEq + std::fmt::Debug>(value: &T) {
        for codec in CodecKind::general().filter(|codec| *codec != CodecKind::Postcard) {
            let bytes = codec.encode(value).unwrap();
            assert_eq!(decode::<T>(codec, &bytes).as_ref(), Ok(value), "{}", codec.name());
        }
    }
    both_ways(&Untagged::Number(7));
    both_ways(&Untagged::List(vec![1, 2]));
    both_ways(&Untagged::Named { a: None });
    both_ways(&Tagged::Point { x: 1 });
    both_ways(&Flat { a: 1, rest: BTreeMap::from([("b".into(), 2)]) });
}
