//! Rules P11 to P14 and P19, on the golden vectors: values in each codec.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::kit::{VALUES, vector, vectors};
use crate::codec::{AsBytes, BorrowedBytes, BorrowedStr, decode_args, encode_args};
use crate::{CodecKind, MethodDescriptor};

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Person {
    name: String,
    born: u32,
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
enum Shape {
    Point,
    Circle(u32),
    Box { width: u32, height: u32 },
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
enum MathError {
    DivisionByZero,
    Overflow,
}

fn bytes_of(codec: CodecKind, name: &str) -> Vec<u8> {
    vector(VALUES, &format!("{}.{name}", codec.name()))
}

fn both_ways<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(name: &str, value: &T) {
    for codec in CodecKind::general() {
        let bytes = bytes_of(codec, name);
        assert_eq!(*codec.encode(value).unwrap(), *bytes, "{} {name}", codec.name());
        assert_eq!(codec.decode::<T>(&bytes).unwrap(), *value, "{} {name}", codec.name());
    }
}

#[test]
fn rule_p12_values_are_written_and_read_to_the_byte() {
    both_ways("bool", &true);
    both_ways("u8", &255_u8);
    both_ways("u64", &300_u64);
    both_ways("u64_max", &u64::MAX);
    both_ways("i32", &-2_i32);
    both_ways("f64", &1.5_f64);
    both_ways("char", &'ü');
    both_ways("string", &"Ada".to_owned());
    both_ways("list", &vec![1_u32, 2, 3]);
    both_ways("tuple", &(1_u32, "no".to_owned()));
    both_ways("none", &None::<u32>);
    both_ways("some", &Some(7_u32));
    both_ways("struct", &Person { name: "Ada".into(), born: 1815 });
    both_ways("variant_newtype", &Shape::Circle(5));
    both_ways("variant_struct", &Shape::Box { width: 3, height: 4 });
    both_ways("duration", &Duration::from_millis(2500));
    both_ways("map", &BTreeMap::from([("a".to_owned(), 1_u32)]));
    for codec in CodecKind::general() {
        let bytes = bytes_of(codec, "bytes");
        assert_eq!(*codec.encode(&AsBytes(&[0, 255, 10])).unwrap(), *bytes);
        assert_eq!(*codec.decode::<BorrowedBytes<'_>>(&bytes).unwrap().0, [0, 255, 10]);
        assert_eq!(codec.decode::<BorrowedStr<'_>>(&bytes_of(codec, "string")).unwrap().0, "Ada");
    }
    assert_eq!(CodecKind::Postcard.encode(&Shape::Point).unwrap()[..], [0]);
}

#[test]
fn rule_p11_p13_results_are_written_as_the_return_type() {
    both_ways("unit", &());
    both_ways("ok", &Ok::<i32, MathError>(2));
    both_ways("err", &Err::<i32, MathError>(MathError::DivisionByZero));
    both_ways("ok_unit", &Ok::<(), MathError>(()));
    assert_eq!(CodecKind::Postcard.encode(&Err::<i32, _>(MathError::Overflow)).unwrap()[..], [1, 1]);
}

static NONE: MethodDescriptor = MethodDescriptor::new("Test", "none");
static GREET: MethodDescriptor = MethodDescriptor::new("Greeter", "greet").with_args(&["name"], &["String"]);
static DIVIDE: MethodDescriptor =
    MethodDescriptor::new("Maths", "divide").with_args(&["a", "b"], &["i64", "i64"]);
static PUT: MethodDescriptor =
    MethodDescriptor::new("Kv", "put").with_args(&["key", "value"], &["&str", "&[u8]"]);

/// Arguments as generated code encodes and decodes them.
macro_rules! arguments {
    ($name:ident, $method:ident, [$($arg:expr),*], ($($type:ty),*)) => {{
        struct Arguments(($($type,)*));

        impl Serialize for Arguments {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                encode_args(serializer, &$method, ($(&$arg,)*))
            }
        }

        impl<'de> Deserialize<'de> for Arguments {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                decode_args(deserializer, &$method).map(Self)
            }
        }

        for codec in CodecKind::general() {
            let bytes = bytes_of(codec, stringify!($name));
            let read: Arguments = codec.decode(&bytes).unwrap();
            assert_eq!(read.0, ($($arg.into(),)*), "{}", codec.name());
            assert_eq!(*codec.encode(&read).unwrap(), *bytes, "{}", codec.name());
        }
        |codec: CodecKind, text: &[u8]| codec.decode::<Arguments>(text).map(|read| read.0)
    }};
}

#[cfg(feature = "json")]
struct Optional((Option<i64>, Option<i64>));

#[cfg(feature = "json")]
impl<'de> Deserialize<'de> for Optional {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decode_args(deserializer, &DIVIDE).map(Self)
    }
}

#[test]
fn rule_p11_p12_arguments_are_a_struct_of_their_names() {
    let _ = arguments!(arguments_none, NONE, [], ());
    let _ = arguments!(arguments_one, GREET, ["Ada"], (String));
    let _divide = arguments!(arguments_two, DIVIDE, [7_i64, -2_i64], (i64, i64));
    for codec in CodecKind::general().filter(|codec| *codec != CodecKind::Postcard) {
        let other_order = _divide(codec, &bytes_of(codec, "arguments_other_order"));
        assert_eq!(other_order.unwrap(), (7, -2), "{}", codec.name());
    }
    #[cfg(feature = "json")]
    {
        assert!(_divide(CodecKind::Json, b"{\"a\":7}").is_err());
        assert_eq!(CodecKind::Json.decode::<Optional>(b"{\"b\":3}").unwrap().0, (None, Some(3)));
    }
}

#[test]
fn rule_p11_bytes_as_an_argument_are_bytes() {
    struct Put;

    impl Serialize for Put {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            encode_args(serializer, &PUT, ("k", &AsBytes(&[1, 2])))
        }
    }

    for codec in CodecKind::general() {
        assert_eq!(*codec.encode(&Put).unwrap(), *bytes_of(codec, "arguments_bytes"));
    }
}

