//! How values become bytes: the [`Codec`] trait, the codecs that are built in, and the bounds on what is decoded.

mod apart;
mod arena;
mod args;
#[cfg(feature = "cbor")]
mod cbor;
#[cfg(feature = "custom-codecs")]
mod custom;
#[cfg(feature = "json")]
mod json;
mod limit;
#[cfg(feature = "messagepack")]
mod messagepack;
mod postcard;
#[cfg(feature = "protobuf")]
mod protobuf;
pub mod shared;

use bytes::Bytes;
use serde::de::DeserializeSeed;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::marker::PhantomData;

pub use args::{Args, ArgsRef, AsBytes, BorrowedBytes, BorrowedStr};
pub(crate) use args::{decode_args, encode_args};
#[cfg(feature = "cbor")]
pub use cbor::Cbor;
#[cfg(feature = "custom-codecs")]
pub use custom::CustomCodec;
#[cfg(feature = "json")]
pub use json::Json;
pub use limit::DecodeLimits;
#[cfg(feature = "messagepack")]
pub use messagepack::MessagePack;
pub use postcard::Postcard;
#[cfg(feature = "protobuf")]
pub use protobuf::{Proto, Protobuf};

use crate::{Body, BoxError, Code, Error, ErrorKind, Status};

/// A way to turn values into bytes and back.
///
/// Decoding is bounded: a codec keeps to the [`DecodeLimits`] whatever the bytes say, and refuses bytes after the value.
///
/// With the feature `custom-codecs`, a type of your own that implements this becomes a codec of calls by `CodecKind::custom`.
pub trait Codec: 'static {
    /// The number that stands for the codec on the wire; 128 to 255 are for codecs of users.
    const ID: u8;
    /// The codec's name in settings and messages.
    const NAME: &'static str;

    /// Appends the value's bytes.
    ///
    /// # Errors
    /// What the value's `Serialize` fails with.
    fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), BoxError>;

    /// Reads one value that fills the bytes.
    ///
    /// # Errors
    /// The bytes are not such a value, go on after it, or are over a limit.
    fn decode<'de, S: DeserializeSeed<'de>>(
        seed: S,
        bytes: &'de [u8],
        limits: &DecodeLimits,
    ) -> Result<S::Value, BoxError>;
}

/// A codec that both ends know, as it is named on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CodecKind {
    /// [`Postcard`]: small and fast, the default.
    #[default]
    Postcard,
    /// [`Json`]: readable, with arguments by name.
    #[cfg(feature = "json")]
    Json,
    /// [`MessagePack`]: with names as JSON, in fewer bytes.
    #[cfg(feature = "messagepack")]
    MessagePack,
    /// [`Cbor`]: with names as JSON, in fewer bytes, and a standard (RFC 8949).
    #[cfg(feature = "cbor")]
    Cbor,
    /// [`Protobuf`]: the bytes that gRPC sends, for methods whose types are messages of prost.
    #[cfg(feature = "protobuf")]
    Protobuf,
    /// A codec of one's own, see [`CodecKind::custom`].
    #[cfg(feature = "custom-codecs")]
    Custom(CustomCodec),
}

/// Does the same with the type of each codec; a custom one is not known as a type.
macro_rules! with_codec {
    ($kind:expr, $codec:ident => $do:expr, $custom:ident => $do_custom:expr) => {
        match $kind {
            CodecKind::Postcard => {
                type $codec = Postcard;
                $do
            }
            #[cfg(feature = "json")]
            CodecKind::Json => {
                type $codec = Json;
                $do
            }
            #[cfg(feature = "messagepack")]
            CodecKind::MessagePack => {
                type $codec = MessagePack;
                $do
            }
            #[cfg(feature = "cbor")]
            CodecKind::Cbor => {
                type $codec = Cbor;
                $do
            }
            #[cfg(feature = "protobuf")]
            CodecKind::Protobuf => {
                type $codec = Protobuf;
                $do
            }
            #[cfg(feature = "custom-codecs")]
            CodecKind::Custom($custom) => $do_custom,
        }
    };
}

