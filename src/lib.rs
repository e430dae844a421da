//! farcall

pub use rpc_core::{
    BoxError, BoxService, Call, CallError, Code, Codec, CodecKind, Context, DecodeLimits, Entry, Error,
    ErrorKind, Fate, Layer, Metadata, MethodDescriptor, MethodId, MethodKind, Next, Peer, Request, Response,
    Router, Service, ServiceDescriptor, Status, Streaming, TraceParent, Value, layer_fn,
};
// pub use rpc_macros::service;

/// What generated code names; not for people, and free to change.
#[doc(hidden)]
pub mod __private {
    pub use rpc_core::__private::{
        AsBytes, BorrowedBytes, BorrowedStr, CloneIf, DebugIf, Fallible, FallibleItems, FromCall, IntoItems,
        IsResult, Items, Nothing, Own, Plain, Stream, Streams, Wire, decode_args, deserialize_message,
        encode_args, serde, serialize_message, serve, unknown_method,
    };
    pub use rpc_core::{
        Call, Client, Error, Handler, Message, MethodDescriptor, MethodId, MethodKind, Request, Response,
        Service, ServiceDescriptor, Start, Streaming,
    };
    pub use rpc_transport::Channel;
}
