//! What the peer answered when a call did not succeed.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::one_line::OneLine;

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

/// What a peer says of making a call again: "pushback", as gRPC calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)] // later, or never: there is no third
pub enum Pushback {
    /// Again, once so much time has passed.
    After(Duration),
    /// Not again: it would only add to the load.
    Never,
}

/// How details with a pushback begin; after it come milliseconds, or a number below zero for never, as in gRPC's
/// `grpc-retry-pushback-ms`.
const PUSHBACK: &str = "retry-pushback-ms=";
const NANOS_PER_MILLISECOND: u128 = 1_000_000;

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

    /// Adds to the message.
    pub(crate) fn with_more(mut self, text: &str) -> Self {
        self.message.push_str(text);
        self
    }

    /// Says when the call may be made again, in place of the details: a caller that retries keeps to it.
    ///
    /// It travels in milliseconds, rounded up; more than `i64::MAX` of them counts as that many.
    ///
    /// ```
    /// use std::time::Duration;
    /// use rpc_core::{Code, Pushback, Status};
    /// let full = Status::new(Code::ResourceExhausted, "over the rate").with_pushback(Pushback::After(Duration::from_millis(250)));
    /// assert_eq!(full.pushback(), Some(Pushback::After(Duration::from_millis(250))));
    /// ```
    #[must_use]
    pub fn with_pushback(self, pushback: Pushback) -> Self {
        let milliseconds = match pushback {
            Pushback::Never => -1,
            Pushback::After(wait) => {
                i64::try_from(wait.as_nanos().div_ceil(NANOS_PER_MILLISECOND)).unwrap_or(i64::MAX)
            }
        };
        self.with_details(format!("{PUSHBACK}{milliseconds}"))
    }

    /// Returns when the call may be made again, where the peer says it.
    pub fn pushback(&self) -> Option<Pushback> {
        let text = std::str::from_utf8(self.details.strip_prefix(PUSHBACK.as_bytes())?).ok()?;
        match text.parse::<i64>() {
            Ok(milliseconds) => Some(match u64::try_from(milliseconds) {
                Ok(milliseconds) => Pushback::After(Duration::from_millis(milliseconds)),
                Err(_) => Pushback::Never,
            }),
            // As gRPC takes it: a word that cannot be read says no.
            Err(_) => Some(Pushback::Never),
        }
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
        write!(f, "{}: {}", self.code, OneLine(&self.message))
    }
}

impl std::error::Error for Status {}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_details(details: &'static str) -> Option<Pushback> {
        Status::new(Code::Unavailable, "").with_details(details).pushback()
    }

    #[test]
    fn a_pushback_is_read_as_it_was_written() {
        for pushback in [
            Pushback::Never,
            Pushback::After(Duration::ZERO),
            Pushback::After(Duration::from_millis(1_234)),
            Pushback::After(Duration::from_millis(i64::MAX as u64)),
        ] {
            assert_eq!(Status::new(Code::Unavailable, "").with_pushback(pushback).pushback(), Some(pushback));
        }
        let short =
            Status::new(Code::Unavailable, "").with_pushback(Pushback::After(Duration::from_nanos(1)));
        assert_eq!(short.pushback(), Some(Pushback::After(Duration::from_millis(1))), "never too early");
    }

    #[test]
    fn other_details_are_no_pushback_and_a_broken_one_says_never() {
        assert_eq!(of_details(""), None);
        assert_eq!(of_details("quota"), None);
        for broken in
            ["retry-pushback-ms=", "retry-pushback-ms=soon", "retry-pushback-ms=99999999999999999999"]
        {
            assert_eq!(of_details(broken), Some(Pushback::Never), "{broken}");
        }
    }
}
