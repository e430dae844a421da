#![doc = include_str!("../README.md")]

#[cfg(feature = "admin")]
pub use rpc_admin as admin;
#[cfg(feature = "custom-codecs")]
pub use rpc_core::CustomCodec;
#[cfg(feature = "protobuf")]
pub use rpc_core::Proto;
pub use rpc_core::connection::{CallView, View, WaitsFor};
pub use rpc_core::{
    AuthRule, BAGGAGE, Baggage, Body, BoxError, BoxService, Call, CallError, Caller, Code, Codec, CodecKind,
    Compression, Compressor, Context, DecodeLimits, Dispatcher, Entry, Error, ErrorKind, Fate, FnService,
    Handler, Identity, ItemBatch, ItemStream, Layer, LayerFn, Message, Metadata, MethodDescriptor, MethodId,
    MethodKind, Next, Peer, PeerCertificate, Pushback, Reply, Request, Response, Router, Scope, ServerTimes,
    Service, ServiceDescriptor, Stack, Start, Status, Streaming, TRACEPARENT, TRACESTATE, Timeline,
    TraceParent, TraceState, Value, WithMetadata, WithServerTimes, layer_fn, shared_bytes,
};
pub use rpc_layers as layers;
pub use rpc_macros::service;
#[cfg(feature = "metrics")]
pub use rpc_metrics as metrics;
pub use rpc_transport::{
    Backoff, Channel, ChannelBuilder, ChannelStats, ConnectionView, Ended, Failure, Inspector, Limits, Pool,
    Server, ServerBuilder, ServerHandle, ServerView, Totals,
};
#[cfg(feature = "tls")]
pub use rpc_transport::{
    Pem, TlsClient, TlsClientBuilder, TlsCounts, TlsServer, TlsServerBuilder, TlsVersions,
};

/// What generated code names; not for people, and free to change.
#[doc(hidden)]
pub mod __private {
    pub use rpc_core::__private::{
        AsBytes, BorrowedBytes, BorrowedStr, CloneIf, DebugIf, Decoder, Deserialize, Deserializer, Dispatch,
        Encoder, Fallible, FallibleItems, FromCall, FromError, IntoItems, IsResult, Items, Nothing, Own,
        Plain, Result, Serialize, Serializer, Stream, Streams, Wire, WireResult, client, clone, debug,
        deserialize_message, is_result, items_of_call, message, own_items, result_travels, serialize_message,
        travels,
    };
    pub use rpc_core::{
        AuthRule, Call, Client, CodecKind, Dispatcher, Error, Message, MethodDescriptor, MethodId,
        MethodKind, Service, ServiceDescriptor, Start,
    };
    pub use rpc_transport::Channel;
}

/// Compiles what the guide shows.
#[cfg(all(doctest, feature = "tls"))]
#[doc = include_str!("../docs/guides/tls.md")]
struct TlsGuide;

/// Compiles what the guide shows.
#[cfg(doctest)]
#[doc = include_str!("../docs/guides/pool.md")]
struct PoolGuide;

#[cfg(all(doctest, feature = "quic", feature = "websocket"))]
#[doc = include_str!("../docs/guides/links.md")]
struct LinksGuide;

#[cfg(all(doctest, feature = "custom-codecs", feature = "json", feature = "protobuf", feature = "zstd"))]
#[doc = include_str!("../docs/guides/codecs.md")]
struct CodecsGuide;

// The code of the guide compiles.
#[cfg(doctest)]
#[doc = include_str!("../docs/guides/layers.md")]
struct LayersGuide;

// So does that of this one.
#[cfg(doctest)]
#[doc = include_str!("../docs/guides/tracing.md")]
struct TracingGuide;

// The code of the guide compiles.
#[cfg(all(doctest, feature = "jwt"))]
#[doc = include_str!("../docs/guides/auth.md")]
struct AuthGuide;

// The code of the guide compiles.
#[cfg(all(doctest, feature = "admin"))]
#[doc = include_str!("../docs/guides/operating.md")]
struct OperatingGuide;

#[cfg(all(doctest, feature = "prometheus"))]
#[doc = include_str!("../docs/guides/metrics.md")]
struct MetricsGuide;

// The code of the guide compiles.
#[cfg(doctest)]
#[doc = include_str!("../docs/guides/errors.md")]
struct ErrorsGuide;
