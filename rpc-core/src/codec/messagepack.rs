//! The MessagePack format.

use std::io::ErrorKind;

use rmp_serde::decode::Error;
use serde::de::DeserializeSeed;
use serde::{Deserialize, Serialize};

use super::limit::{Budget, Limited};
use super::{Codec, DecodeLimits};
use crate::BoxError;

/// [MessagePack](https://msgpack.org): values as in JSON, names included, in fewer bytes and with bytes as bytes.
#[derive(Debug)]
#[non_exhaustive]
pub struct MessagePack;

impl Codec for MessagePack {
    const ID: u8 = 3;
    const NAME: &'static str = "messagepack";

    fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), BoxError> {
        value.serialize(&mut rmp_serde::Serializer::new(out).with_struct_map())?;
        Ok(())
    }

    fn decode<'de, S: DeserializeSeed<'de>>(
        seed: S,
        bytes: &'de [u8],
        limits: &DecodeLimits,
    ) -> Result<S::Value, BoxError> {
        let budget = Budget::new(limits, bytes.len());
        let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
        let value = seed
            .deserialize(Limited::new(&mut deserializer, &budget))
            .map_err(|error| budget.explain(error))?;
        // The library does not say how far it has read. One more value cannot begin where nothing is left.
        match <()>::deserialize(&mut deserializer) {
            Err(Error::InvalidMarkerRead(error)) if error.kind() == ErrorKind::UnexpectedEof => Ok(value),
            _ => Err("bytes follow the value".into()),
        }
    }
}
