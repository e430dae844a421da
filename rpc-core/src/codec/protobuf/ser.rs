//! Writes what the codec takes, and refuses all else.

use serde::Serialize;
use serde::de::value::Error;
use serde::ser::{Error as _, Impossible, SerializeStruct, Serializer};

use super::{PROTO, REFUSED};

/// The value of a message, or the one within it.
pub(super) struct Whole<'o> {
    out: &'o mut Vec<u8>,
    /// It is an argument, or one side of a result.
    is_part: bool,
}

impl<'o> Whole<'o> {
    pub(super) fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, is_part: false }
    }

    fn part<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(Whole { out: self.out, is_part: true })
    }
}

fn refused<T>() -> Result<T, Error> {
    Err(Error::custom(REFUSED))
}

macro_rules! refuse {
    ($($method:ident($($type:ty),*) -> $ok:ty;)*) => {$(
        fn $method(self, $(_: $type),*) -> Result<$ok, Error> {
            refused()
        }
    )*};
}

macro_rules! refuse_most {
    () => {
        refuse! {
            serialize_bool(bool) -> ();
            serialize_i8(i8) -> ();
            serialize_i16(i16) -> ();
            serialize_i32(i32) -> ();
            serialize_i64(i64) -> ();
            serialize_u8(u8) -> ();
            serialize_u16(u16) -> ();
            serialize_u32(u32) -> ();
            serialize_u64(u64) -> ();
            serialize_f32(f32) -> ();
            serialize_f64(f64) -> ();
            serialize_char(char) -> ();
            serialize_str(&str) -> ();
            serialize_none() -> ();
            serialize_unit_struct(&'static str) -> ();
            serialize_unit_variant(&'static str, u32, &'static str) -> ();
            serialize_seq(Option<usize>) -> Self::SerializeSeq;
            serialize_tuple(usize) -> Self::SerializeTuple;
            serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
            serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
            serialize_map(Option<usize>) -> Self::SerializeMap;
            serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
        }

        fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), Error> {
            refused()
        }
    };
}

impl<'o> Serializer for Whole<'o> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Impossible<(), Error>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Impossible<(), Error>;
    type SerializeStruct = Whole<'o>;
    type SerializeStructVariant = Impossible<(), Error>;

    refuse_most! {}

    refuse! { serialize_bytes(&[u8]) -> (); }

    fn serialize_unit(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        if name == PROTO { value.serialize(Content(self.out)) } else { value.serialize(self) }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        match (name, variant, self.is_part) {
            ("Result", "Ok", false) => self.part(value),
            ("Result", "Err", false) => {
                self.out.push(0);
                self.part(value)
            }
            _ => refused(),
        }
    }

    fn serialize_struct(self, _: &'static str, fields: usize) -> Result<Self, Error> {
        if fields <= 1 && !self.is_part { Ok(self) } else { refused() }
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

impl SerializeStruct for Whole<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Result<(), Error> {
        self.part(value)
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

/// The bytes of a message.
struct Content<'o>(&'o mut Vec<u8>);

impl Serializer for Content<'_> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Impossible<(), Error>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Impossible<(), Error>;
    type SerializeStruct = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    refuse_most! {}

    refuse! {
        serialize_unit() -> ();
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Error> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, _: &T) -> Result<(), Error> {
        refused()
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        refused()
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}
