//! How a connection ends: drained, closed for a fault, lost, or silent for too long.

use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes};

use super::receive::spend;
use super::stream::{ReplyState, Role};
use super::{CloseCode, Closed, Connection, Event, Fatal, FrameHeader, FrameKind, Side, StreamId, Transmit};
use crate::one_line::OneLine;
use crate::wire::{GoAway, REASON_BYTES_MAX, ResetCode, cut, parse_goaway};
use crate::{Error, ErrorKind, Fate, deadline_after};

impl Connection {
    /// Takes no further calls and tells the peer which was the last; those under way go on.
    pub fn drain(&mut self, reason: &str) {
        if !self.draining && self.closed.is_none() {
            self.draining = true;
            self.send_goaway(CloseCode::Shutdown, reason);
        }
    }

    /// Takes what was to be sent and will not be; drop it once no lock is held: it may hold bytes of users.
    pub fn take_discarded(&mut self) -> Vec<Transmit> {
        self.outbox.take_discarded()
    }

    /// Tells the peer what it did wrong, as the last that is sent, and ends all calls.
    pub fn close(&mut self, fatal: &Fatal) {
        if self.closed.is_some() {
            return;
        }
        self.outbox.drop_held();
        let written = self.outbox.position();
        self.send_goaway(fatal.code, &fatal.reason);
        let kind = match fatal.code {
            CloseCode::Shutdown => ErrorKind::Closed,
            code => error_kind(code),
        };
        self.end_all(kind, &fatal.reason, written);
    }

    /// Ends all calls because the link is gone.
    pub fn lost(&mut self, reason: &str) {
        self.end_unwritten(ErrorKind::ConnectionLost, reason);
    }

    /// Ends all calls because the link is gone, whose other end has read nothing of what was written (rule Q10).
    pub fn lost_unread(&mut self, reason: &str) {
        if self.closed.is_none() {
            self.outbox.clear();
            self.end_all(ErrorKind::ConnectionLost, reason, 0);
        }
    }

    /// Tells whether the connection has ended.
    pub fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// Returns why the connection has ended.
    pub fn closed_reason(&self) -> Option<&str> {
        self.closed.as_ref().map(|closed| closed.reason.as_str())
    }

    /// Returns the code with which the peer has closed the connection for a fault of this side, if it has.
    pub fn peer_close_code(&self) -> Option<CloseCode> {
        self.peer_close_code
    }

    /// Tells whether the peer has said that it takes no further calls.
    pub fn is_peer_draining(&self) -> bool {
        self.peer_draining
    }

    /// Returns when [`on_timer`](Self::on_timer) wants to be called.
    pub fn timer(&self) -> Instant {
        match self.pinged_at {
            Some(pinged_at) => deadline_after(pinged_at, self.config.ping_timeout),
            None if self.silent => deadline_after(self.heard_at, self.config.ping_interval),
            None => deadline_after(self.heard_at, self.silent_after()),
        }
    }

    /// Returns the [`timer`](Self::timer) where it has come nearer since this was asked last, other than by `on_timer`.
    pub fn take_sooner_timer(&mut self) -> Option<Instant> {
        std::mem::take(&mut self.timer_is_sooner).then(|| self.timer())
    }

    /// Asks for a sign of life where nothing was heard for long.
    ///
    /// # Errors
    /// None came: the connection is dead.
    pub fn on_timer(&mut self, now: Instant) -> Result<(), Fatal> {
        if now < self.timer() || self.closed.is_some() {
            return Ok(());
        }
        self.silent = true;
        if now < self.timer() {
            return Ok(());
        }
        // Nothing was heard for long.
        self.opened.shrink();
        self.accepted.shrink();
        self.events.shrink_to(1);
        if self.pinged_at.is_some() {
            let text = format!(
                "nothing was heard from the peer for {:?}, and a ping was not answered within this side's ping_timeout of {:?}",
                now.duration_since(self.heard_at),
                self.config.ping_timeout
            );
            return Err(Fatal::new(CloseCode::Timeout, text));
        }
        self.ping(now);
        Ok(())
    }

    /// Asks for a sign of life before a call is opened, where nothing was heard for long and no answer is awaited yet (rule K8).
    ///
    /// Most calls are opened when the peer was just heard, and need not know the time.
    pub fn ping_if_silent(&mut self, now: impl FnOnce() -> Instant) {
        if self.silent && self.pinged_at.is_none() && self.takes_calls() {
            self.ping(now());
            self.timer_is_sooner = true;
        }
    }

    /// Tells whether the peer may be gone: it was silent for long, and was not heard since.
    pub fn is_in_doubt(&self) -> bool {
        self.silent
    }

    /// Tells whether a sign of life was asked for, and none has come.
    pub fn awaits_sign_of_life(&self) -> bool {
        self.pinged_at.is_some()
    }

    fn ping(&mut self, now: Instant) {
        self.pinged_at = Some(now);
        self.send_control(FrameKind::Ping, StreamId::CONNECTION, &[0; 8]);
    }

    /// The silence is over: what was held back goes out.
    pub(super) fn hears_again(&mut self, now: Instant) {
        (self.silent, self.timer_is_sooner) = (false, true);
        if self.pinged_at.take().is_none() {
            return;
        }
        let from = self.outbox.pending_until();
        if self.outbox.release() {
            self.released(from, now);
            self.wake_writer();
        }
        if self.wants_slot {
            // Those who wait to open a call that cannot be held back.
            self.slots_freed = usize::MAX;
        }
    }

    /// A side that opens no calls is not concerned before it pings.
    fn silent_after(&self) -> Duration {
        match self.side {
            Side::Client => self.config.ping_after.min(self.config.ping_interval),
            Side::Server => self.config.ping_interval,
        }
    }

