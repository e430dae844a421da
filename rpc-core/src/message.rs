//! The bridge between generated message enums and codecs.

mod content;
mod whole;

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use content::{Content, ContentOf, Failed, Method};
pub use content::{Decoder, Encoder};
pub use whole::{deserialize_message, serialize_message};

use crate::codec::shared;
use crate::reply::IsResult;
use crate::{Body, CodecKind, Error, MethodDescriptor, MethodId, ServiceDescriptor};

/// A generated enum of requests or responses: one variant a method.
///
/// On the wire the method's id names the variant, so only the variant's content is encoded.
pub trait Message<'de>: Sized {
    /// The service whose messages these are.
    const SERVICE: &'static ServiceDescriptor;

    /// Hands the variant's method and content to an encoder.
    fn encode<E: Encoder>(&self, encoder: E) -> E::Output;

    /// Makes the variant of the method that a decoder has, of the content that it has.
    fn decode<D: Decoder<'de>>(decoder: D) -> D::Output<Self>;

    /// Returns the method that this message belongs to.
    fn method(&self) -> &'static MethodDescriptor {
        self.encode(Method)
    }

    /// Tells whether this is a response that holds the method's own error.
    fn is_failed(&self) -> bool {
        self.encode(Failed)
    }
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
pub(crate) fn encode<'a, M: Message<'a>>(codec: CodecKind, message: &M) -> Result<Body, Error> {
    codec.encode_body(&Content(message))
}

/// Decodes the content of a message of a known method.
pub(crate) fn decode<'a, M: Message<'a>>(
    codec: CodecKind,
    method: MethodId,
    message: &'a Bytes,
) -> Result<M, Error> {
    shared::decoding(message, message, |bytes| {
        codec.decode_seed(ContentOf { method, message: PhantomData }, bytes)
    })
}

/// Clones a field of a message.
pub fn clone<T: Clone>(field: &T) -> T {
    field.clone()
}

/// Shows a request with its arguments.
///
/// # Errors
/// What the formatter fails with.
pub fn debug(f: &mut fmt::Formatter<'_>, variant: &str, args: &[(&str, &dyn fmt::Debug)]) -> fmt::Result {
    let mut shown = f.debug_struct(variant);
    for (name, value) in args {
        shown.field(name.trim_start_matches("r#"), value);
    }
    shown.finish()
}
