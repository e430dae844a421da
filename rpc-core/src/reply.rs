//! How a response becomes what the caller awaits.

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::codec::shared;
use crate::{CallError, CodecKind, Error, ErrorKind, MethodDescriptor, Response, Streaming};

/// What a call gives: the shape of a method's result on the calling side.
///
/// Implemented by the markers of this module; generated code names them.
pub trait Reply: 'static {
    /// What a successful call gives.
    type Value;
    /// What a call that did not succeed gives.
    type Error: From<Error>;

    /// Reads the response, and takes out the items that follow the result.
    ///
    /// # Errors
    /// The method's own error, or that the response does not fit.
    fn read(response: &mut Response, method: &'static MethodDescriptor) -> Result<Self::Value, Self::Error>;
}

/// A value on its own: the shape of a stream's items.
pub trait Item: 'static {
    /// What an item is.
    type Value;
    /// What stands in an item's place where it failed.
    type Error: From<Error>;

    /// Decodes an item, which is a part of what is in memory.
    ///
    /// # Errors
    /// The item's own error, or that the bytes do not fit.
    fn decode(
        codec: CodecKind,
        memory: &Bytes,
        part: &[u8],
        method: &'static MethodDescriptor,
    ) -> Result<Self::Value, Self::Error>;
}

/// `Result` by whatever name: how generated code finds the two types of an alias.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is named like `Result` and is another type",
    label = "farcall reads a return type named `Result<…>` as `core::result::Result`",
    note = "rename the type, or return it inside of a struct"
)]
pub trait IsResult: 'static {
    /// The type of success.
    type Ok;
    /// The type of failure.
    type Err;

    /// Turns the result into `core::result::Result`.
    ///
    /// # Errors
    /// The result's own.
    fn into_result(self) -> Result<Self::Ok, Self::Err>;

    /// Tells whether it is a failure.
    fn is_failure(&self) -> bool;
}

impl<T: 'static, E: 'static> IsResult for Result<T, E> {
    type Ok = T;
    type Err = E;

    fn into_result(self) -> Self {
        self
    }

    fn is_failure(&self) -> bool {
        self.is_err()
    }
}

/// A result in which a failed call can take the place of the method's own error, so that a client can implement its trait.
pub trait FromCall<'w>: IsResult {
    /// Turns what a call gave into what the trait's method returns.
    fn from_call(result: Result<Self::Ok, CallError<Self::Err>>) -> Self;

    /// Lets the method's own error stand for all that can fail.
    ///
    /// # Errors
    /// The method's own error, or one made from the call's.
    fn own_error<T>(result: Result<T, CallError<Self::Err>>) -> Result<T, Self::Err>;
}

impl<T: 'static, E: From<Error> + 'static> FromCall<'_> for Result<T, E> {
    fn from_call(result: Result<T, CallError<E>>) -> Self {
        Self::own_error(result)
    }

    fn own_error<V>(result: Result<V, CallError<E>>) -> Result<V, E> {
        result.map_err(|error| match error {
            CallError::Method(error) => error,
            CallError::Rpc(error) => error.into(),
        })
    }
}

/// `From<Error>` as a bound that may be false; see [`Wire`](crate::message::Wire).
pub trait FromError<'w>: From<Error> {}

impl<E: From<Error>> FromError<'_> for E {}

/// The reply of a method that returns a plain `T`.
pub struct Plain<T>(PhantomData<fn() -> T>);

/// The reply of a method that returns a `Result`.
pub struct Fallible<R>(PhantomData<fn() -> R>);

/// The reply of a method that returns a stream of `I`.
pub struct Items<I>(PhantomData<fn() -> I>);

/// The reply of a method that returns a `Result` of a stream of `I`; `R` is the same with `()` in the stream's place.
pub struct FallibleItems<I, R>(PhantomData<fn() -> (I, R)>);

/// The reply of a method that answers nothing.
#[derive(Debug)]
#[non_exhaustive]
pub struct Nothing;

impl<T: DeserializeOwned + 'static> Item for Plain<T> {
    type Value = T;
    type Error = Error;

    fn decode(
        codec: CodecKind,
        memory: &Bytes,
        part: &[u8],
        method: &'static MethodDescriptor,
    ) -> Result<T, Error> {
        decode(codec, memory, part, method)
    }
}

impl<R: IsResult + DeserializeOwned> Item for Fallible<R> {
    type Value = R::Ok;
    type Error = CallError<R::Err>;

    fn decode(
        codec: CodecKind,
        memory: &Bytes,
        part: &[u8],
        method: &'static MethodDescriptor,
    ) -> Result<R::Ok, CallError<R::Err>> {
        decode::<R>(codec, memory, part, method)?.into_result().map_err(CallError::Method)
    }
}

impl<T: DeserializeOwned + 'static> Reply for Plain<T> {
    type Value = T;
    type Error = Error;

    fn read(response: &mut Response, method: &'static MethodDescriptor) -> Result<T, Error> {
        let message = response.body().message();
        Self::decode(response.codec(), message, message, method)
    }
}

impl<R: IsResult + DeserializeOwned> Reply for Fallible<R> {
    type Value = R::Ok;
    type Error = CallError<R::Err>;

    fn read(response: &mut Response, method: &'static MethodDescriptor) -> Result<R::Ok, CallError<R::Err>> {
        let message = response.body().message();
        Self::decode(response.codec(), message, message, method)
    }
}

impl<I: Item> Reply for Items<I> {
    type Value = Streaming<I::Value, I::Error>;
    type Error = Error;

    fn read(response: &mut Response, method: &'static MethodDescriptor) -> Result<Self::Value, Error> {
        stream::<I>(response, method)
    }
}

impl<I: Item, R: IsResult + DeserializeOwned> Reply for FallibleItems<I, R> {
    type Value = Streaming<I::Value, I::Error>;
    type Error = CallError<R::Err>;

    fn read(response: &mut Response, method: &'static MethodDescriptor) -> Result<Self::Value, Self::Error> {
        let message = response.body().message();
        Fallible::<R>::decode(response.codec(), message, message, method)?;
        Ok(stream::<I>(response, method)?)
    }
}

impl Reply for Nothing {
    type Value = ();
    type Error = Error;

    fn read(_: &mut Response, _: &'static MethodDescriptor) -> Result<(), Error> {
        Ok(())
    }
}

fn decode<T: DeserializeOwned + 'static>(
    codec: CodecKind,
    memory: &Bytes,
    part: &[u8],
    method: &MethodDescriptor,
) -> Result<T, Error> {
    shared::decode(codec, memory, part).map_err(|error| error.with_method(method.to_string()))
}

fn stream<I: Item>(
    response: &mut Response,
    method: &'static MethodDescriptor,
) -> Result<Streaming<I::Value, I::Error>, Error> {
    let codec = response.codec();
    match response.take_items() {
        Some(items) => Ok(Streaming::decoding::<I>(items, codec, method)),
        None => Err(Error::new(
            ErrorKind::Decode,
            "the peer answered with one result where a stream was expected: compare the two sides' versions",
        )
        .with_method(method.to_string())),
    }
}

macro_rules! debug_by_name {
    ($($name:ident<$($param:ident),+>)+) => {$(
        impl<$($param),+> fmt::Debug for $name<$($param),+> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )+};
}

debug_by_name! { Plain<T> Fallible<R> Items<I> FallibleItems<I, R> }
