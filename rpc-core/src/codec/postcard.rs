//! The postcard format.

use bytes::{BufMut, BytesMut};
use serde::Serialize;
use serde::de::DeserializeSeed;

use super::limit::{Budget, Limited};
use super::{Codec, DecodeLimits};
use crate::BoxError;

/// The [postcard](https://postcard.jamesmunns.com/wire-format) format: small, fast, and not self-describing.
#[derive(Debug)]
#[non_exhaustive]
pub struct Postcard;

impl Codec for Postcard {
    const ID: u8 = 1;
    const NAME: &'static str = "postcard";

    fn encode<T: Serialize + ?Sized>(value: &T, out: &mut BytesMut) -> Result<(), BoxError> {
        postcard::to_io(value, out.writer())?;
        Ok(())
    }

    fn decode<'de, S: DeserializeSeed<'de>>(
        seed: S,
        bytes: &'de [u8],
        limits: &DecodeLimits,
    ) -> Result<S::Value, BoxError> {
        let budget = Budget::new(limits, bytes.len());
        let mut deserializer = postcard::Deserializer::from_bytes(bytes);
        let value = seed
            .deserialize(Limited::new(&mut deserializer, &budget))
            .map_err(|error| budget.explain(error))?;
        match deserializer.finalize()? {
            [] => Ok(value),
            rest => Err(format!("{} bytes follow the value", rest.len()).into()),
        }
    }
}
