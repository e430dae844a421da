//! What travels, the same for every peer.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The echoed message; one type with serde's derive and prost's, so that no peer pays for a conversion.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
pub struct Echo {
    #[prost(uint64, tag = "1")]
    pub id: u64,
    #[prost(string, tag = "2")]
    pub name: String,
    /// `Bytes`, which each codec writes and reads as one run of bytes rather than one by one; farcall does not copy it where it is large, as
    /// its documentation recommends, and for other codecs the attribute changes nothing.
    #[prost(bytes = "bytes", tag = "3")]
    #[serde(with = "farcall::shared_bytes")]
    pub payload: Bytes,
}

/// tonic's argument and answer must be messages.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Nothing {}

/// Bytes as a message.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Blob {
    #[prost(bytes = "bytes", tag = "1")]
    pub payload: Bytes,
}

/// Every message's name.
pub const NAME: &str = "caller-1";
/// An item of W7.
pub const ITEM_BYTES: usize = 64;
/// A reply that W10's connection is busy with.
pub const BLOB_BYTES: usize = 64 << 20;
/// The largest message that a peer with such a limit is told to take.
pub const MESSAGE_BYTES_MAX: usize = 128 << 20;
/// So many calls in flight on one connection a peer with such a limit is told to take.
pub const CALLS_MAX: u32 = 16 << 10;
/// What a peer with flow control may have under way in one stream, and in one connection.
pub const STREAM_WINDOW_BYTES: u32 = 8 << 20;
pub const CONNECTION_WINDOW_BYTES: u32 = 32 << 20;

/// An item of W7. Nobody counts references to it: handlers clone it for each item, and that would be most of what an item costs.
pub fn item() -> Bytes {
    static ITEM: [u8; ITEM_BYTES] = [7; ITEM_BYTES];
    Bytes::from_static(&ITEM)
}

/// Makes a body of so many bytes.
pub fn body(bytes: usize) -> Bytes {
    (0..=u8::MAX).cycle().take(bytes).collect()
}
