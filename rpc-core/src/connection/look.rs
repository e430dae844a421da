//! What a connection is doing, for who looks at it from outside.

use std::time::{Duration, Instant};

use super::stream::{Role, Stream};
use super::transmit::least_credit;
use super::{Connection, StreamId};
use crate::MethodId;

/// What a connection was doing when it was looked at.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct View {
    /// The calls that came in and are under way, the oldest first.
    pub calls: Vec<CallView>,
    /// How many calls the peer may have under way.
    pub calls_max: u32,
    /// What has come so far, in bytes.
    pub received_bytes: u64,
    /// What was handed to the link so far, in bytes.
    pub sent_bytes: u64,
    /// What waits for the link to take it, in bytes.
    pub unsent_bytes: usize,
    /// Items that came and that nobody has taken yet, in bytes.
    pub unread_bytes: u64,
    /// What may be sent of messages in parts and items, in bytes; at 0 all streams wait for the peer.
    pub credit_bytes: u64,
    /// How long nothing was heard from the peer.
    pub silent_for: Duration,
    /// It takes no further calls.
    pub is_draining: bool,
    /// Frames that came for calls that had ended.
    pub late_frames: u64,
}

/// A call that came in, as [`View`] has it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallView {
    /// The call.
    pub id: StreamId,
    /// What is called.
    pub method: MethodId,
    /// How long ago its first frame came.
    pub age: Duration,
    /// What it waits for.
    pub waits_for: WaitsFor,
}

/// What a call under way waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitsFor {
    /// The rest of its arguments.
    Arguments,
    /// Its handler, which has not answered.
    Handler,
    /// The next item of its handler's stream.
    Items,
    /// The peer, which does not read what this call sends.
    Reader,
    /// The peer, which does not read what all calls of the connection send.
    Connection,
    /// Its turn on the link.
    Link,
}

impl WaitsFor {
    /// Returns the name, as metrics and tables have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Arguments => "arguments",
            Self::Handler => "handler",
            Self::Items => "items",
            Self::Reader => "reader",
            Self::Connection => "connection",
            Self::Link => "link",
        }
    }
}

impl Connection {
    /// Looks at what came in and is under way.
    pub fn look(&self, now: Instant) -> View {
        let mut calls: Vec<_> =
            self.accepted.iter().filter_map(|(id, stream)| self.look_at(id, stream, now)).collect();
        calls.sort_unstable_by_key(|call| call.id.sequence());
        View {
            calls,
            calls_max: self.config.settings.calls_max,
            received_bytes: self.received_bytes,
            sent_bytes: self.outbox.taken_bytes(),
            unsent_bytes: self.outbox.len(),
            unread_bytes: self.inflow.held(),
            credit_bytes: self.granted_out,
            silent_for: now.saturating_duration_since(self.heard_at),
            is_draining: self.draining,
            late_frames: self.late_frames,
        }
    }

    /// Returns how many frames came for calls that had ended; each was ignored.
    pub fn late_frames(&self) -> u64 {
        self.late_frames
    }

    /// Returns what came and what was handed to the link so far, in bytes, and how many late frames.
    pub fn totals(&self) -> (u64, u64, u64) {
        (self.received_bytes, self.outbox.taken_bytes(), self.late_frames)
    }

    /// Tells when the first frame of a call came that is under way.
    pub fn came_at(&self, id: StreamId) -> Option<Instant> {
        match self.accepted.look_up(id)?.role {
            Role::Accepted { since, .. } => Some(since),
            Role::Opened { .. } => None,
        }
    }

    fn look_at(&self, id: StreamId, stream: &Stream, now: Instant) -> Option<CallView> {
        let Role::Accepted { head, replied, method, since } = &stream.role else { return None };
        let outflow = &stream.outflow;
        let waits_for = match outflow.queue.front() {
            _ if head.is_some() => WaitsFor::Arguments,
            _ if !replied => WaitsFor::Handler,
            None => WaitsFor::Items,
            Some(message) if outflow.granted < least_credit(message.rest.len()) => WaitsFor::Reader,
            Some(message) if self.granted_out < least_credit(message.rest.len()) => WaitsFor::Connection,
            Some(_) => WaitsFor::Link,
        };
        Some(CallView { id, method: *method, age: now.saturating_duration_since(*since), waits_for })
    }
}
