//! What a connection tells its owner, and what it is told to answer.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{StreamId, Times};
use crate::{Metadata, MethodId, ServerTimes};

/// What happened that the owner of the connection must act on.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// The peer's opening was read: calls can be made.
    Opened,
    /// A call came in.
    Call(Incoming),
    /// The peer gave up a call that had come in: drop its handler.
    Cancelled(StreamId),
    /// The peer takes no further calls on this connection.
    Draining,
}

/// A call that came in with all its arguments.
#[derive(Debug)]
#[non_exhaustive]
pub struct Incoming {
    /// The call.
    pub id: StreamId,
    /// What is called.
    pub method: MethodId,
    /// How much time was left when it was sent.
    pub timeout: Option<Duration>,
    /// What travels beside the arguments.
    pub metadata: Metadata,
    /// The codec's number.
    pub codec: u8,
    /// The encoded arguments.
    pub message: Bytes,
    /// Whether the arguments, and the items, begin with a byte that says how they are compressed.
    pub compressed: bool,
    /// Whether items follow.
    pub items: bool,
    /// Whether the caller waits for nothing.
    pub oneway: bool,
    /// When the caller wants to know how long the call took here.
    pub times: Times,
    /// When its first frame came.
    pub came_at: Instant,
}

/// An answer.
#[derive(Debug)]
#[non_exhaustive]
pub struct Reply {
    /// What travels beside the result.
    pub metadata: Metadata,
    /// The codec's number.
    pub codec: u8,
    /// Whether the result is the method's own error.
    pub failed: bool,
    /// The encoded result.
    pub message: Bytes,
    /// Whether the result, and the items, begin with a byte that says how they are compressed.
    pub compressed: bool,
    /// Whether items follow.
    pub items: bool,
    /// How long the callee took: only for a caller that wants to know (rule P24).
    pub times: Option<ServerTimes>,
}

impl Reply {
    /// Answers with an encoded result.
    pub fn new(codec: u8, message: Bytes) -> Self {
        Self {
            metadata: Metadata::new(),
            codec,
            failed: false,
            message,
            compressed: false,
            items: false,
            times: None,
        }
    }
}