impl CodecKind {
    /// The codecs of this build; those of users are not among them.
    pub const ALL: &'static [Self] = &[
        Self::Postcard,
        #[cfg(feature = "json")]
        Self::Json,
        #[cfg(feature = "messagepack")]
        Self::MessagePack,
        #[cfg(feature = "cbor")]
        Self::Cbor,
        #[cfg(feature = "protobuf")]
        Self::Protobuf,
    ];

    /// Finds a codec of this build by its number on the wire.
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|codec| codec.id() == id)
    }

    /// Returns the number on the wire.
    pub const fn id(self) -> u8 {
        with_codec!(self, C => C::ID, custom => custom.id())
    }

    /// Returns the name.
    pub const fn name(self) -> &'static str {
        with_codec!(self, C => C::NAME, custom => custom.name())
    }

    /// Encodes a value.
    ///
    /// # Errors
    /// [`ErrorKind::Encode`] with what the value's `Serialize` said.
    pub fn encode<T: Serialize + ?Sized>(self, value: &T) -> Result<Bytes, Error> {
        arena::message(|out| self.append(value, out))
    }

    /// Encodes the message of a body; large `Bytes` in it may stay where they are.
    pub(crate) fn encode_body<T: Serialize + ?Sized>(self, value: &T) -> Result<Body, Error> {
        // Others may look at what they have written: a codec of a user's may sign it.
        if !matches!(self, Self::Postcard) {
            return self.encode(value).map(Body::new);
        }
        let mut parts = Vec::new();
        let message = arena::message(|out| apart::collecting(out, &mut parts, |out| self.append(value, out)));
        let body = Body::new(message?);
        Ok(if parts.is_empty() { body } else { body.with_parts(parts) })
    }

    /// Encodes a value behind what is there.
    pub(crate) fn append<T: Serialize + ?Sized>(self, value: &T, out: &mut Vec<u8>) -> Result<(), Error> {
        with_codec!(self, C => C::encode(value, out), custom => custom.encode(value, out))
            .map_err(|source| self.not_encoded(source))
    }

    #[cold]
    fn not_encoded(self, source: BoxError) -> Error {
        let name = self.name();
        let text = format!("cannot encode a value as {name}: mend its `Serialize`, or choose another codec");
        Error::new(ErrorKind::Encode, text).with_source(source)
    }

    /// Decodes a value that owns or borrows its parts.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] with what is wrong with the bytes.
    pub fn decode<'de, T: Deserialize<'de>>(self, bytes: &'de [u8]) -> Result<T, Error> {
        self.decode_seed(PhantomData, bytes)
    }

    /// Decodes with a seed; see [`decode`](Self::decode).
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] with what is wrong with the bytes.
    pub fn decode_seed<'de, S: DeserializeSeed<'de>>(
        self,
        seed: S,
        bytes: &'de [u8],
    ) -> Result<S::Value, Error> {
        let limits = DecodeLimits::default();
        with_codec!(
            self,
            C => C::decode(seed, bytes, &limits),
            custom => custom.decode(seed, bytes, &limits)
        )
        .map_err(|source| self.not_decoded(bytes.len(), source))
    }

    #[cold]
    fn not_decoded(self, bytes: usize, source: BoxError) -> Error {
        let name = self.name();
        let text = format!(
            "cannot decode {bytes} bytes as {name}: the two sides may disagree about a type; compare their versions"
        );
        Error::new(ErrorKind::Decode, text).with_source(source)
    }

    /// The status for a codec that is none of those that are `known`.
    pub fn unsupported(id: u8, known: &[Self]) -> Status {
        let known: Vec<_> = known.iter().map(|codec| codec.name()).collect();
        Status::new(
            Code::Unimplemented,
            format!(
                "codec {id} is not known here; known are {}: choose one of these, or turn its feature on here",
                known.join(", ")
            ),
        )
    }
}

/// Makes a message of what is written.
pub(crate) fn write_message(write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let written = arena::message(|out| {
        write(out);
        Ok::<_, Infallible>(())
    });
    written.unwrap_or_else(|never| match never {})
}

#[cfg(test)]
impl CodecKind {
    /// The codecs that carry every value.
    pub(crate) fn general() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|codec| codec.name() != "protobuf")
    }
}

#[cfg(test)]
mod tests;
