//! Where the time of a failed call went, as its error has it.

use std::time::Instant;

use super::{Error, ErrorKind, Fate};
use crate::call::now;
use crate::timeline::{Abandoned, Listener};
use crate::{MethodDescriptor, ServerTimes, Status, Timeline};

/// A status is not made longer than this by saying where the time went, however many services pass it on.
const MESSAGE_BYTES_MAX: usize = 1024;
/// All that strangers are told of a call onward.
const FAILED_BEHIND: &str = "a call to a service behind this server failed; see the server's log";

impl Error {
    /// Gives up a call with this error: `drop` drops its future, which leaves word of how far it got.
    ///
    /// A layer that ends calls gives its caller this, so that the error says where the time went:
    ///
    /// ```
    /// use rpc_core::{Error, ErrorKind};
    /// let mut call = Some(Box::pin(async { "an answer that comes too late" }));
    /// let error = Error::deadline_exceeded().giving_up(|| call = None);
    /// assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    /// ```
    #[must_use]
    pub fn giving_up(self, drop: impl FnOnce()) -> Self {
        let listener = Listener::new();
        drop();
        let Some(Abandoned { peer, method, timeline }) = listener.heard() else { return self };
        let error = self.with_peer(peer).with_timeline(timeline);
        match method {
            Some(method) => error.with_method(method.to_string()),
            None => error,
        }
    }

    /// Says where the call's time went; what the connection has said already stays.
    #[must_use]
    pub fn with_timeline(mut self, mut timeline: Timeline) -> Self {
        if let Some(earlier) = &self.inner.timeline {
            timeline.add(earlier);
        }
        self.inner.timeline = Some(Box::new(timeline));
        self
    }

    pub(crate) fn with_server_times(mut self, times: Option<ServerTimes>) -> Self {
        if let Some(times) = times {
            self.inner.timeline.get_or_insert_default().server = Some(times);
        }
        self
    }

    /// Says what call of this method failed with this, which is noticed now, and when it began.
    pub(crate) fn of_call(mut self, method: &MethodDescriptor, started_at: Instant) -> Self {
        let timeline = self.inner.timeline.get_or_insert_default();
        timeline.start(started_at, now);
        let has_not_left = self.inner.kind == ErrorKind::DeadlineExceeded && timeline.never_left();
        // What was given up may be a call that a service of this process made, which has run then.
        if has_not_left && self.method().is_some_and(|name| name == method.to_string()) {
            self.inner.fate = Fate::NeverSent;
        }
        self
    }

    /// Returns where the call's time went: for a call that was begun, in the errors that the call itself gives, though not in those of items
    /// that follow its answer. `{error:#}` prints it.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use rpc_core::Error;
    /// fn waited_for_a_connection(error: &Error) -> bool {
    ///     error.timeline().is_some_and(|timeline| timeline.connecting() > timeline.total() / 2)
    /// }
    /// # assert!(!waited_for_a_connection(&Error::deadline_exceeded()));
    /// ```
    pub fn timeline(&self) -> Option<&Timeline> {
        self.inner.timeline.as_deref()
    }

    /// Returns what a server answers its own caller when this failed on the way onward: the status of the peer, or one that fits.
    ///
    /// Its message says in one line where the time went, so that the first of a chain of callers sees which service was slow. The line is
    /// left out where the message would be longer than 1,024 bytes with it.
    pub fn to_status(&self) -> Status {
        let status = match self.status() {
            Some(status) => status.clone(),
            None => Status::new(self.code(), self.to_string()),
        };
        // Of what failed without going anywhere there is no way to tell of.
        let (Some(timeline), Some(peer)) = (self.timeline(), self.peer()) else { return status };
        let line = match (self.status(), self.method()) {
            (Some(_), Some(method)) => format!(" [{method} at {peer}: {timeline}]"),
            (Some(_), None) => format!(" [{peer}: {timeline}]"),
            // The text names both already.
            (None, _) => format!(" [{timeline}]"),
        };
        if status.message().len().saturating_add(line.len()) > MESSAGE_BYTES_MAX {
            return status;
        }
        status.with_more(&line)
    }

    /// Like [`to_status`](Self::to_status), and says nothing of what lies behind this server: no endpoints, methods and times, and no
    /// message of a peer's, which may name them. The code and the details of a peer's status are passed on.
    pub fn to_discreet_status(&self) -> Status {
        match (self.status(), self.peer()) {
            // A layer's or the handler's own words.
            (Some(status), None) => status.clone(),
            (Some(status), Some(_)) => {
                Status::new(status.code(), FAILED_BEHIND).with_details(status.details().clone())
            }
            (None, Some(_)) => Status::new(self.code(), FAILED_BEHIND),
            (None, None) => self.to_status(),
        }
    }
}