#[test]
fn rule_p14_what_is_not_one_value_within_bounds_is_refused() {
    #[derive(Serialize, Deserialize, Debug)]
    struct Nest(Vec<Nest>);

    for codec in CodecKind::general() {
        assert!(codec.decode::<String>(&bytes_of(codec, "refused_bytes_after")).is_err());
        let nest = |levels| (1..levels).fold(Nest(Vec::new()), |nest, _| Nest(vec![nest]));
        // A newtype is a level, and so is the list in it.
        assert!(codec.decode::<Nest>(&codec.encode(&nest(64)).unwrap()).is_ok());
        assert!(codec.decode::<Nest>(&codec.encode(&nest(65)).unwrap()).is_err());
    }
    assert!(CodecKind::Postcard.decode::<String>(&bytes_of(CodecKind::Postcard, "refused_cut_off")).is_err());
    assert!(
        CodecKind::Postcard.decode::<u64>(&bytes_of(CodecKind::Postcard, "refused_long_number")).is_err()
    );
    // Three bytes say how many; 65,536 are free, and one for each byte.
    for (count, is_right) in [(65_539_u32, true), (65_540, false)] {
        let bytes = CodecKind::Postcard.encode(&count).unwrap();
        assert_eq!(bytes.len(), 3);
        assert_eq!(CodecKind::Postcard.decode::<Vec<()>>(&bytes).is_ok(), is_right, "{count}");
    }
}

#[test]
fn every_vector_of_a_value_is_in_every_codec() {
    let one_codec = ["arguments_other_order", "refused_cut_off", "refused_long_number"];
    let all: Vec<_> = vectors(VALUES).into_iter().map(|(name, _)| name).collect();
    let names = all.iter().filter_map(|name| name.strip_prefix("postcard."));
    for name in names.filter(|name| !one_codec.contains(name)) {
        for codec in ["json", "messagepack", "cbor"] {
            assert!(all.contains(&&*format!("{codec}.{name}")), "{codec}.{name}");
        }
    }
}

/// Rule P19.
#[cfg(feature = "protobuf")]
mod protobuf {
    use super::*;
    use crate::Proto;

    #[derive(Clone, PartialEq, prost::Message)]
    struct Hello {
        #[prost(string, tag = "1")]
        name: String,
    }

    static HELLO: MethodDescriptor =
        MethodDescriptor::new("Greeter", "hello").with_args(&["hello"], &["Proto<Hello>"]);

    fn ada() -> Proto<Hello> {
        Proto(Hello { name: "Ada".into() })
    }

    fn both_ways<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(name: &str, value: &T) {
        let bytes = bytes_of(CodecKind::Protobuf, name);
        assert_eq!(*CodecKind::Protobuf.encode(value).unwrap(), *bytes, "{name}");
        assert_eq!(CodecKind::Protobuf.decode::<T>(&bytes).unwrap(), *value, "{name}");
    }

    #[test]
    fn rule_p19_protobuf_is_the_bare_message() {
        both_ways("message", &ada());
        both_ways("empty", &());
        both_ways("ok", &Ok::<_, Proto<Hello>>(ada()));
        both_ways("err", &Err::<(), _>(ada()));
        both_ways("ok_unit", &Ok::<(), Proto<Hello>>(()));
        let refused = bytes_of(CodecKind::Protobuf, "refused_bytes_after");
        assert!(CodecKind::Protobuf.decode::<()>(&refused).is_err());
        let refused = bytes_of(CodecKind::Protobuf, "refused_cut_off");
        assert!(CodecKind::Protobuf.decode::<Proto<Hello>>(&refused).is_err());
    }

    struct Arguments<A>(&'static MethodDescriptor, A);

    impl Serialize for Arguments<(Proto<Hello>,)> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            encode_args(serializer, self.0, (&self.1.0,))
        }
    }

    impl<'de> Deserialize<'de> for Arguments<(Proto<Hello>,)> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Ok(Self(&HELLO, decode_args(deserializer, &HELLO)?))
        }
    }

    impl Serialize for Arguments<()> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            encode_args(serializer, self.0, ())
        }
    }

    #[test]
    fn rule_p19_the_one_argument_is_the_message_and_none_is_nothing() {
        let bytes = bytes_of(CodecKind::Protobuf, "message");
        assert_eq!(*CodecKind::Protobuf.encode(&Arguments(&HELLO, (ada(),))).unwrap(), *bytes);
        let read: Arguments<(Proto<Hello>,)> = CodecKind::Protobuf.decode(&bytes).unwrap();
        assert_eq!(read.1.0, ada());
        assert!(CodecKind::Protobuf.encode(&Arguments(&NONE, ())).unwrap().is_empty());
    }
}
