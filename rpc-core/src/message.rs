//! The bridge between generated message enums and codecs.

mod whole;

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use serde::de::{Deserialize, DeserializeOwned, DeserializeSeed, Deserializer};
use serde::ser::{Serialize, Serializer};

pub use whole::{deserialize_message, serialize_message};

use crate::reply::IsResult;
use crate::{CodecKind, Error, MethodDescriptor, MethodId, ServiceDescriptor};

/// A generated enum of requests or responses: one variant a method.
///
/// On the wire the method's id names the variant, so only the variant's content is encoded.
pub trait Message<'de>: Send + Sized {
    /// The service whose messages these are.
    const SERVICE: &'static ServiceDescriptor;

    /// Returns the method that this message belongs to.
    fn method(&self) -> &'static MethodDescriptor;

    /// Tells whether this is a response that holds the method's own error.
    fn is_failed(&self) -> bool {
        false
    }

    /// Encodes the content of the variant.
    ///
    /// # Errors
    /// What the serializer fails with.
    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Decodes the content of the method's variant.
    ///
    /// # Errors
    /// What the deserializer fails with, or [`unknown_method`].
    fn decode<D: Deserializer<'de>>(method: MethodId, deserializer: D) -> Result<Self, D::Error>;
}

/// A type that can travel as an argument, a result or a stream item.
///
/// Everything is that can be serialised, deserialised without borrowing, and sent between threads.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel in a remote call",
    label = "this type must be `Serialize`, `DeserializeOwned`, `Send` and `'static`",
    note = "derive it: `#[derive(serde::Serialize, serde::Deserialize)]`"
)]
// The lifetime says nothing: it lets a bound on a concrete type be written that may turn out false, so that a type that
// cannot travel is reported once, where the trait names it, and not at each use in generated code.
pub trait Wire<'w>: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> Wire<'_> for T {}

/// [`Wire`] for a type that is named like `Result`.
pub trait WireResult<'w>: Wire<'w> + IsResult {}

#[diagnostic::do_not_recommend]
impl<'w, R: Wire<'w> + IsResult> WireResult<'w> for R {}

/// Holds where `T` can travel; a generated trait asks it of each type, and so the error stands at the type.
pub const fn travels<T: Wire<'static>>() {}

/// Holds where `R` is a result by an alias, and both its types can travel.
pub const fn result_travels<R: IsResult<Ok: Wire<'static>, Err: Wire<'static>>>() {}

/// Holds where `R` is a result.
pub const fn is_result<R: IsResult>() {}

/// `Debug` as a bound that may be false; see [`Wire`].
pub trait DebugIf<'w>: fmt::Debug {}

impl<T: fmt::Debug + ?Sized> DebugIf<'_> for T {}

/// `Clone` as a bound that may be false; see [`Wire`].
pub trait CloneIf<'w>: Clone {}

impl<T: Clone> CloneIf<'_> for T {}

/// Encodes the content of a message.
pub(crate) fn encode<'a, M: Message<'a>>(codec: CodecKind, message: &M) -> Result<Bytes, Error> {
    codec.encode(&Content(message))
}

/// A message without its method.
struct Content<'m, M>(&'m M);

impl<'a, M: Message<'a>> Serialize for Content<'_, M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.encode(serializer)
    }
}

/// Decodes the content of a message of a known method.
pub(crate) fn decode<'a, M: Message<'a>>(
    codec: CodecKind,
    method: MethodId,
    bytes: &'a [u8],
) -> Result<M, Error> {
    codec.decode_seed(ContentOf { method, message: PhantomData }, bytes)
}

struct ContentOf<M> {
    method: MethodId,
    message: PhantomData<M>,
}

impl<'de, M: Message<'de>> DeserializeSeed<'de> for ContentOf<M> {
    type Value = M;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<M, D::Error> {
        M::decode(self.method, deserializer)
    }
}

/// Encodes what a method returns.
///
/// # Errors
/// What the serializer fails with.
pub fn encode_output<T: Serialize, S: Serializer>(serializer: S, output: &T) -> Result<S::Ok, S::Error> {
    output.serialize(serializer)
}

/// Decodes what a method returns.
///
/// # Errors
/// What the deserializer fails with.
pub fn decode_output<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::deserialize(deserializer)
}

/// The error of a decoder that is asked for a method that it does not have.
pub fn unknown_method<E: serde::de::Error>(method: MethodId) -> E {
    E::custom(format_args!("no method has the id {method}"))
}

/// Shows a variant with its fields, or as a tuple where the fields are numbered.
///
/// # Errors
/// What the formatter fails with.
pub fn debug(f: &mut fmt::Formatter<'_>, variant: &str, fields: &[(&str, &dyn fmt::Debug)]) -> fmt::Result {
    match fields {
        [] => f.write_str(variant),
        [("0", value)] => f.debug_tuple(variant).field(value).finish(),
        _ => {
            let mut shown = f.debug_struct(variant);
            for (name, value) in fields {
                shown.field(name.trim_start_matches("r#"), value);
            }
            shown.finish()
        }
    }
}
