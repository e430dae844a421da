//! Opening, answering and ending calls.

use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{BufMut, Bytes};

use super::allowed::{check, knows_codec};
use super::head::length;
use super::stream::{Finish, ReplyState, Role, Stream};
use super::transmit::GATHER_BYTES;
use super::{Connection, FrameHeader, FrameKind, Reply, ResetCode, Side, StreamId, Times, gone};
use crate::wire::{Flags, encode_metadata, encode_status, metadata_bytes, put_times};
use crate::{Error, Metadata, MethodId, ServerTimes, Status, Timeline};

/// A call to be opened.
#[derive(Debug)]
#[non_exhaustive]
pub struct OpenCall<'a> {
    /// What is called.
    pub method: MethodId,
    /// How much time is left.
    pub timeout: Option<Duration>,
    /// What travels beside the arguments.
    pub metadata: &'a Metadata,
    /// The codec's number.
    pub codec: u8,
    /// The encoded arguments, or the first part of them.
    pub message: Bytes,
    /// The other parts; where the first is empty, these are all, and short ones need not be shared.
    pub rest: &'a [Bytes],
    /// Whether the arguments, and the items, begin with a byte that says how they are compressed: only where the peer knows it (rule P20).
    pub compressed: bool,
    /// Whether items follow.
    pub items: bool,
    /// Whether nobody waits for an answer.
    pub oneway: bool,
    /// Whether it may be sent before the peer's opening is here, and so be replayed: where its handler may run twice, and nothing follows its
    /// message.
    pub early: bool,
    /// When the caller wants to know how long the callee took.
    pub times: Times,
}

impl<'a> OpenCall<'a> {
    /// Describes a call without a deadline, items or metadata.
    pub fn new(method: MethodId, codec: u8, message: Bytes, metadata: &'a Metadata) -> Self {
        Self {
            method,
            timeout: None,
            metadata,
            codec,
            message,
            rest: &[],
            compressed: false,
            items: false,
            oneway: false,
            early: false,
            times: Times::Never,
        }
    }
}

/// Why a call cannot be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// As many calls are in flight as the peer takes, too much is unsent, or a sign of life or the peer's opening is awaited: try again when a
    /// slot is freed.
    Full,
    /// The connection takes no more calls: use another one.
    Closed,
    /// The call cannot be sent on any connection to this peer.
    Failed(Error),
}

impl Connection {
    /// Opens a call: its first frame is appended to what is to be sent.
    ///
    /// # Errors
    /// See [`OpenError`]; nothing is sent then.
    #[expect(clippy::arithmetic_side_effects, reason = "no connection lasts for 2^64 calls")]
    pub fn open(&mut self, call: &OpenCall<'_>) -> Result<StreamId, OpenError> {
        if !self.takes_calls() {
            return Err(OpenError::Closed);
        }
        let Some(peer) = &self.peer else { return Err(OpenError::Closed) };
        let settings = &peer.settings;
        check(length(&call.message, call.rest), settings.message_bytes_max, "message")
            .map_err(OpenError::Failed)?;
        let metadata_bytes = metadata_bytes(call.metadata);
        check(metadata_bytes, settings.metadata_bytes_max, "metadata").map_err(OpenError::Failed)?;
        if self.outbox.len() > GATHER_BYTES.max(self.config.buffer_bytes_max as usize) {
            self.wants_outbox = true;
            return Err(OpenError::Full);
        }
        knows_codec(settings, call.codec).map_err(OpenError::Failed)?;
        // Rule K6, where holding the frame back is not enough: nobody may begin to take the items, or say that the call was sent.
        let waits_for_life = self.pinged_at.is_some() && (call.items || call.oneway);
        // Rule Q10.
        let waits_for_opening = self.is_assumed && !call.early;
        if waits_for_life || waits_for_opening {
            self.wants_slot = true;
            return Err(OpenError::Full);
        }
        let calls_max = settings.calls_max.min(self.config.settings.calls_max);
        let granted = settings.stream_window_bytes;
        let Some(slot) = self.opened.vacant(calls_max as usize) else {
            self.wants_slot = true;
            return Err(OpenError::Full);
        };
        if self.pinged_at.is_some() {
            // Rule K6: the peer may be gone, and a call that is not sent can go elsewhere.
            self.outbox.hold();
        }
        self.last_opened += 1;
        let id = StreamId::new(self.last_opened, slot, self.side == Side::Server);
        let role = Role::Opened {
            sent_at: self.outbox.position(),
            reply: ReplyState::Awaited,
            detached: call.oneway,
        };
        self.opened.insert(id, Stream::new(role, self.config.settings.stream_window_bytes, granted));
        let flags = Flags::NONE
            .with_if(Flags::METADATA, !call.metadata.is_empty())
            .with_if(Flags::DEADLINE, call.timeout.is_some())
            .with_if(Flags::ONEWAY, call.oneway)
            .with_if(Flags::TIMES, call.times != Times::Never)
            .with_if(Flags::REPLY_TIMES, call.times == Times::Always)
            .with_if(Flags::COMPRESSED, call.compressed);
        let header = FrameHeader::new(FrameKind::Open, id, 0).with_flags(flags).with_codec(call.codec);
        self.send_head(header, metadata_bytes, (&call.message, call.rest), !call.items, |out| {
            out.put_u64_le(call.method.as_u64());
            if let Some(timeout) = call.timeout {
                out.put_u64_le(u64::try_from(timeout.as_micros()).unwrap_or(u64::MAX));
            }
            if !call.metadata.is_empty() {
                encode_metadata(call.metadata, out);
            }
        });
        Ok(id)
    }

