//! A message on its own, with its method beside it: how recordings, queues and logs keep it.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, SeqAccess, VariantAccess, Visitor};
use serde::ser::{SerializeTuple, Serializer};

use super::{Content, ContentOf, Message};
use crate::{MethodDescriptor, MethodId};

/// Serialises a message with its method: by name where people may read it, by id where not; never by position.
///
/// # Errors
/// What the serializer fails with.
pub fn serialize_message<'a, M: Message<'a>, S: Serializer>(
    message: &M,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let method = message.method();
    if serializer.is_human_readable() {
        let index =
            M::SERVICE.methods().iter().position(|known| known.id() == method.id()).unwrap_or_default();
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        return serializer.serialize_newtype_variant(
            M::SERVICE.name(),
            index,
            method.name(),
            &Content(message),
        );
    }
    let mut tuple = serializer.serialize_tuple(2)?;
    tuple.serialize_element(&method.id().as_u64())?;
    tuple.serialize_element(&Content(message))?;
    tuple.end()
}

/// Reads what [`serialize_message`] wrote.
///
/// # Errors
/// What the deserializer fails with, or that the service has no such method.
pub fn deserialize_message<'de, M: Message<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<M, D::Error> {
    if deserializer.is_human_readable() {
        deserializer.deserialize_enum(M::SERVICE.name(), &[], Whole(PhantomData))
    } else {
        deserializer.deserialize_tuple(2, Whole(PhantomData))
    }
}

struct Whole<M>(PhantomData<M>);

impl<'de, M: Message<'de>> Visitor<'de> for Whole<M> {
    type Value = M;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a message of {}", M::SERVICE.name())
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<M, A::Error> {
        let (method, content) = data.variant_seed(ByName(M::SERVICE.methods()))?;
        content.newtype_variant_seed(ContentOf { method, message: PhantomData })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<M, A::Error> {
        let missing = |index| serde::de::Error::invalid_length(index, &self);
        let id = seq.next_element()?.ok_or_else(|| missing(0))?;
        let content = ContentOf { method: MethodId::new(id), message: PhantomData };
        seq.next_element_seed(content)?.ok_or_else(|| missing(1))
    }
}

struct ByName(&'static [&'static MethodDescriptor]);

impl<'de> DeserializeSeed<'de> for ByName {
    type Value = MethodId;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<MethodId, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for ByName {
    type Value = MethodId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a method's name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<MethodId, E> {
        match self.0.iter().find(|method| method.name() == name) {
            Some(method) => Ok(method.id()),
            None => Err(E::custom(format_args!("no method is named {name}"))),
        }
    }
}