    /// Sends a sign of life that nobody asked for, which costs the peer nothing: a peer that is gone makes the write fail.
    pub fn probe(&mut self) {
        if self.closed.is_none() {
            self.send_control(FrameKind::Pong, StreamId::CONNECTION, &[0; 8]);
        }
    }

    fn send_goaway(&mut self, code: CloseCode, reason: &str) {
        let last = self.last_accepted;
        let header = FrameHeader::new(FrameKind::GoAway, StreamId::CONNECTION, 0);
        let reason = cut(reason, REASON_BYTES_MAX);
        self.outbox.frame(
            header,
            |out| {
                out.put_u64_le(last.as_u64());
                out.put_u16_le(code as u16);
                out.put_slice(reason.as_bytes());
            },
            &Bytes::new(),
            &[],
        );
        self.wake_writer();
    }

    pub(super) fn receive_goaway(&mut self, payload: Bytes, now: Instant) -> Result<(), Fatal> {
        let GoAway { last, code, reason } =
            parse_goaway(payload).map_err(|fault| Fatal::new(CloseCode::Protocol, fault))?;
        if self.peer_draining {
            spend(&mut self.pings, now, CloseCode::Protocol, "too many farewells came")?;
        } else {
            self.peer_draining = true;
            self.events.push_back(Event::Draining);
        }
        for id in self.opened.ids().into_iter().filter(|id| id.sequence() > last.sequence()) {
            let text = format!("the server takes no further calls: {}", OneLine(&reason));
            self.end_call(id, Error::new(ErrorKind::Refused, text));
        }
        // Those who wait for a slot must look for another connection.
        self.slots_freed = usize::MAX;
        if code != CloseCode::Shutdown {
            self.peer_close_code = Some(code);
            self.end_unwritten(
                error_kind(code),
                &format!("the peer closed the connection: {}", OneLine(&reason)),
            );
        }
        Ok(())
    }

    /// Ends all calls, and writes no more.
    fn end_unwritten(&mut self, kind: ErrorKind, reason: &str) {
        if self.closed.is_none() {
            self.outbox.clear();
            self.end_all(kind, reason, self.outbox.position());
        }
    }

    /// Ends all calls; those whose frames stand before `written` in all that is ever sent may have run.
    fn end_all(&mut self, kind: ErrorKind, reason: &str, written: u64) {
        self.closed = Some(Closed { kind, reason: reason.to_owned(), written });
        self.ready.clear();
        self.waiting.clear();
        for id in self.opened.ids() {
            let error = self.lost_error(id);
            self.end_call(id, error);
        }
        for id in self.accepted.ids() {
            self.remove(id);
            self.events.push_back(Event::Cancelled(id));
        }
        self.slots_freed = usize::MAX;
        let idle = self.idle.take();
        self.wake(idle);
        self.wake_writer();
    }

    /// Ends a call that was opened here and is not over yet; one whose answer has begun to arrive has certainly run.
    pub(super) fn end_call(&mut self, id: StreamId, error: Error) {
        let Some(stream) = self.opened.get(id) else { return };
        if stream.inflow.outcome.is_some() {
            return;
        }
        let awaited = matches!(stream.role, Role::Opened { reply: ReplyState::Awaited, .. });
        let error = if awaited { error } else { error.with_fate(Fate::Failed) };
        stream.inflow.outcome = Some(Err(error));
        self.end_opened(id);
    }

    /// Returns the error of a call of which no more is known than that the connection has ended.
    pub(super) fn closed_error(&self) -> Option<Error> {
        let closed = self.closed.as_ref()?;
        Some(Error::new(closed.kind, closed.reason.clone()).with_fate(Fate::MaybeExecuted))
    }

    /// Says whether a call may have run, by whether its first byte was written or still will be.
    fn lost_error(&mut self, id: StreamId) -> Error {
        let closed = self.closed.as_ref();
        let kind = closed.map_or(ErrorKind::ConnectionLost, |closed| closed.kind);
        let reason = closed.map_or_else(String::new, |closed| closed.reason.clone());
        let sent_at = match self.opened.get(id).map(|stream| &stream.role) {
            Some(Role::Opened { sent_at, .. }) => *sent_at,
            _ => 0,
        };
        let written = closed.map_or(u64::MAX, |closed| closed.written);
        let fate = if sent_at < written { Fate::MaybeExecuted } else { Fate::NeverSent };
        Error::new(kind, reason).with_fate(fate)
    }
}

/// What a connection that was closed with this code is to the calls on it.
fn error_kind(code: CloseCode) -> ErrorKind {
    match code {
        CloseCode::Timeout | CloseCode::Internal => ErrorKind::ConnectionLost,
        _ => ErrorKind::Protocol,
    }
}

/// What a call that the peer has reset ends with.
pub(super) fn reset_error(code: ResetCode) -> Error {
    match code {
        ResetCode::Refused => Error::new(
            ErrorKind::Refused,
            "the server did not take the call up: it is shutting down or has as many calls as it takes (calls_in_flight, max_oneway_calls)",
        ),
        ResetCode::DeadlineExceeded => {
            Error::new(ErrorKind::DeadlineExceeded, "the deadline passed at the server: allow more time, or find what is slow there")
        }
        ResetCode::LimitExceeded => {
            Error::new(ErrorKind::LimitExceeded, "a message or metadata was over the server's limit (message_bytes, metadata_bytes): send less, or raise it there")
                .with_fate(Fate::Failed)
        }
        ResetCode::Cancelled => Error::new(ErrorKind::Cancelled, "the server gave the call up: its log may say why"),
    }
}