    /// Opens a call, and lets the task be woken when it is answered, as [`poll_reply`](Self::poll_reply) would.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_and_watch(&mut self, call: &OpenCall<'_>, cx: &Context<'_>) -> Result<StreamId, OpenError> {
        let id = self.open(call)?;
        if let Some(stream) = self.opened.get(id) {
            set_waker(&mut stream.inflow.waker, cx);
        }
        Ok(id)
    }

    /// Waits for the answer to a call that was opened here.
    ///
    /// # Errors
    /// The call failed; it is over then, and need not be cancelled.
    pub fn poll_reply(&mut self, id: StreamId, cx: &mut Context<'_>) -> Poll<Result<Reply, Error>> {
        let Some(stream) = self.opened.get(id) else { return Poll::Ready(Err(gone(id))) };
        let Role::Opened { reply, .. } = &mut stream.role else { return Poll::Ready(Err(gone(id))) };
        if let ReplyState::Here(_) = reply {
            let ReplyState::Here(here) = std::mem::replace(reply, ReplyState::Taken) else {
                return Poll::Ready(Err(gone(id)));
            };
            if !here.items {
                self.remove(id);
            }
            return Poll::Ready(Ok(here));
        }
        if let Some(outcome) = stream.inflow.outcome.take() {
            let known = Timeline::default().opened_when(self.sent(id));
            self.remove(id);
            return Poll::Ready(Err(outcome.err().unwrap_or_else(|| gone(id)).with_timeline(known)));
        }
        set_waker(&mut stream.inflow.waker, cx);
        Poll::Pending
    }

    /// Waits until a call that was opened here is on its way as a whole: all there is to wait for in one that is not answered.
    ///
    /// # Errors
    /// The connection has ended, perhaps before that.
    pub fn poll_sent(&mut self, id: StreamId, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        let Some(stream) = self.opened.get(id) else {
            return Poll::Ready(self.closed_error().map_or(Ok(()), Err));
        };
        if stream.outflow.queue.is_empty() {
            return Poll::Ready(Ok(()));
        }
        set_waker(&mut stream.outflow.waker, cx);
        Poll::Pending
    }

    /// Ends a call that was opened here before it is answered; the peer drops its handler.
    pub fn cancel(&mut self, id: StreamId, code: ResetCode) {
        let Some(stream) = self.opened.get(id) else { return };
        if stream.inflow.outcome.is_none() && self.closed.is_none() {
            self.send_reset(id, code);
        }
        self.remove(id);
    }

    /// Like [`cancel`](Self::cancel), and whoever waits for the call gets this error.
    pub fn cancel_with(&mut self, id: StreamId, code: ResetCode, error: Error) {
        let is_open = self.opened.get(id).is_some_and(|stream| stream.inflow.outcome.is_none());
        if is_open {
            self.send_reset(id, code);
            self.end_call(id, error);
        }
    }

    /// Returns how many calls were ever opened on this side.
    pub fn calls_opened(&self) -> u64 {
        self.last_opened
    }

    /// Waits until no call is under way and all is written, or the connection has ended.
    pub fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.closed.is_some() || (self.is_idle() && self.outbox.is_empty()) {
            return Poll::Ready(());
        }
        set_waker(&mut self.idle, cx);
        Poll::Pending
    }

    /// Answers a call that came in.
    ///
    /// An answer over the peer's limits goes out as a status that says so.
    ///
    /// It is the caller's to drop, where no lock is held: its metadata may be bytes of users.
    pub fn reply(&mut self, id: StreamId, answer: &Reply) {
        self.reply_in_parts(id, answer, &[]);
    }

    /// Like [`reply`](Self::reply), with a result that goes on in these parts.
    pub fn reply_in_parts(&mut self, id: StreamId, answer: &Reply, rest: &[Bytes]) {
        let Some(peer) = &self.peer else { return };
        let settings = &peer.settings;
        let size = check(length(&answer.message, rest), settings.message_bytes_max, "result");
        let metadata_bytes = metadata_bytes(&answer.metadata);
        let size = size.and(check(metadata_bytes, settings.metadata_bytes_max, "metadata"));
        if let Err(error) = size {
            let text = format!("{error}: the limit is the caller's own, set with the limits of its channel");
            let status = Status::new(crate::Code::ResourceExhausted, text);
            return self.fail(id, status);
        }
        let Some(stream) = self.accepted.get(id) else { return };
        let Role::Accepted { replied, .. } = &mut stream.role else { return };
        if std::mem::replace(replied, true) {
            return;
        }
        let flags = Flags::NONE
            .with_if(Flags::METADATA, !answer.metadata.is_empty())
            .with_if(Flags::FAILED, answer.failed)
            .with_if(Flags::TIMES, answer.times.is_some())
            .with_if(Flags::COMPRESSED, answer.compressed);
        let header = FrameHeader::new(FrameKind::Reply, id, 0).with_flags(flags).with_codec(answer.codec);
        self.send_head(header, metadata_bytes, (&answer.message, rest), !answer.items, |out| {
            if let Some(times) = answer.times {
                put_times(times, out);
            }
            if !answer.metadata.is_empty() {
                encode_metadata(&answer.metadata, out);
            }
        });
    }

    /// Ends a call that came in with a status, after what has been sent in it.
    pub fn fail(&mut self, id: StreamId, status: Status) {
        self.fail_after(id, status, None);
    }

    /// Like [`fail`](Self::fail), and tells how long the call took here: only a caller that wants to know (rule P24).
    pub fn fail_after(&mut self, id: StreamId, status: Status, times: Option<ServerTimes>) {
        if !self.is_mine(id) {
            self.finish(id, Finish::Status(status, times));
        }
    }

    /// Ends all calls that came in with a status.
    pub fn fail_all(&mut self, status: &Status) {
        for id in self.accepted.ids() {
            self.fail(id, status.clone());
        }
    }

    /// Ends this side's stream of items; where the call came in, that ends the call.
    pub fn end_items(&mut self, id: StreamId) {
        self.finish(id, Finish::End);
    }

    /// Ends a call that came in and was not taken up: its handler did not run.
    pub fn refuse(&mut self, id: StreamId) {
        if self.accepted.get(id).is_some() {
            self.send_reset(id, ResetCode::Refused);
            self.remove(id);
        }
    }

    fn finish(&mut self, id: StreamId, finish: Finish) {
        let Some(stream) = self.stream(id) else { return };
        if let Finish::Status(..) = finish {
            // What was not sent yet would only delay the news.
            stream.outflow.queue.clear();
        } else if stream.outflow.ended || stream.inflow.outcome.is_some() {
            return;
        }
        stream.outflow.ended = true;
        if stream.outflow.queue.is_empty() {
            self.send_finish(id, &finish);
        } else {
            stream.outflow.finish = Some(Box::new(finish));
        }
    }

    pub(super) fn send_finish(&mut self, id: StreamId, finish: &Finish) {
        let bytes_max = self.peer_frame_bytes();
        let is_timed = matches!(finish, Finish::Status(_, Some(_)));
        let flags = Flags::END.with_if(Flags::TIMES, is_timed);
        let header = FrameHeader::new(FrameKind::End, id, 0).with_flags(flags);
        self.outbox.frame(
            header,
            |out| match finish {
                Finish::End => {}
                Finish::Status(status, None) => encode_status(status, bytes_max, out),
                Finish::Status(status, Some(times)) => {
                    put_times(*times, out);
                    encode_status(status, bytes_max.saturating_sub(ServerTimes::BYTES), out);
                }
            },
            &Bytes::new(),
            &[],
        );
        self.wake_writer();
        self.sent_last(id);
    }

    /// The last frame of this side is on its way: a call that came in is over with it.
    pub(super) fn sent_last(&mut self, id: StreamId) {
        if !self.is_mine(id) {
            self.resets.refund();
            self.remove(id);
        }
    }
}

/// Keeps the waker of whoever polls, without cloning it where it is the same.
pub(super) fn set_waker(slot: &mut Option<std::task::Waker>, cx: &Context<'_>) {
    match slot {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *slot = Some(cx.waker().clone()),
    }
}
