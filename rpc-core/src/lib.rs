//! The contract and the protocol of farcall.
//!
//! This crate holds what both ends agree on: the [`Service`] seam with [`Request`], [`Response`] and [`Context`]; the errors; the codecs;
//! what generated code calls into; and the protocol as a state machine that opens no socket, spawns no task and reads no clock.
//! Users depend on the `farcall` crate, which re-exports what they need.

// What a peer sends passes through this crate. What could panic there is argued where it stands.
#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

mod auth;
mod batch;
mod body;
mod buffers;
#[expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a call that is polled after its end is its caller's mistake"
)]
mod call;
mod codec;
pub mod compression;
pub mod connection;
mod context;
#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "loops up to a length, in constants"
)]
mod descriptor;
mod dispatch;
mod error;
mod generated;
mod items;
mod message;
mod metadata;
mod one_line;
mod reply;
mod request;
#[expect(clippy::unreachable, reason = "an id hashes as one number")]
mod router;
mod service;
mod status;
mod streaming;
pub mod timeline;
mod trace;
pub mod wire;

pub use auth::{AuthRule, Caller};
pub use batch::{ItemBatch, ItemStream};
pub use body::Body;
pub use buffers::trim as trim_buffers;
pub use call::{Call, Client, Start, WithMetadata, WithServerTimes, deadline_after};
#[cfg(feature = "cbor")]
pub use codec::Cbor;
#[cfg(feature = "custom-codecs")]
pub use codec::CustomCodec;
#[cfg(feature = "json")]
pub use codec::Json;
#[cfg(feature = "messagepack")]
pub use codec::MessagePack;
pub use codec::{Codec, CodecKind, DecodeLimits, Postcard, shared as shared_bytes};
#[cfg(feature = "protobuf")]
pub use codec::{Proto, Protobuf};
pub use compression::{Compression, Compressor};
pub use context::{Context, Scope};
pub use descriptor::{MethodDescriptor, MethodId, MethodKind, ServiceDescriptor};
pub use dispatch::{Dispatcher, Handler};
pub use error::{BoxError, CallError, Error, ErrorKind, Fate};
pub use message::Message;
pub use metadata::{Entry, Metadata, Value};
pub use reply::Reply;
pub use request::{Peer, PeerCertificate, Request, Response};
pub use router::Router;
pub use service::{BoxService, FnService, Identity, Layer, LayerFn, Next, Service, Stack, layer_fn};
pub use status::{Code, Pushback, Status};
pub use streaming::Streaming;
pub use timeline::{ServerTimes, Timeline};
pub use trace::{BAGGAGE, Baggage, TRACEPARENT, TRACESTATE, TraceParent, TraceState};

/// What generated code names; not for people, and free to change.
#[doc(hidden)]
pub mod __private {
    pub use crate::codec::{Args, ArgsRef, AsBytes, BorrowedBytes, BorrowedStr};
    pub use crate::dispatch::{Dispatch, Streams};
    pub use crate::items::{IntoItems, Own, items_of_call, own_items};
    pub use crate::message::{
        CloneIf, DebugIf, Decoder, Encoder, Wire, WireResult, clone, debug, deserialize_message, is_result,
        result_travels, serialize_message, travels,
    };
    pub use crate::reply::{Fallible, FallibleItems, FromCall, FromError, IsResult, Items, Nothing, Plain};
    pub use crate::{__client as client, __message as message};
    pub use futures_core::Stream;
    pub use serde::{Deserialize, Deserializer, Serialize, Serializer};
    pub use std::result::Result;
}
