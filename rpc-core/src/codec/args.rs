//! A method's arguments as one value: a struct whose fields are the arguments, by their names, up to sixteen of them.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::MethodDescriptor;

/// Encodes the arguments, given as a tuple of references.
///
/// # Errors
/// What the serializer fails with.
#[allow(clippy::needless_pass_by_value)] // a tuple of references
pub(crate) fn encode_args<S: Serializer>(
    serializer: S,
    method: &MethodDescriptor,
    args: impl ArgsRef,
) -> Result<S::Ok, S::Error> {
    let mut fields = serializer.serialize_struct(method.name(), method.args().len())?;
    args.serialize_fields(method.args(), &mut fields)?;
    fields.end()
}

/// Decodes the arguments into a tuple: in their order where the format has no names, by name in any order where it has. There,
/// names that are not known are skipped, and an `Option` that is missing is `None`.
///
/// # Errors
/// What the deserializer fails with.
pub(crate) fn decode_args<'de, A: Args<'de>, D: Deserializer<'de>>(
    deserializer: D,
    method: &'static MethodDescriptor,
) -> Result<A, D::Error> {
    deserializer.deserialize_struct(method.name(), method.args(), ArgsVisitor { method, args: PhantomData })
}

/// A tuple of references to arguments.
pub trait ArgsRef {
    /// Serialises each as a field.
    ///
    /// # Errors
    /// What the serializer fails with.
    fn serialize_fields<S: SerializeStruct>(
        &self,
        names: &[&'static str],
        fields: &mut S,
    ) -> Result<(), S::Error>;
}

/// A tuple of arguments.
pub trait Args<'de>: Sized {
    /// Reads them by position.
    ///
    /// # Errors
    /// What the format fails with, or that there are too few.
    fn from_seq<A: SeqAccess<'de>>(seq: A, method: &'static MethodDescriptor) -> Result<Self, A::Error>;

    /// Reads them by name.
    ///
    /// # Errors
    /// What the format fails with, or that one is missing or stands there twice.
    fn from_map<A: MapAccess<'de>>(map: A, names: &'static [&'static str]) -> Result<Self, A::Error>;
}

struct ArgsVisitor<A> {
    method: &'static MethodDescriptor,
    args: PhantomData<A>,
}

impl<'de, A: Args<'de>> Visitor<'de> for ArgsVisitor<A> {
    type Value = A;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the arguments ({}) of {}", self.method.args().join(", "), self.method)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, seq: S) -> Result<A, S::Error> {
        A::from_seq(seq, self.method)
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<A, M::Error> {
        A::from_map(map, self.method.args())
    }
}

macro_rules! tuples {
    ($($count:literal: $($name:ident $index:tt),*;)*) => {$(
        impl<$($name: Serialize + ?Sized),*> ArgsRef for ($(&$name,)*) {
            #[allow(unused_variables)]
            #[allow(clippy::indexing_slicing, reason = "generated code names each argument")]
            fn serialize_fields<S: SerializeStruct>(
                &self,
                names: &[&'static str],
                fields: &mut S,
            ) -> Result<(), S::Error> {
                $(fields.serialize_field(names[$index], self.$index)?;)*
                Ok(())
            }
        }

        impl<'de, $($name: Deserialize<'de>),*> Args<'de> for ($($name,)*) {
            #[allow(unused_mut, unused_variables, clippy::unused_unit)]
            fn from_seq<Seq: SeqAccess<'de>>(
                mut seq: Seq,
                method: &'static MethodDescriptor,
            ) -> Result<Self, Seq::Error> {
                let too_few = |index| {
                    Seq::Error::invalid_length(index, &ArgsVisitor { method, args: PhantomData::<Self> })
                };
                Ok(($(seq.next_element::<$name>()?.ok_or_else(|| too_few($index))?,)*))
            }

            #[allow(non_snake_case, clippy::unused_unit)]
            #[allow(clippy::indexing_slicing, reason = "generated code names each argument")]
            fn from_map<Map: MapAccess<'de>>(
                mut map: Map,
                names: &'static [&'static str],
            ) -> Result<Self, Map::Error> {
                $(let mut $name: Option<$name> = None;)*
                while let Some(index) = map.next_key_seed(ByName(names))? {
                    match index {
                        $(Some($index) if $name.is_some() => {
                            return Err(Map::Error::duplicate_field(names[$index]));
                        }
                        Some($index) => $name = Some(map.next_value()?),)*
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(($(match $name {
                    Some(value) => value,
                    None => missing(names[$index])?,
                },)*))
            }
        }
    )*};
}

tuples! {
    0: ;
    1: A 0;
    2: A 0, B 1;
    3: A 0, B 1, C 2;
    4: A 0, B 1, C 2, D 3;
    5: A 0, B 1, C 2, D 3, E 4;
    6: A 0, B 1, C 2, D 3, E 4, F 5;
    7: A 0, B 1, C 2, D 3, E 4, F 5, G 6;
    8: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7;
    9: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8;
    10: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9;
    11: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10;
    12: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11;
    13: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12;
    14: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13;
    15: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14;
    16: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15;
}

/// Finds an argument's position by its name; none where no argument has the name.
struct ByName(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for ByName {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for ByName {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an argument's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.0.iter().position(|known| *known == name))
    }
}

/// What stands for an argument that is missing: `None` for an `Option`, an error for all else.
fn missing<'de, T: Deserialize<'de>, E: serde::de::Error>(name: &'static str) -> Result<T, E> {
    T::deserialize(Missing { name, error: PhantomData })
}

struct Missing<E> {
    name: &'static str,
    error: PhantomData<E>,
}

impl<'de, E: serde::de::Error> Deserializer<'de> for Missing<E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, E> {
        Err(E::missing_field(self.name))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_none()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// An argument `&str`: it borrows from the message where the format allows it.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs)]
pub struct BorrowedStr<'a>(pub Cow<'a, str>);

/// An argument `&[u8]`: it borrows from the message where the format allows it.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs)]
pub struct BorrowedBytes<'a>(pub Cow<'a, [u8]>);

/// Bytes as bytes: serde takes `[u8]` for a sequence of numbers.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs)]
pub struct AsBytes<'a>(pub &'a [u8]);

impl Serialize for AsBytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for BorrowedStr<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text))
            }
        }

        deserializer.deserialize_str(Text).map(BorrowedStr)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for BorrowedBytes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Blob;

        impl<'de> Visitor<'de> for Blob {
            type Value = Cow<'de, [u8]>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(bytes))
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(Cow::Owned(bytes.to_owned()))
            }

            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Self::Value, E> {
                Ok(Cow::Owned(bytes))
            }

            // JSON has no bytes: there they are an array of numbers.
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = seq.next_element()? {
                    bytes.push(byte);
                }
                Ok(Cow::Owned(bytes))
            }
        }

        deserializer.deserialize_bytes(Blob).map(BorrowedBytes)
    }
}

#[cfg(test)]
mod tests;
