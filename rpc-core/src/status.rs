//! What the peer answered when a call did not succeed.

use std::fmt;

use bytes::Bytes;

/// Why a peer did not answer a call with a result; the numbers are those of gRPC.
///
/// Numbers and meanings follow `grpc/doc/statuscodes.md`, so that a gateway can pass them on unchanged. There is no code
/// for success: a call that succeeds has a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u16)]
pub enum Code {
    /// The caller gave up. Nothing to do.
    Cancelled = 1,
    /// The peer failed in a way that this side's version has no name for. Read the message.
    Unknown = 2,
    /// The request cannot be understood, whatever the state of the service. Mend the caller.
    InvalidArgument = 3,
    /// The deadline passed before the handler was done. It may have run. Allow more time, or ask for less.
    DeadlineExceeded = 4,
    /// What the call is about does not exist. Check the name.
    NotFound = 5,
    /// What the call would create exists. Choose another name.
    AlreadyExists = 6,
    /// The caller is known and may not do this. Ask for the right.
    PermissionDenied = 7,
    /// A limit was met: size, rate, number. Send less, or later.
    ResourceExhausted = 8,
    /// The service is in a state that rules the call out. Change that state first.
    FailedPrecondition = 9,
    /// Another call got in between. Start over from reading.
    Aborted = 10,
    /// A position is past the end. Check the bounds.
    OutOfRange = 11,
    /// The server does not know the method, codec or compressor. Compare the two sides' versions.
    Unimplemented = 12,
    /// A handler panicked, or an invariant of the server broke. Read the server's log.
    Internal = 13,
    /// The server cannot serve now, say because it shuts down. Try again, elsewhere or later.
    Unavailable = 14,
    /// Data was lost for good. Restore from a backup.
    DataLoss = 15,
    /// The caller is not known. Send credentials.
    Unauthenticated = 16,
}

impl Code {
    /// All codes in the order of their numbers.
    pub const ALL: [Self; 16] = [
        Self::Cancelled,
        Self::Unknown,
        Self::InvalidArgument,
        Self::DeadlineExceeded,
        Self::NotFound,
        Self::AlreadyExists,
        Self::PermissionDenied,
        Self::ResourceExhausted,
        Self::FailedPrecondition,
        Self::Aborted,
        Self::OutOfRange,
        Self::Unimplemented,
        Self::Internal,
        Self::Unavailable,
        Self::DataLoss,
        Self::Unauthenticated,
    ];

    /// Reads a code's number; a number from a later version becomes [`Code::Unknown`].
    pub fn from_u16(number: u16) -> Self {
        number
            .checked_sub(1)
            .and_then(|index| Self::ALL.get(usize::from(index)).copied())
            .unwrap_or(Self::Unknown)
    }

    /// Returns the name that gRPC gives this code, such as `DEADLINE_EXCEEDED`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cancelled => "CANCELLED",
            Self::Unknown => "UNKNOWN",
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::NotFound => "NOT_FOUND",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Self::FailedPrecondition => "FAILED_PRECONDITION",
            Self::Aborted => "ABORTED",
            Self::OutOfRange => "OUT_OF_RANGE",
            Self::Unimplemented => "UNIMPLEMENTED",
            Self::Internal => "INTERNAL",
            Self::Unavailable => "UNAVAILABLE",
            Self::DataLoss => "DATA_LOSS",
            Self::Unauthenticated => "UNAUTHENTICATED",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A peer's answer to a call that did not succeed: a code, a message for people, details for programs.
///
/// A layer or a server answers with a status; a handler's own error type is not a status but part of its result.
///
/// ```
/// use rpc_core::{Code, Status};
/// let status = Status::new(Code::PermissionDenied, "tenant a1 may not delete");
/// assert_eq!(status.to_string(), "PERMISSION_DENIED: tenant a1 may not delete");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    code: Code,
    message: String,
    details: Bytes,
}

impl Status {
    /// Creates a status without details.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Bytes::new() }
    }

    /// Attaches details, whose form is the service's own affair.
    #[must_use]
    pub fn with_details(mut self, details: impl Into<Bytes>) -> Self {
        self.details = details.into();
        self
    }

    /// Returns the code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Returns the message, written for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the details; empty where there are none.
    pub fn details(&self) -> &Bytes {
        &self.details
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Status {}
