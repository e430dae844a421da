//! The postcard format.

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeSeed;

use super::limit::{Budget, Limited};
use super::{Codec, DecodeLimits, apart};
use crate::BoxError;
use crate::buffers::{self, LARGE_BYTES_MIN};

/// The [postcard](https://postcard.jamesmunns.com/wire-format) format: small, fast, and not self-describing.
///
/// A value has more than one encoding: a number may have more bytes than it needs, up to the most that its type may have
/// (`[0x80, 0x00]` is 0 too), which the format allows on purpose. More bytes than that, or bits that the type has no room
/// for, are refused. So compare values, and not their bytes, and sign the bytes, and not the value.
#[derive(Debug)]
#[non_exhaustive]
pub struct Postcard;

impl Codec for Postcard {
    const ID: u8 = 1;
    const NAME: &'static str = "postcard";

    fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), BoxError> {
        Ok(postcard::serialize_with_flavor(value, Output(out))?)
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
            .map_err(|error| budget.explain(explain(error)))?;
        match deserializer.finalize()? {
            [] => Ok(value),
            rest => Err(format!("{} bytes follow the value", rest.len()).into()),
        }
    }
}

/// Says what two of postcard's errors are about, whose own messages do not.
fn explain(error: postcard::Error) -> BoxError {
    match error {
        // Postcard drops what the value's `Deserialize` said.
        postcard::Error::SerdeDeCustom => "a part of the value is not what its type allows: \
            the peer may have another version of the type"
            .into(),
        postcard::Error::WontImplement => "postcard holds no names or types, which this type needs: \
            untagged, internally tagged and flattened ones need a codec that holds them, such as JSON"
            .into(),
        error => error.into(),
    }
}

/// Where postcard writes.
struct Output<'a>(&'a mut Vec<u8>);

impl Output<'_> {
    #[cold]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "both lengths are of what is in memory, apart from each other"
    )]
    fn grow(&mut self, bytes: usize) {
        // What follows it is small as a rule; twice as much, so that many large parts are not copied again for each.
        let mut larger = buffers::take((self.0.len() + bytes + 1024).max(2 * self.0.len()));
        larger.extend_from_slice(self.0);
        *self.0 = larger;
    }
}

impl Flavor for Output<'_> {
    type Output = ();

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        // Most writes are numbers of a few bytes, for which a loop takes half the time of a call to `memcpy`.
        if bytes.len() <= 16 {
            self.0.extend(bytes.iter().copied());
            return Ok(());
        }
        if bytes.len() >= LARGE_BYTES_MIN {
            if apart::keep(self.0, bytes) {
                return Ok(());
            }
            if self.0.spare_capacity_mut().len() < bytes.len() {
                self.grow(bytes.len());
            }
        }
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}
