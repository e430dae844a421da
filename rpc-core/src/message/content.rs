//! What a message is matched for: the match on its variants is generated once, and each of these takes from it what it needs.

use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use super::Message;
use crate::codec::{Args, ArgsRef, decode_args, encode_args};
use crate::reply::IsResult;
use crate::{MethodDescriptor, MethodId};

/// Takes a message's method and content.
pub trait Encoder: Sized {
    /// What it makes of them.
    type Output;

    /// Takes a request: the arguments as a tuple of references.
    fn args(self, method: &'static MethodDescriptor, args: impl ArgsRef) -> Self::Output;

    /// Takes a response.
    fn output(self, method: &'static MethodDescriptor, output: &impl Serialize) -> Self::Output;

    /// Takes a response that may be the method's own error.
    fn result(self, method: &'static MethodDescriptor, result: &(impl Serialize + IsResult)) -> Self::Output {
        self.output(method, result)
    }
}

/// Gives a message's method and content.
pub trait Decoder<'de>: Sized {
    /// A message, or why there is none.
    type Output<M>;

    /// Returns the method.
    fn method(&self) -> MethodId;

    /// Makes a request of its arguments.
    fn args<A: Args<'de>, M>(
        self,
        method: &'static MethodDescriptor,
        make: impl FnOnce(A) -> M,
    ) -> Self::Output<M>;

    /// Makes a response.
    fn output<T: Deserialize<'de>, M>(self, make: impl FnOnce(T) -> M) -> Self::Output<M>;

    /// Fails, for the service has no such method.
    fn unknown<M>(self) -> Self::Output<M>;
}

/// A message without its method.
pub(super) struct Content<'m, M>(pub(super) &'m M);

impl<'a, M: Message<'a>> Serialize for Content<'_, M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.encode(Encoding(serializer))
    }
}

struct Encoding<S>(S);

impl<S: Serializer> Encoder for Encoding<S> {
    type Output = Result<S::Ok, S::Error>;

    fn args(self, method: &'static MethodDescriptor, args: impl ArgsRef) -> Self::Output {
        encode_args(self.0, method, args)
    }

    fn output(self, _: &'static MethodDescriptor, output: &impl Serialize) -> Self::Output {
        output.serialize(self.0)
    }
}

/// Takes the method alone.
pub(super) struct Method;

impl Encoder for Method {
    type Output = &'static MethodDescriptor;

    fn args(self, method: &'static MethodDescriptor, _: impl ArgsRef) -> Self::Output {
        method
    }

    fn output(self, method: &'static MethodDescriptor, _: &impl Serialize) -> Self::Output {
        method
    }
}

/// Tells whether the content is the method's own error.
pub(super) struct Failed;

impl Encoder for Failed {
    type Output = bool;

    fn args(self, _: &'static MethodDescriptor, _: impl ArgsRef) -> bool {
        false
    }

    fn output(self, _: &'static MethodDescriptor, _: &impl Serialize) -> bool {
        false
    }

    fn result(self, _: &'static MethodDescriptor, result: &(impl Serialize + IsResult)) -> bool {
        result.is_failure()
    }
}

/// A message to be decoded, whose method is known.
pub(super) struct ContentOf<M> {
    pub(super) method: MethodId,
    pub(super) message: PhantomData<M>,
}

impl<'de, M: Message<'de>> DeserializeSeed<'de> for ContentOf<M> {
    type Value = M;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<M, D::Error> {
        M::decode(Decoding { method: self.method, deserializer })
    }
}

struct Decoding<D> {
    method: MethodId,
    deserializer: D,
}

impl<'de, D: Deserializer<'de>> Decoder<'de> for Decoding<D> {
    type Output<M> = Result<M, D::Error>;

    fn method(&self) -> MethodId {
        self.method
    }

    fn args<A: Args<'de>, M>(
        self,
        method: &'static MethodDescriptor,
        make: impl FnOnce(A) -> M,
    ) -> Result<M, D::Error> {
        decode_args(self.deserializer, method).map(make)
    }

    fn output<T: Deserialize<'de>, M>(self, make: impl FnOnce(T) -> M) -> Result<M, D::Error> {
        T::deserialize(self.deserializer).map(make)
    }

    fn unknown<M>(self) -> Result<M, D::Error> {
        Err(D::Error::custom(format_args!("no method has the id {}", self.method)))
    }
}
