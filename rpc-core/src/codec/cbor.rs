//! The CBOR format.

use std::convert::Infallible;

use cbor4ii::core::dec::{Read, Reference};
use cbor4ii::core::enc::Write;
use cbor4ii::serde::{Deserializer, Serializer};
use serde::Serialize;
use serde::de::DeserializeSeed;

use super::limit::{Budget, Limited};
use super::{Codec, DecodeLimits};
use crate::BoxError;

/// [CBOR](https://www.rfc-editor.org/rfc/rfc8949): values as in JSON, names included, in fewer bytes and with bytes as bytes.
///
/// `()` is an empty array. A float is read in the width of its type only.
#[derive(Debug)]
#[non_exhaustive]
pub struct Cbor;

impl Codec for Cbor {
    const ID: u8 = 4;
    const NAME: &'static str = "cbor";

    fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), BoxError> {
        value.serialize(&mut Serializer::new(Output(out)))?;
        Ok(())
    }

    fn decode<'de, S: DeserializeSeed<'de>>(
        seed: S,
        bytes: &'de [u8],
        limits: &DecodeLimits,
    ) -> Result<S::Value, BoxError> {
        let budget = Budget::new(limits, bytes.len());
        let mut deserializer = Deserializer::new(Input { rest: bytes, steps_left: steps(limits) });
        let value = seed
            .deserialize(Limited::new(&mut deserializer, &budget))
            .map_err(|error| budget.explain(error))?;
        match deserializer.into_inner().rest {
            [] => Ok(value),
            rest => Err(format!("{} bytes follow the value", rest.len()).into()),
        }
    }
}

/// The library counts a level up to twice, and once more for a value of any type. Its own count only bounds what it skips by itself.
fn steps(limits: &DecodeLimits) -> u32 {
    limits.depth_max.saturating_mul(3).saturating_add(3)
}

/// Where values are written.
struct Output<'o>(&'o mut Vec<u8>);

impl Write for Output<'_> {
    type Error = Infallible;

    fn push(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// What is left of a message, which texts and bytes are borrowed from.
struct Input<'de> {
    rest: &'de [u8],
    steps_left: u32,
}

impl<'de> Read<'de> for Input<'de> {
    type Error = Infallible;

    fn fill<'short>(&'short mut self, want: usize) -> Result<Reference<'de, 'short>, Infallible> {
        Ok(Reference::Long(self.rest.get(..want).unwrap_or(self.rest)))
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn step_in(&mut self) -> bool {
        let left = self.steps_left.checked_sub(1);
        self.steps_left = left.unwrap_or_default();
        left.is_some()
    }

    fn step_out(&mut self) {
        self.steps_left = self.steps_left.saturating_add(1);
    }
}
