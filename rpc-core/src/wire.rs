//! Bytes on the wire: the opening, frames, and what is in them. `docs/protocol.md` has the rules that the comments name.

mod frame;
mod hello;
mod payload;

pub use frame::{Flags, FrameHeader, FrameKind, HEADER_BYTES, StreamId};
pub use hello::{Hello, HelloError, MAGIC, Settings, VERSION_MAJOR, VERSION_MINOR};
pub(crate) use payload::{
    GoAway, REASON_BYTES_MAX, TimedStatus, cut, decode_metadata, encode_metadata, encode_status,
    metadata_bytes, parse_end, parse_goaway, parse_open, parse_reply, parse_u16, parse_u32, parse_u64,
    put_length, put_times, split_total,
};

/// Why a connection was closed, as it is sent in a GOAWAY frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u16)]
pub enum CloseCode {
    /// Nothing is wrong: the peer shuts down.
    Shutdown = 0,
    /// A frame that the protocol does not allow there.
    Protocol = 1,
    /// A frame longer than agreed.
    FrameTooLarge = 2,
    /// More data than was granted.
    FlowControl = 3,
    /// Too many calls opened only to be cancelled.
    TooManyResets = 4,
    /// Pings more often than agreed.
    TooManyPings = 5,
    /// A version of the protocol that is not spoken here.
    Version = 6,
    /// Nothing was heard for too long.
    Timeout = 7,
    /// The server has as many connections as it accepts.
    TooManyConnections = 8,
    /// A fault of the sender's own.
    Internal = 9,
}

impl CloseCode {
    /// Reads a code's number; a number from a later version counts as a protocol error (rule E3).
    pub fn from_u16(number: u16) -> Self {
        match number {
            0 => Self::Shutdown,
            2 => Self::FrameTooLarge,
            3 => Self::FlowControl,
            4 => Self::TooManyResets,
            5 => Self::TooManyPings,
            6 => Self::Version,
            7 => Self::Timeout,
            8 => Self::TooManyConnections,
            9 => Self::Internal,
            _ => Self::Protocol,
        }
    }
}

/// Why a call was reset, as it is sent in a RESET frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u16)]
pub enum ResetCode {
    /// The sender no longer wants the call.
    Cancelled = 1,
    /// The call was not taken up: its handler did not run.
    Refused = 2,
    /// The call's deadline passed at the sender.
    DeadlineExceeded = 3,
    /// A message was over a limit of the sender.
    LimitExceeded = 4,
}

impl ResetCode {
    /// Reads a code's number; a number from a later version counts as cancelled (rule E2).
    pub fn from_u16(number: u16) -> Self {
        match number {
            2 => Self::Refused,
            3 => Self::DeadlineExceeded,
            4 => Self::LimitExceeded,
            _ => Self::Cancelled,
        }
    }
}

#[cfg(test)]
mod tests;
