//! What failed between the caller and the peer, and whether the call may have run.

mod timeline;

use std::error::Error as StdError;
use std::fmt;

use crate::{Code, Status, Timeline};

/// The boxed error that [`Error`] keeps as its source.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// What kind of failure an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No connection could be made: nobody listens, the name is unknown, the peer does not speak farcall. Check the address.
    Connect,
    /// The connection ended while the call was under way. Ask [`Error::fate`] whether it may have run.
    ConnectionLost,
    /// The deadline passed, on this side or at the peer. Allow more time, or find out what is slow.
    DeadlineExceeded,
    /// The call was given up on this side, say because its own caller went away.
    Cancelled,
    /// A value could not be encoded. Mend its `Serialize`.
    Encode,
    /// The peer's answer could not be decoded: the two sides disagree about a type. Compare their versions.
    Decode,
    /// A message, the metadata or the number of calls is over a limit. Send less, or raise that limit on both sides.
    LimitExceeded,
    /// The peer did not take the call up: it is shutting down or full. It is safe to try again, better elsewhere.
    Refused,
    /// The peer broke the protocol, and the connection was closed.
    Protocol,
    /// This side's channel or server is shut down. Make a new one.
    Closed,
    /// An address or a setting cannot be used. Mend it.
    Config,
    /// The peer answered with a [`Status`]; ask for its code.
    Status,
}

/// How far a failed call may have got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fate {
    /// No byte of it left this side: the handler did not run.
    NeverSent,
    /// The peer turned it away before a handler saw it: the handler did not run.
    Refused,
    /// It was sent, and no answer came: the handler may have run, to any point.
    MaybeExecuted,
    /// It was answered, or failed while its answer was read: the handler ran, or the peer ruled on the call.
    Failed,
}

/// A call or a connection failed somewhere between this side and the peer's handler.
///
/// Ask it questions instead of matching on its text. It names the peer and the method where they are known, and the
/// chain of [`source`](StdError::source)s holds the cause. `{error}` is one line; `{error:#}` is the same line with where the call's
/// [time went](Self::timeline).
///
/// ```
/// use rpc_core::{Error, ErrorKind, Fate};
/// let error = Error::new(ErrorKind::Refused, "server is shutting down").with_peer("tcp://10.0.0.7:900");
/// assert_eq!(error.fate(), Fate::Refused);
/// assert!(error.is_retryable());
/// ```
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    kind: ErrorKind,
    fate: Fate,
    message: String,
    method: Option<String>,
    peer: Option<String>,
    status: Option<Status>,
    timeline: Option<Box<Timeline>>,
    source: Option<BoxError>,
}

impl Error {
    /// Creates the error of a call whose deadline has passed on this side.
    pub fn deadline_exceeded() -> Self {
        Self::new(
            ErrorKind::DeadlineExceeded,
            "the caller's deadline passed before the answer came: allow more time, or find what is slow",
        )
    }

