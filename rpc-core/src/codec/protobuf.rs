//! The Protocol Buffers format, for messages of prost.

mod de;
mod ser;

use std::fmt;
use std::marker::PhantomData;

use prost::Message;
use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use super::{AsBytes, Codec, DecodeLimits};
use crate::BoxError;

/// [Protocol Buffers](https://protobuf.dev), as gRPC sends them: a call is one message there and one back.
///
/// It carries methods with one argument or none, whose types are [`Proto`]:
///
/// | in the trait | on the wire |
/// |---|---|
/// | `Proto<T>`, as the one argument, the result, or an item | the message |
/// | no argument, `()` | no bytes, as `google.protobuf.Empty` |
/// | `Result<A, B>` of those as the result, or an item | `A`; or a zero byte, which begins no message, and `B` |
///
/// All else is an error that says so, since Protocol Buffers say nothing of what they hold. Such a method can be called in another codec.
///
/// Of the limits on decoding, prost's own on depth holds, which is 100; an element takes at least a byte.
#[derive(Debug)]
#[non_exhaustive]
pub struct Protobuf;

impl Codec for Protobuf {
    const ID: u8 = 5;
    const NAME: &'static str = "protobuf";

    fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), BoxError> {
        Ok(value.serialize(ser::Whole::new(out))?)
    }

    fn decode<'de, S: DeserializeSeed<'de>>(
        seed: S,
        bytes: &'de [u8],
        _: &DecodeLimits,
    ) -> Result<S::Value, BoxError> {
        Ok(seed.deserialize(de::Whole::new(bytes))?)
    }
}

/// What marks a value as a [`Proto`] among what serde hands on; a newtype's name goes nowhere in other formats.
const PROTO: &str = "farcall::Proto";

const REFUSED: &str = "protobuf carries one argument or none, and messages of prost only: \
    wrap the types in `Proto`, or call in another codec";

/// A message of prost that travels: as itself in the [`Protobuf`] codec, as bytes in all others.
///
/// So a service whose methods take and return it speaks the messages of a gRPC service, and can be called in every codec.
///
/// ```
/// use rpc_core::{CodecKind, Proto};
///
/// #[derive(Clone, PartialEq, prost::Message)]
/// struct HelloRequest {
///     #[prost(string, tag = "1")]
///     name: String,
/// }
///
/// let hello = Proto(HelloRequest { name: "Ada".into() });
/// assert_eq!(CodecKind::Protobuf.encode(&hello).unwrap(), &b"\x0a\x03Ada"[..]);
/// let back: Proto<HelloRequest> = CodecKind::Protobuf.decode(b"\x0a\x03Ada").unwrap();
/// assert_eq!(back, hello);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(clippy::exhaustive_structs)] // a wrapper, to be made and taken apart
pub struct Proto<T>(pub T);

impl<T> From<T> for Proto<T> {
    fn from(message: T) -> Self {
        Self(message)
    }
}

impl<T: Message> Serialize for Proto<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(PROTO, &AsBytes(&self.0.encode_to_vec()))
    }
}

impl<'de, T: Message + Default> Deserialize<'de> for Proto<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(PROTO, Content(PhantomData)).map(Self)
    }
}

/// Reads the bytes of a message.
struct Content<T>(PhantomData<fn() -> T>);

impl<'de, T: Message + Default> Visitor<'de> for Content<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of a Protocol Buffers message")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, content: D) -> Result<T, D::Error> {
        content.deserialize_bytes(self)
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
        T::decode(bytes).map_err(E::custom)
    }

    // JSON has no bytes: there they are an array of numbers.
    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<T, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = numbers.next_element()? {
            bytes.push(byte);
        }
        self.visit_bytes(&bytes)
    }
}
