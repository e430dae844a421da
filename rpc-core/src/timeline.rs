//! Where the time of a failed call went.

mod abandoned;
mod server_times;
mod show;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

pub use abandoned::{Abandoned, Listener, Reading, abandon};
pub use server_times::ServerTimes;

/// When a call left this side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)] // it left, or did not, or nobody knows
pub enum Sent {
    /// Nobody knows: it was not opened, or its connection has forgotten it.
    #[default]
    Unknown,
    /// It still waits for the link.
    Not,
    /// As soon as it was opened.
    AtOnce,
    /// The link had to be waited for until then.
    At(Instant),
}

/// Where the time of a failed call went, on this side and, where it said so, at the server.
///
/// The parts follow one another, and are all there is: [`total`](Self::total) is their sum. `Display` writes them in a line, such as
/// `20 ms connecting, 0.3 ms until sent, 980 ms waiting for the answer (server: 0.2 ms queue, 975 ms handler; 4.8 ms on the way)`. An error has it from
/// [`Error::timeline`](crate::Error::timeline), and prints it with `{error:#}`.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// When the call was first polled.
    started_at: Option<Instant>,
    /// When a channel had it.
    entered_at: Option<Instant>,
    connecting: Duration,
    queue: Duration,
    opened_at: Option<Instant>,
    pub(crate) sent: Sent,
    pub(crate) server: Option<ServerTimes>,
    ended_at: Option<Instant>,
}

impl Timeline {
    /// Says what a channel knows of a call: when it came, and how long it waited for a connection and for a slot on one.
    pub fn new(entered_at: Instant, connecting: Duration, queue: Duration) -> Self {
        Self { entered_at: Some(entered_at), connecting, queue, ..Self::default() }
    }

    /// Says that the call was opened on a connection: its bytes were ready to be sent.
    #[must_use]
    pub fn opened(self, at: Instant, sent: Sent) -> Self {
        Self { opened_at: Some(at), sent, ..self }
    }

    /// Says what a connection knows of a call that was opened on it.
    pub(crate) fn opened_when(self, sent: Sent) -> Self {
        Self { sent, ..self }
    }

    /// Says when the failure was noticed.
    #[must_use]
    pub fn ended(self, at: Instant) -> Self {
        Self { ended_at: Some(at), ..self }
    }

    /// Says when the call was first polled, of which this may be a later attempt; what ended without a channel ends now.
    pub(crate) fn start(&mut self, at: Instant, now: impl FnOnce() -> Instant) {
        self.started_at = Some(at);
        self.ended_at.get_or_insert_with(now);
    }

    /// Tells whether the call's first attempt was still on its way to a connection, so that there was no other before.
    pub(crate) fn never_left(&self) -> bool {
        // The same look at the clock, see `Reading`: a later attempt has one of its own.
        !self.was_opened() && self.entered_at.is_some() && self.entered_at == self.started_at
    }

    fn was_opened(&self) -> bool {
        self.opened_at.is_some()
    }

    /// Adds what the connection knew of a call to what its channel knows.
    pub(crate) fn add(&mut self, earlier: &Self) {
        self.server = self.server.or(earlier.server);
        if earlier.sent != Sent::Unknown {
            self.sent = earlier.sent;
        }
    }

    /// Returns how long the call was with this side's layers, or with a service of this process, until it was opened on a connection: what
    /// is left of that time when the waits for a connection and for a slot are taken off. Earlier attempts of a layer that tries again are
    /// in it.
    pub fn layers(&self) -> Duration {
        let here = between(self.started_at, self.opened_at.or(self.ended_at));
        here.saturating_sub(self.connecting).saturating_sub(self.queue)
    }

    /// Returns how long it waited for a connection.
    pub fn connecting(&self) -> Duration {
        self.connecting
    }

    /// Returns how long it waited for a slot: as many calls were under way as the peer takes, or too much was unsent.
    pub fn queue(&self) -> Duration {
        self.queue
    }

    /// Returns how long it waited for the link to take its first byte.
    pub fn sending(&self) -> Duration {
        match self.sent {
            Sent::Unknown | Sent::AtOnce => Duration::ZERO,
            Sent::At(at) => between(self.opened_at, Some(at)),
            Sent::Not => between(self.opened_at, self.ended_at),
        }
    }

    /// Tells whether its first byte was given to the link.
    pub fn was_sent(&self) -> bool {
        self.was_opened() && self.sent != Sent::Not
    }

    /// Returns how long the answer was waited for, from the call's first byte on.
    pub fn waiting(&self) -> Duration {
        if !self.was_sent() {
            return Duration::ZERO;
        }
        between(self.opened_at, self.ended_at).saturating_sub(self.sending())
    }

    /// Returns what the server says that it took; none where it did not answer, or did not say.
    pub fn server(&self) -> Option<ServerTimes> {
        self.server
    }

    /// Returns what is left of the wait when the server's own part is taken off: the way there and back, and what the connection's tasks took.
    /// None where the server did not say; zero where it says more than was waited for.
    pub fn network(&self) -> Option<Duration> {
        self.server.map(|server| self.waiting().saturating_sub(server.total()))
    }

    /// Returns how long the call took.
    pub fn total(&self) -> Duration {
        let parts = [self.layers(), self.connecting, self.queue, self.sending(), self.waiting()];
        parts.into_iter().fold(Duration::ZERO, Duration::saturating_add)
    }
}

fn between(from: Option<Instant>, until: Option<Instant>) -> Duration {
    from.zip(until).map_or(Duration::ZERO, |(from, until)| until.saturating_duration_since(from))
}
