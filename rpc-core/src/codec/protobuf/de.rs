//! Reads what the codec takes, and refuses all else.

use serde::de::value::Error;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, SeqAccess, VariantAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;

use super::{PROTO, REFUSED};

/// The bytes of a message, or of the value within it.
pub(super) struct Whole<'de> {
    bytes: &'de [u8],
    /// It is an argument, or one side of a result.
    is_part: bool,
}

impl<'de> Whole<'de> {
    pub(super) fn new(bytes: &'de [u8]) -> Self {
        Self { bytes, is_part: false }
    }

    fn part(bytes: &'de [u8]) -> Self {
        Self { bytes, is_part: true }
    }

    /// Holds where no bytes are left.
    fn empty(&self) -> Result<(), Error> {
        match self.bytes {
            [] => Ok(()),
            rest => Err(Error::custom(format_args!("{} bytes follow the value", rest.len()))),
        }
    }
}

impl<'de> Deserializer<'de> for Whole<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom(REFUSED))
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.empty()?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == PROTO {
            visitor.visit_newtype_struct(Content(self.bytes))
        } else {
            visitor.visit_newtype_struct(self)
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match fields {
            [] if !self.is_part => {
                self.empty()?;
                visitor.visit_seq(Fields(None))
            }
            [_] if !self.is_part => visitor.visit_seq(Fields(Some(self.bytes))),
            _ => Err(Error::custom(REFUSED)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name != "Result" || self.is_part {
            return Err(Error::custom(REFUSED));
        }
        // No message begins with a zero byte: it would be a field with the number 0.
        visitor.visit_enum(match self.bytes {
            [0, error @ ..] => Side { variant: "Err", content: error },
            content => Side { variant: "Ok", content },
        })
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit_struct
        seq tuple tuple_struct map identifier ignored_any
    }
}

/// The one field, or none.
struct Fields<'de>(Option<&'de [u8]>);

impl<'de> SeqAccess<'de> for Fields<'de> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        self.0.take().map(|bytes| seed.deserialize(Whole::part(bytes))).transpose()
    }
}

/// A side of a result.
struct Side<'de> {
    variant: &'static str,
    content: &'de [u8],
}

impl<'de> EnumAccess<'de> for Side<'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let variant = seed.deserialize(IntoDeserializer::<Error>::into_deserializer(self.variant))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Side<'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Err(Error::custom(REFUSED))
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(Whole::part(self.content))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Err(Error::custom(REFUSED))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Error> {
        Err(Error::custom(REFUSED))
    }
}

/// The bytes of a message of prost.
struct Content<'de>(&'de [u8]);

impl<'de> Deserializer<'de> for Content<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_bytes(self.0)
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
