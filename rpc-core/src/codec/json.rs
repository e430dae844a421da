//! The JSON format.

use serde::Serialize;
use serde::de::DeserializeSeed;

use super::limit::{Budget, Limited};
use super::{Codec, DecodeLimits};
use crate::BoxError;

/// JSON: readable, and with the arguments by name.
#[derive(Debug)]
#[non_exhaustive]
pub struct Json;

impl Codec for Json {
    const ID: u8 = 2;
    const NAME: &'static str = "json";

    fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), BoxError> {
        serde_json::to_writer(out, value)?;
        Ok(())
    }

    fn decode<'de, S: DeserializeSeed<'de>>(
        seed: S,
        bytes: &'de [u8],
        limits: &DecodeLimits,
    ) -> Result<S::Value, BoxError> {
        let budget = Budget::new(limits, bytes.len());
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let value = seed
            .deserialize(Limited::new(&mut deserializer, &budget))
            .map_err(|error| budget.explain(error))?;
        deserializer.end()?;
        Ok(value)
    }
}
