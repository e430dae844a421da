//! Codecs that are not known here: a type of a user, behind functions that do not name it.

use std::fmt;
use std::hash::{Hash, Hasher};

use erased_serde::{Deserializer as AnyDeserializer, Serialize as AnySerialize};
use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _};

use super::limit::{Budget, Limited};
use super::{Codec, CodecKind, DecodeLimits};
use crate::BoxError;

/// The lowest number of a codec of a user's.
const ID_MIN: u8 = 128;

impl CodecKind {
    /// Makes a codec of calls of a type that implements [`Codec`].
    ///
    /// A client is given it with `with_codec`, a server with its `Limits`: the server then names it in its opening. A peer that does not
    /// know it is not called in it; the error lists what it knows.
    ///
    /// What the codec decodes is held to the [`DecodeLimits`] from outside too: levels and elements are counted as its deserializer
    /// visits them. What that skips by itself, and bytes after the value, it must bound and refuse itself.
    ///
    /// A number below 128 does not compile: those are for codecs that come with farcall.
    ///
    /// ```
    /// # use rpc_core::{BoxError, Codec, CodecKind, DecodeLimits};
    /// # use serde::{Serialize, de::DeserializeSeed};
    /// struct Spaced;
    ///
    /// impl Codec for Spaced {
    ///     const ID: u8 = 200;
    ///     const NAME: &'static str = "spaced";
    ///     // JSON over more lines.
    ///     fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), BoxError> {
    ///         Ok(serde_json::to_writer_pretty(out, value)?)
    ///     }
    ///     fn decode<'de, S: DeserializeSeed<'de>>(seed: S, bytes: &'de [u8], _: &DecodeLimits) -> Result<S::Value, BoxError> {
    ///         let mut from = serde_json::Deserializer::from_slice(bytes);
    ///         let value = seed.deserialize(&mut from)?;
    ///         from.end()?;
    ///         Ok(value)
    ///     }
    /// }
    ///
    /// let codec = CodecKind::custom::<Spaced>();
    /// assert_eq!(codec.encode(&[1, 2]).unwrap(), "[\n  1,\n  2\n]");
    /// ```
    pub const fn custom<C: Codec>() -> Self {
        const { assert!(C::ID >= ID_MIN, "the numbers of codecs below 128 are taken: choose one from 128 to 255") }
        Self::Custom(CustomCodec(const { &Parts::of::<C>() }))
    }
}

/// A codec of one's own; [`CodecKind::custom`] makes one.
#[derive(Clone, Copy)]
pub struct CustomCodec(&'static Parts);

struct Parts {
    id: u8,
    name: &'static str,
    encode: fn(&dyn AnySerialize, &mut Vec<u8>) -> Result<(), BoxError>,
    decode: for<'de> fn(Visit<'_, 'de>, &'de [u8], &DecodeLimits) -> Result<(), BoxError>,
}

/// Decodes the value that is wanted with the codec's deserializer.
type Visit<'v, 'de> = &'v mut dyn FnMut(&mut dyn AnyDeserializer<'de>) -> Result<(), erased_serde::Error>;

impl Parts {
    const fn of<C: Codec>() -> Self {
        Self { id: C::ID, name: C::NAME, encode: encode::<C>, decode: decode::<C> }
    }
}

fn encode<C: Codec>(value: &dyn AnySerialize, out: &mut Vec<u8>) -> Result<(), BoxError> {
    C::encode(value, out)
}

fn decode<'de, C: Codec>(
    visit: Visit<'_, 'de>,
    bytes: &'de [u8],
    limits: &DecodeLimits,
) -> Result<(), BoxError> {
    C::decode(Seed(visit), bytes, limits)
}

struct Seed<'v, 'de>(Visit<'v, 'de>);

impl<'de> DeserializeSeed<'de> for Seed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        (self.0)(&mut <dyn AnyDeserializer<'de>>::erase(deserializer)).map_err(D::Error::custom)
    }
}

impl CustomCodec {
    pub(super) const fn id(self) -> u8 {
        self.0.id
    }

    pub(super) const fn name(self) -> &'static str {
        self.0.name
    }

    pub(super) fn encode<T: Serialize + ?Sized>(self, value: &T, out: &mut Vec<u8>) -> Result<(), BoxError> {
        // A reference has a known size, as a value behind `dyn` must.
        (self.0.encode)(&value, out)
    }

    pub(super) fn decode<'de, S: DeserializeSeed<'de>>(
        self,
        seed: S,
        bytes: &'de [u8],
        limits: &DecodeLimits,
    ) -> Result<S::Value, BoxError> {
        let budget = Budget::new(limits, bytes.len());
        let (mut seed, mut value) = (Some(seed), None);
        let mut visit = |deserializer: &mut dyn AnyDeserializer<'de>| {
            if let Some(seed) = seed.take() {
                value = Some(seed.deserialize(Limited::new(deserializer, &budget))?);
            }
            Ok(())
        };
        (self.0.decode)(&mut visit, bytes, limits).map_err(|error| budget.explain(error))?;
        value.ok_or_else(|| format!("the codec {} has decoded nothing", self.name()).into())
    }
}

impl PartialEq for CustomCodec {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for CustomCodec {}

impl Hash for CustomCodec {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl fmt::Debug for CustomCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CustomCodec({} {})", self.id(), self.name())
    }
}
