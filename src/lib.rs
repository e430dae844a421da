#![doc = include_str!("../README.md")]

pub use rpc_core::{
    Body, BoxError, BoxService, Call, CallError, Code, Codec, CodecKind, Context, DecodeLimits, Entry, Error,
    ErrorKind, Fate, FnService, Handler, Identity, ItemStream, Layer, LayerFn, Message, Metadata,
    MethodDescriptor, MethodId, MethodKind, Next, Peer, Reply, Request, Response, Router, Scope, Service,
    ServiceDescriptor, Stack, Start, Status, Streaming, TraceParent, Value, WithMetadata, layer_fn,
};
pub use rpc_macros::service;
pub use rpc_transport::{Backoff, Channel, ChannelBuilder, Limits, Server, ServerBuilder, ServerHandle};

/// What generated code names; not for people, and free to change.
#[doc(hidden)]
pub mod __private {
    pub use rpc_core::__private::{
        AsBytes, BorrowedBytes, BorrowedStr, CloneIf, DebugIf, Fallible, FallibleItems, FromCall, FromError,
        IntoItems, IsResult, Items, Nothing, Own, Plain, Stream, Streams, Wire, WireResult, client,
        decode_args, decode_output, deserialize_message, encode_args, encode_output, is_result,
        items_of_call, message, own_items, result_travels, serde, serialize_message, serve, server, travels,
        unknown_method,
    };
    pub use rpc_core::{
        Call, Client, Error, Handler, Message, MethodDescriptor, MethodId, MethodKind, Request, Response,
        Service, ServiceDescriptor, Start, Streaming,
    };
    pub use rpc_transport::Channel;
}
