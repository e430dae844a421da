//! How values become bytes: the [`Codec`] trait, the codecs that are built in, and the bounds on what is decoded.

mod arena;
mod args;
#[cfg(feature = "json")]
mod json;
mod limit;
mod postcard;
pub mod shared;

use bytes::Bytes;
use serde::de::DeserializeSeed;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::marker::PhantomData;

pub use args::{Args, ArgsRef, AsBytes, BorrowedBytes, BorrowedStr};
pub(crate) use args::{decode_args, encode_args};
#[cfg(feature = "json")]
pub use json::Json;
pub use limit::DecodeLimits;
pub use postcard::Postcard;

use crate::{BoxError, Code, Error, ErrorKind, Status};

/// A way to turn values into bytes and back.
///
/// Decoding is bounded: a codec keeps to the [`DecodeLimits`] whatever the bytes say, and refuses bytes after the value.
pub trait Codec {
    /// The number that stands for the codec on the wire.
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
}

impl CodecKind {
    /// The codecs of this build.
    pub const ALL: &'static [Self] = &[
        Self::Postcard,
        #[cfg(feature = "json")]
        Self::Json,
    ];

    /// Finds a codec by its number on the wire.
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|codec| codec.id() == id)
    }

    /// Returns the number on the wire.
    pub const fn id(self) -> u8 {
        match self {
            Self::Postcard => Postcard::ID,
            #[cfg(feature = "json")]
            Self::Json => Json::ID,
        }
    }

    /// Returns the name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postcard => Postcard::NAME,
            #[cfg(feature = "json")]
            Self::Json => Json::NAME,
        }
    }

    /// Encodes a value.
    ///
    /// # Errors
    /// [`ErrorKind::Encode`] with what the value's `Serialize` said.
    pub fn encode<T: Serialize + ?Sized>(self, value: &T) -> Result<Bytes, Error> {
        arena::message(|out| self.append(value, out))
    }

    /// Encodes a value behind what is there.
    pub(crate) fn append<T: Serialize + ?Sized>(self, value: &T, out: &mut Vec<u8>) -> Result<(), Error> {
        match self {
            Self::Postcard => Postcard::encode(value, out),
            #[cfg(feature = "json")]
            Self::Json => Json::encode(value, out),
        }
        .map_err(|source| {
            Error::new(ErrorKind::Encode, format!("cannot encode a value as {}", self.name()))
                .with_source(source)
        })
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
        match self {
            Self::Postcard => Postcard::decode(seed, bytes, &limits),
            #[cfg(feature = "json")]
            Self::Json => Json::decode(seed, bytes, &limits),
        }
        .map_err(|source| {
            Error::new(ErrorKind::Decode, format!(
                    "cannot decode {} bytes as {}: the two sides may disagree about a type; compare their versions",
                    bytes.len(),
                    self.name()
                ))
                .with_source(source)
        })
    }

    /// The status for a codec that this build does not know.
    pub fn unsupported(id: u8) -> Status {
        let known: Vec<_> = Self::ALL.iter().map(|codec| codec.name()).collect();
        Status::new(
            Code::Unimplemented,
            format!("codec {id} is not known here; known are {}", known.join(", ")),
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
mod tests;
