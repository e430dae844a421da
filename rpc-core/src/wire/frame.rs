//! The frame header (rules F1 to F6) and stream ids (rules I1 to I5).

use std::fmt;

/// The length of a frame's header.
pub const HEADER_BYTES: usize = 16;

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum FrameKind {
    /// Opens a call: method, deadline, metadata, arguments.
    Open = 1,
    /// Answers a call: metadata, result.
    Reply = 2,
    /// An item of a stream, or a part of a message.
    Data = 3,
    /// Ends a direction without a message; with a status it ends the call.
    End = 4,
    /// Ends the call in both directions.
    Reset = 5,
    /// Grants the right to send more data.
    Credit = 6,
    /// Asks for a sign of life.
    Ping = 7,
    /// Gives it.
    Pong = 8,
    /// Takes no further calls, or closes.
    GoAway = 9,
}

impl FrameKind {
    fn from_u8(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Open,
            2 => Self::Reply,
            3 => Self::Data,
            4 => Self::End,
            5 => Self::Reset,
            6 => Self::Credit,
            7 => Self::Ping,
            8 => Self::Pong,
            9 => Self::GoAway,
            _ => return None,
        })
    }
}

/// What is said about a frame beside its kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(u8);

impl Flags {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// The last frame of its sender in this call.
    pub const END: Self = Self(1);
    /// The message goes on in the sender's next DATA frame of this call.
    pub const MORE: Self = Self(2);
    /// Metadata is there.
    pub const METADATA: Self = Self(4);
    /// A deadline is there.
    pub const DEADLINE: Self = Self(8);
    /// The result is the method's own error.
    pub const FAILED: Self = Self(16);
    /// The caller waits for nothing.
    pub const ONEWAY: Self = Self(32);
    /// On DATA: the content is several items, each behind its length.
    pub const ITEMS: Self = Self(64);
    /// On OPEN: the caller wants to know, also where it gets an answer, how long the callee took.
    // The bit of FAILED, which stands on REPLY.
    pub const REPLY_TIMES: Self = Self(16);
    /// On OPEN: the caller wants to know how long the callee took for what fails. On REPLY, and on END with a status: it stands there.
    // The bit of ITEMS, which stands on DATA.
    pub const TIMES: Self = Self(64);
    /// The sender's messages in this call begin with a byte that says how they are compressed.
    pub const COMPRESSED: Self = Self(128);

    /// Takes the bits as they came; those without a meaning stay and are never asked for (rule F4).
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Returns the bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Tells whether all of `other` is set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Sets `other` too, where `condition` holds.
    #[must_use]
    pub const fn with_if(self, other: Self, condition: bool) -> Self {
        if condition { Self(self.0 | other.0) } else { self }
    }
}

/// Names a call on a connection: a number that only rises, the slot that the call takes, and the side that opened it.
///
/// The slot makes finding a call an array access on both sides; the rising number makes frames of calls that have ended
/// recognisable for ever, without a list of them.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(u64);

const SLOT_BITS: u32 = 16;

impl StreamId {
    /// The connection as a whole.
    pub const CONNECTION: Self = Self(0);

    /// Builds an id.
    pub const fn new(sequence: u64, slot: u16, by_acceptor: bool) -> Self {
        Self(sequence << (SLOT_BITS + 1) | (slot as u64) << 1 | by_acceptor as u64)
    }

    /// Takes the number as it came.
    pub const fn from_u64(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number on the wire.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// Returns the part that only rises; the first call of a side has 1.
    pub const fn sequence(self) -> u64 {
        self.0 >> (SLOT_BITS + 1)
    }

    /// Returns the slot.
    pub const fn slot(self) -> u16 {
        (self.0 >> 1) as u16
    }

    /// Tells whether the side that accepted the connection opened the call.
    pub const fn by_acceptor(self) -> bool {
        self.0 & 1 == 1
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.by_acceptor() { "a" } else { "c" };
        write!(f, "{side}{}.{}", self.sequence(), self.slot())
    }
}

/// A frame's header, as it stands on the wire, numbers with the low byte first.
///
/// ```text
/// 0       4      5       6       7          8          16
/// | bytes | kind | flags | codec | reserved | stream id |
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FrameHeader {
    /// How many bytes follow the header.
    pub bytes: u32,
    /// What the frame is for; none where this version does not know the kind, and skips the frame.
    pub kind: Option<FrameKind>,
    /// What is said about it.
    pub flags: Flags,
    /// The codec of the message, in OPEN and REPLY.
    pub codec: u8,
    /// The call, or the connection.
    pub id: StreamId,
}

impl FrameHeader {
    /// Describes a frame without flags or codec.
    pub const fn new(kind: FrameKind, id: StreamId, bytes: u32) -> Self {
        Self { bytes, kind: Some(kind), flags: Flags::NONE, codec: 0, id }
    }

    /// Sets the flags.
    #[must_use]
    pub const fn with_flags(mut self, flags: Flags) -> Self {
        self.flags = flags;
        self
    }

    /// Sets the codec.
    #[must_use]
    pub const fn with_codec(mut self, codec: u8) -> Self {
        self.codec = codec;
        self
    }

    /// Reads a header (rules F1, F3 and F4).
    pub fn parse(raw: &[u8; HEADER_BYTES]) -> Self {
        let [b0, b1, b2, b3, kind, flags, codec, _, id @ ..] = *raw;
        Self {
            bytes: u32::from_le_bytes([b0, b1, b2, b3]),
            kind: FrameKind::from_u8(kind),
            flags: Flags(flags),
            codec,
            id: StreamId(u64::from_le_bytes(id)),
        }
    }

    /// Writes the header; an unknown kind is written as 0.
    pub fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut raw = [0; HEADER_BYTES];
        raw[..4].copy_from_slice(&self.bytes.to_le_bytes());
        raw[4] = self.kind.map_or(0, |kind| kind as u8);
        raw[5] = self.flags.0;
        raw[6] = self.codec;
        raw[8..].copy_from_slice(&self.id.0.to_le_bytes());
        raw
    }
}