    /// Creates an error of this kind with the fate that goes with it most often; see [`with_fate`](Self::with_fate).
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let fate = match kind {
            ErrorKind::Connect
            | ErrorKind::Encode
            | ErrorKind::Closed
            | ErrorKind::Config
            | ErrorKind::LimitExceeded => Fate::NeverSent,
            ErrorKind::Refused => Fate::Refused,
            ErrorKind::Decode | ErrorKind::Status => Fate::Failed,
            ErrorKind::ConnectionLost
            | ErrorKind::DeadlineExceeded
            | ErrorKind::Cancelled
            | ErrorKind::Protocol => Fate::MaybeExecuted,
        };
        let inner = Inner {
            kind,
            fate,
            message: message.into(),
            method: None,
            peer: None,
            status: None,
            timeline: None,
            source: None,
        };
        Self { inner: Box::new(inner) }
    }

    /// Replaces the fate.
    #[must_use]
    pub fn with_fate(mut self, fate: Fate) -> Self {
        self.inner.fate = fate;
        self
    }

    /// Attaches the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    /// Names the method that was called, as `Service/method`, unless it is named already.
    #[must_use]
    pub fn with_method(mut self, method: impl Into<String>) -> Self {
        self.inner.method.get_or_insert_with(|| method.into());
        self
    }

    /// Names the peer, unless it is named already.
    #[must_use]
    pub fn with_peer(mut self, peer: impl Into<String>) -> Self {
        self.inner.peer.get_or_insert_with(|| peer.into());
        self
    }

    /// Returns the kind of failure.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// Returns how far the call may have got.
    pub fn fate(&self) -> Fate {
        self.inner.fate
    }

    /// Returns the method that was called, as `Service/method`, where it is known.
    pub fn method(&self) -> Option<&str> {
        self.inner.method.as_deref()
    }

    /// Returns the peer's URI, where it is known.
    pub fn peer(&self) -> Option<&str> {
        self.inner.peer.as_deref()
    }

    /// Returns what the peer answered, where it answered.
    pub fn status(&self) -> Option<&Status> {
        self.inner.status.as_ref()
    }

    /// Returns the peer's code, or the code that fits what failed on this side.
    pub fn code(&self) -> Code {
        if let Some(status) = &self.inner.status {
            return status.code();
        }
        match self.inner.kind {
            ErrorKind::DeadlineExceeded => Code::DeadlineExceeded,
            ErrorKind::Cancelled => Code::Cancelled,
            ErrorKind::LimitExceeded => Code::ResourceExhausted,
            ErrorKind::Config => Code::InvalidArgument,
            ErrorKind::Encode | ErrorKind::Decode | ErrorKind::Protocol => Code::Internal,
            ErrorKind::Connect | ErrorKind::ConnectionLost | ErrorKind::Refused | ErrorKind::Closed => {
                Code::Unavailable
            }
            ErrorKind::Status => Code::Unknown,
        }
    }

    /// Tells whether the same call can be made again without the risk that it runs twice, and may then succeed.
    ///
    /// True where the handler certainly did not run and the cause may pass: no connection, a refusal, a connection that was lost
    /// before the call was sent. A method that is marked `idempotent` may be repeated in more cases than these.
    pub fn is_retryable(&self) -> bool {
        let never_ran = matches!(self.inner.fate, Fate::NeverSent | Fate::Refused);
        let may_pass =
            matches!(self.inner.kind, ErrorKind::Connect | ErrorKind::ConnectionLost | ErrorKind::Refused);
        never_ran && may_pass
    }

    /// Tells whether a handler may have run.
    pub fn may_have_run(&self) -> bool {
        matches!(self.inner.fate, Fate::MaybeExecuted | Fate::Failed)
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        // Which side's clock was first says nothing: a deadline that passed is the same error from both.
        let kind = match status.code() {
            Code::DeadlineExceeded => ErrorKind::DeadlineExceeded,
            _ => ErrorKind::Status,
        };
        let mut error = Self::new(kind, "the peer answered with a status");
        error.inner.status = Some(status);
        error
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { method, peer, status, message, fate, timeline, .. } = &*self.inner;
        match (method, peer) {
            (Some(method), Some(peer)) => write!(f, "{method} at {peer} failed: ")?,
            (Some(method), None) => write!(f, "{method} failed: ")?,
            (None, Some(peer)) => write!(f, "{peer}: ")?,
            (None, None) => {}
        }
        match status {
            Some(status) => write!(f, "{status}")?,
            None => f.write_str(message)?,
        }
        match (fate, method) {
            (Fate::MaybeExecuted, Some(_)) => f.write_str(" (the call may have run)"),
            (Fate::NeverSent | Fate::Refused, Some(_)) => f.write_str(" (the call did not run)"),
            _ => Ok(()),
        }?;
        match timeline {
            Some(timeline) if f.alternate() => write!(f, " [{timeline}]"),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, fate, message, method, peer, status, timeline, source } = &*self.inner;
        let mut debug = f.debug_struct("Error");
        debug.field("kind", kind).field("fate", fate).field("message", message);
        if let Some(method) = method {
            debug.field("method", method);
        }
        if let Some(peer) = peer {
            debug.field("peer", peer);
        }
        if let Some(status) = status {
            debug.field("status", status);
        }
        if let Some(timeline) = timeline {
            debug.field("timeline", &format_args!("{timeline}"));
        }
        if let Some(source) = source {
            debug.field("source", source);
        }
        debug.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// What a call of a method that returns `Result<T, E>` fails with: the method's own error, or that the call failed.
///
/// Both variants are all there ever will be, so that a caller can match on them.
///
/// ```
/// use rpc_core::{CallError, Error, ErrorKind};
/// fn describe(error: CallError<std::num::ParseIntError>) -> String {
///     match error {
///         CallError::Method(error) => format!("the method said: {error}"),
///         CallError::Rpc(error) => format!("the call failed: {error}"),
///     }
/// }
/// # assert!(describe(Error::new(ErrorKind::Connect, "nobody listens").into()).starts_with("the call"));
/// ```
#[derive(Debug)]
#[allow(clippy::exhaustive_enums)]
pub enum CallError<E> {
    /// The method ran and returned this error of its own.
    Method(E),
    /// The call failed on its way there, in the server, or on its way back.
    Rpc(Error),
}

impl<E> CallError<E> {
    /// Returns the method's own error, or the failed call as the other side.
    ///
    /// # Errors
    /// The call's [`Error`], where it was not the method that failed.
    pub fn into_method(self) -> Result<E, Error> {
        match self {
            Self::Method(error) => Ok(error),
            Self::Rpc(error) => Err(error),
        }
    }

    /// Returns the method's own error, made of the call's where that is what failed: for a handler that calls onward and fails as the
    /// next service does.
    pub fn into_own(self) -> E
    where
        E: From<Error>,
    {
        match self {
            Self::Method(error) => error,
            Self::Rpc(error) => error.into(),
        }
    }

    /// Returns the failure of the call, where it was not the method that failed.
    pub fn rpc(&self) -> Option<&Error> {
        match self {
            Self::Method(_) => None,
            Self::Rpc(error) => Some(error),
        }
    }

    /// Returns the method's own error, where it was the method that failed.
    pub fn method(&self) -> Option<&E> {
        match self {
            Self::Method(error) => Some(error),
            Self::Rpc(_) => None,
        }
    }

    /// Tells whether the same call can be made again safely; see [`Error::is_retryable`]. A method's own error says no.
    pub fn is_retryable(&self) -> bool {
        self.rpc().is_some_and(Error::is_retryable)
    }
}

impl<E> From<Error> for CallError<E> {
    fn from(error: Error) -> Self {
        Self::Rpc(error)
    }
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method(error) => error.fmt(f),
            Self::Rpc(error) => error.fmt(f),
        }
    }
}

impl<E: StdError + 'static> StdError for CallError<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Method(error) => error.source(),
            Self::Rpc(error) => error.source(),
        }
    }
}
