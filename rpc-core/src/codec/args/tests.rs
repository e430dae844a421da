use bytes::Bytes;
use serde::de::DeserializeOwned;
use std::error::Error as _;

use super::*;
use crate::CodecKind;

static NOTHING: MethodDescriptor = MethodDescriptor::new("Test", "nothing");
static THREE: MethodDescriptor = MethodDescriptor::new("Test", "three")
    .with_args(&["id", "name", "note"], &["u32", "String", "Option<bool>"]);
static SIXTEEN: MethodDescriptor = MethodDescriptor::new("Test", "sixteen").with_args(
    &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"],
    &["u8"; 16],
);

type Three = (u32, String, Option<bool>);
type Sixteen = (u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8);

struct Encoded<A>(&'static MethodDescriptor, A);

impl<A: ArgsRef + Copy> Serialize for Encoded<A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        encode_args(serializer, self.0, self.1)
    }
}

struct Decoded<A>(&'static MethodDescriptor, PhantomData<A>);

impl<'de, A: Args<'de>> DeserializeSeed<'de> for Decoded<A> {
    type Value = A;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<A, D::Error> {
        decode_args(deserializer, self.0)
    }
}

fn encode(codec: CodecKind, method: &'static MethodDescriptor, args: impl ArgsRef + Copy) -> Bytes {
    codec.encode(&Encoded(method, args)).unwrap()
}

fn decode<A>(codec: CodecKind, method: &'static MethodDescriptor, bytes: &[u8]) -> Result<A, String>
where
    A: for<'de> Args<'de> + DeserializeOwned,
{
    codec
        .decode_seed(Decoded(method, PhantomData), bytes)
        .map_err(|error| error.source().expect("a cause").to_string())
}

#[test]
fn arguments_come_back_in_every_codec() {
    let name = "Ada".to_owned();
    let sixteen: Sixteen = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
    let (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) = &sixteen;
    for codec in CodecKind::general() {
        let bytes = encode(codec, &THREE, (&7_u32, &name, &Some(true)));
        assert_eq!(decode::<Three>(codec, &THREE, &bytes), Ok((7, name.clone(), Some(true))));
        let bytes = encode(codec, &NOTHING, ());
        assert_eq!(decode(codec, &NOTHING, &bytes), Ok(()));
        let bytes = encode(codec, &SIXTEEN, (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p));
        let back: Sixteen = decode(codec, &SIXTEEN, &bytes).unwrap();
        assert_eq!((back.0, back.7, back.15), (1, 8, 16));
    }
}

#[test]
fn postcard_holds_the_arguments_and_nothing_else() {
    assert!(encode(CodecKind::Postcard, &NOTHING, ()).is_empty());
    let bytes = encode(CodecKind::Postcard, &THREE, (&7_u32, "Ada", &None::<bool>));
    assert_eq!(bytes.as_ref(), [7, 3, b'A', b'd', b'a', 0]);
    assert!(decode::<Three>(CodecKind::Postcard, &THREE, &bytes[..5]).is_err());
    assert!(decode::<()>(CodecKind::Postcard, &NOTHING, &bytes).is_err());
}

#[cfg(feature = "json")]
mod json {
    use super::*;

    fn three(text: &str) -> Result<Three, String> {
        decode(CodecKind::Json, &THREE, text.as_bytes())
    }

    fn ada() -> Result<Three, String> {
        Ok((7, "Ada".to_owned(), None))
    }

    #[track_caller]
    fn assert_refused(text: &str, why: &str) {
        let error = three(text).unwrap_err();
        assert!(error.contains(why), "{error}");
    }

    #[test]
    fn arguments_go_by_name() {
        let bytes = encode(CodecKind::Json, &THREE, (&7_u32, "Ada", &None::<bool>));
        assert_eq!(bytes.as_ref(), br#"{"id":7,"name":"Ada","note":null}"#);
        assert_eq!(encode(CodecKind::Json, &NOTHING, ()).as_ref(), b"{}");
    }

    #[test]
    fn names_come_in_any_order() {
        assert_eq!(three(r#"{"note":null,"name":"Ada","id":7}"#), ada());
        assert_eq!(three(r#"{"name":"Ada","id":7,"note":null}"#), ada());
    }

    #[test]
    fn unknown_names_are_skipped() {
        assert_eq!(three(r#"{"x":{"id":[1]},"id":7,"name":"Ada","note":null,"y":2}"#), ada());
        assert_eq!(decode(CodecKind::Json, &NOTHING, br#"{"x":1}"#), Ok(()));
    }

    #[test]
    fn a_missing_option_is_none_and_any_other_is_an_error() {
        assert_eq!(three(r#"{"id":7,"name":"Ada"}"#), ada());
        assert_refused(r#"{"id":7}"#, "missing field `name`");
        assert_refused("{}", "missing field `id`");
    }

    #[test]
    fn a_name_that_stands_twice_is_an_error() {
        assert_refused(r#"{"id":7,"name":"Ada","id":8}"#, "duplicate field `id`");
    }

    #[test]
    fn an_array_holds_the_arguments_in_their_order() {
        assert_eq!(three(r#"[7,"Ada",null]"#), ada());
        assert_eq!(decode(CodecKind::Json, &NOTHING, b"[]"), Ok(()));
        assert_refused(
            r#"[7,"Ada"]"#,
            "invalid length 2, expected the arguments (id, name, note) of Test/three",
        );
        assert_refused(r#"[7,"Ada",null,1]"#, "trailing characters");
    }

    #[test]
    fn the_error_says_what_was_expected() {
        assert_refused("7", "expected the arguments (id, name, note) of Test/three");
        assert_refused(r#"{"id":"7"}"#, "expected u32");
    }
}
