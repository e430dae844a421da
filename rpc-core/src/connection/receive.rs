//! What comes in: bytes to frames, frames to calls.

use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};

use super::allowed;
use super::close::reset_error;
use super::credit::frame_cost;
use super::payload::Payload;
use super::stream::{Item, ReplyHead, ReplyState, Role, Stream};
use super::{
    Budget, CloseCode, Connection, Event, Fatal, FrameHeader, FrameKind, Incoming, ResetCode, Side, StreamId,
    Times,
};
use crate::batch::measure as measure_items;
use crate::wire::{
    Flags, HEADER_BYTES, decode_metadata, parse_end, parse_open, parse_reply, parse_u16, parse_u64,
    split_total,
};
use crate::{Code, Error, ErrorKind, Fate, ItemBatch, Metadata, Status};

pub(super) fn protocol(fault: &str) -> Fatal {
    Fatal::new(CloseCode::Protocol, fault)
}

impl Connection {
    /// Takes all frames that are whole off the front of `input`; what is left is the start of one, and wants more bytes.
    ///
    /// # Errors
    /// The peer broke the protocol: [`close`](Self::close) the connection.
    pub fn receive(&mut self, input: &mut BytesMut, now: Instant) -> Result<(), Fatal> {
        self.pace.note(self.outbox.taken_bytes(), now);
        let unread = input.len();
        let received = self.receive_unread(input, now);
        self.received_bytes = self.received_bytes.saturating_add(unread.saturating_sub(input.len()) as u64);
        received
    }

    fn receive_unread(&mut self, input: &mut BytesMut, now: Instant) -> Result<(), Fatal> {
        if self.closed.is_none() && !self.has_opened() && !self.receive_hello(input)? {
            return Ok(());
        }
        // All at once: what is kept of them shares the memory of the read, and to share the rest of that costs more than to share a part.
        let mut frames = input.split_to(self.whole_frames(input)).freeze();
        while self.closed.is_none()
            && let Some(raw) = frames.first_chunk::<HEADER_BYTES>()
        {
            let header = FrameHeader::parse(raw);
            frames.advance(HEADER_BYTES);
            // Not the start of one: a peer could send a frame byte by byte without end.
            self.heard_at = now;
            if self.silent {
                self.hears_again(now);
            }
            self.receive_frame(header, Payload::new(&mut frames, header.bytes as usize), now)?;
        }
        if self.closed.is_some() {
            input.clear();
        }
        drop(frames);
        self.make_room(input, now)
    }

    /// Returns how long the frames are that stand whole at the front, and are within the limit.
    fn whole_frames(&self, input: &[u8]) -> usize {
        let mut rest = input;
        while let Some((raw, content)) = rest.split_first_chunk::<HEADER_BYTES>() {
            let bytes = FrameHeader::parse(raw).bytes;
            let next =
                content.get(bytes as usize..).filter(|_| bytes <= self.config.settings.frame_bytes_max);
            let Some(next) = next else { break };
            rest = next;
        }
        input.len().saturating_sub(rest.len())
    }

    fn receive_frame(
        &mut self,
        header: FrameHeader,
        payload: Payload<'_>,
        now: Instant,
    ) -> Result<(), Fatal> {
        let id = header.id;
        match header.kind {
            Some(FrameKind::Open) => self.receive_open(header, payload.take(), now),
            Some(FrameKind::Reply) => self.receive_reply(header, payload.take()),
            Some(FrameKind::Data) => self.receive_data(header, payload),
            Some(FrameKind::End) => self.receive_end(id, header.flags, payload.take()),
            Some(FrameKind::Reset) => self.receive_reset(id, &payload, now),
            Some(FrameKind::Credit) => self.receive_credit(id, &payload, now),
            Some(FrameKind::Ping) => {
                spend(
                    &mut self.pings,
                    now,
                    CloseCode::TooManyPings,
                    "pings came more often than agreed (ping_interval_min)",
                )?;
                parse_u64(&payload).map_err(protocol)?;
                self.send_control(FrameKind::Pong, StreamId::CONNECTION, &payload);
                Ok(())
            }
            Some(FrameKind::GoAway) => self.receive_goaway(payload.take(), now),
            // An unknown kind comes from a later version and is skipped.
            Some(FrameKind::Pong) | None => Ok(()),
        }
    }

    fn receive_open(&mut self, header: FrameHeader, mut payload: Bytes, now: Instant) -> Result<(), Fatal> {
        let id = header.id;
        if self.is_mine(id) || id.sequence() <= self.last_accepted.sequence() {
            return Err(protocol("a call was opened under an id that was used before"));
        }
        if self.accepted.is_live(id.slot()) {
            return Err(protocol("a call was opened in the slot of one that is under way"));
        }
        self.last_accepted = id;
        let calls_max = self.config.settings.calls_max;
        if self.draining || self.side == Side::Client || u32::from(id.slot()) >= calls_max {
            spend(
                &mut self.resets,
                now,
                CloseCode::TooManyResets,
                "too many calls came that had to be refused",
            )?;
            self.send_reset(id, ResetCode::Refused);
            return Ok(());
        }
        let head = parse_open(header.flags, &mut payload).map_err(protocol)?;
        let total = split_total(header.flags, &mut payload).map_err(protocol)?;
        let granted = self.peer.as_ref().map_or(0, |peer| peer.settings.stream_window_bytes);
        let role = Role::Accepted { head: None, replied: false, method: head.method, since: now };
        self.accepted.insert(id, Stream::new(role, self.config.settings.stream_window_bytes, granted));
        if let Err(status) = self.check_head(head.metadata.as_ref(), total, payload.len()) {
            self.fail(id, status);
            return Ok(());
        }
        let metadata = match read_metadata(head.metadata) {
            Ok(metadata) => metadata,
            Err(fault) => {
                self.fail(id, Status::new(Code::InvalidArgument, format!("the call came with {fault}")));
                return Ok(());
            }
        };
        let mut incoming = Incoming {
            id,
            method: head.method,
            timeout: head.timeout_micros.map(Duration::from_micros),
            metadata,
            codec: header.codec,
            message: Bytes::new(),
            compressed: header.flags.has(Flags::COMPRESSED),
            items: false,
            oneway: header.flags.has(Flags::ONEWAY),
            times: Times::read(header.flags),
            came_at: now,
        };
        let last = header.flags.has(Flags::END);
        let Some(Stream { role: Role::Accepted { head, .. }, inflow, .. }) = self.accepted.get(id) else {
            return Ok(());
        };
        if let Some(total) = total {
            *head = Some(Box::new(incoming));
            return self.start_message(id, header.flags, total, &payload, true);
        }
        inflow.ended = last;
        incoming.message = payload;
        incoming.items = !last;
        self.events.push_back(Event::Call(incoming));
        Ok(())
    }

    /// Holds metadata and message against the limits, before anything is kept of them.
    fn check_head(&self, metadata: Option<&Bytes>, total: Option<u32>, first: usize) -> Result<(), Status> {
        let settings = &self.config.settings;
        let too_long = |what, bytes, max| allowed::refusal(self.side, what, bytes, max);
        let metadata_bytes = metadata.map_or(0, Bytes::len);
        if metadata_bytes > settings.metadata_bytes_max as usize {
            return Err(too_long("metadata", metadata_bytes, settings.metadata_bytes_max));
        }
        let bytes = total.map_or(first, |total| total as usize);
        if bytes > settings.message_bytes_max as usize {
            return Err(too_long("message", bytes, settings.message_bytes_max));
        }
        Ok(())
    }

    fn receive_reply(&mut self, header: FrameHeader, mut payload: Bytes) -> Result<(), Fatal> {
        let id = header.id;
        if !self.is_mine(id) {
            return Err(protocol("a call was answered by the side that opened it"));
        }
        let (times, metadata) = parse_reply(header.flags, &mut payload).map_err(protocol)?;
        let total = split_total(header.flags, &mut payload).map_err(protocol)?;
        let check = self.check_head(metadata.as_ref(), total, payload.len());
        let Some(stream) = self.live(id)? else { return Ok(()) };
        let Role::Opened { reply: reply @ ReplyState::Awaited, .. } = &mut stream.role else {
            return Err(protocol("a call was answered twice"));
        };
        let head = match (check, read_metadata(metadata)) {
            (Ok(()), Ok(metadata)) => ReplyHead {
                metadata,
                codec: header.codec,
                failed: header.flags.has(Flags::FAILED),
                compressed: header.flags.has(Flags::COMPRESSED),
                times,
            },
            (Err(status), _) => {
                self.give_up(id, &format!("the answer came with {}", status.message()));
                return Ok(());
            }
            (_, Err(fault)) => return Err(protocol(fault)),
        };
        if let Some(total) = total {
            *reply = ReplyState::Assembling(Box::new(head));
            return self.start_message(id, header.flags, total, &payload, true);
        }
        *reply = head.with(payload, !header.flags.has(Flags::END));
        self.replied(id);
        Ok(())
    }

    fn receive_data(&mut self, header: FrameHeader, payload: Payload<'_>) -> Result<(), Fatal> {
        let (id, flags) = (header.id, header.flags);
        let cost = frame_cost(payload.len());
        self.charge_connection(cost)?;
        self.receive_charged(id, flags, payload, cost)?;
        // Whatever became of it: what is not held is free again at once.
        self.grant_connection();
        Ok(())
    }

    fn receive_charged(
        &mut self,
        id: StreamId,
        flags: Flags,
        payload: Payload<'_>,
        cost: u64,
    ) -> Result<(), Fatal> {
        let Some(stream) = self.live(id)? else { return Ok(()) };
        let inflow = &mut stream.inflow;
        inflow.granted = inflow.granted.checked_sub(cost).ok_or_else(super::credit::over)?;
        if inflow.ended {
            return Err(protocol("data came after the end of a stream"));
        }
        if inflow.assembly.is_some() {
            return self.continue_message(id, flags, &payload, cost);
        }
        if matches!(stream.role, Role::Opened { reply: ReplyState::Awaited, .. }) {
            return Err(protocol("data came before the answer"));
        }
        let mut payload = payload.take();
        let total = split_total(flags, &mut payload).map_err(protocol)?;
        let (several, longest) = match flags.has(Flags::ITEMS) {
            true if total.is_some() => return Err(protocol("several items came in a frame that goes on")),
            true => measure_items(&payload).ok_or_else(|| protocol("items do not add up to their frame"))?,
            false => (0, payload.len()),
        };
        if let Err(status) = self.check_head(None, total, longest) {
            self.reject_item(id, status);
            return Ok(());
        }
        if let Some(total) = total {
            return self.start_message(id, flags, total, &payload, false);
        }
        if self.inflow.is_crowded() {
            payload = Bytes::copy_from_slice(&payload);
        }
        let batch = if several > 0 { ItemBatch::of(payload, several) } else { ItemBatch::one(payload) };
        self.hold(id, Item { batch, cost });
        if flags.has(Flags::END) {
            self.end_inflow(id, None);
        }
        Ok(())
    }

    fn receive_end(&mut self, id: StreamId, flags: Flags, payload: Bytes) -> Result<(), Fatal> {
        let status = parse_end(flags, payload).map_err(protocol)?;
        let is_mine = self.is_mine(id);
        let Some(stream) = self.live(id)? else { return Ok(()) };
        if stream.inflow.ended {
            return Err(protocol("a stream ended twice"));
        }
        if !is_mine && status.is_some() {
            return Err(protocol("a caller sent a status"));
        }
        if stream.inflow.assembly.is_some() && status.is_none() {
            return Err(protocol("a stream ended within a message"));
        }
        let answered = match &stream.role {
            Role::Opened { reply, detached, .. } => *detached || !matches!(reply, ReplyState::Awaited),
            Role::Accepted { .. } => true,
        };
        if !answered && status.is_none() {
            return Err(protocol("a call ended without an answer"));
        }
        self.end_inflow(id, status);
        Ok(())
    }

    fn receive_reset(&mut self, id: StreamId, payload: &[u8], now: Instant) -> Result<(), Fatal> {
        let code = ResetCode::from_u16(parse_u16(payload).map_err(protocol)?);
        if !self.is_mine(id) {
            let (was_seen, was_answered) = match self.live(id)?.map(|stream| &stream.role) {
                Some(Role::Accepted { head, replied, .. }) => (head.is_none(), *replied),
                _ => (false, false),
            };
            if !was_answered {
                let reason = "too many calls were opened only to be cancelled";
                spend(&mut self.resets, now, CloseCode::TooManyResets, reason)?;
            }
            self.remove(id);
            if was_seen {
                self.tell_cancelled(id);
            }
            return Ok(());
        }
        if self.live(id)?.is_some() {
            self.end_call(id, reset_error(code));
        }
        Ok(())
    }

    fn tell_cancelled(&mut self, id: StreamId) {
        self.has_cancelled = true;
        self.events.push_back(Event::Cancelled(id));
    }

    /// A request item over a limit ends the call with a status, an answer's item with an error here.
    fn reject_item(&mut self, id: StreamId, status: Status) {
        if self.is_mine(id) {
            self.give_up(id, &format!("a stream item came with {}", status.message()));
        } else {
            self.fail(id, status);
            self.tell_cancelled(id);
        }
    }

    /// Ends a call that was opened here because of what came for it.
    fn give_up(&mut self, id: StreamId, text: &str) {
        let error = Error::new(ErrorKind::LimitExceeded, text).with_fate(Fate::Failed);
        self.cancel_with(id, ResetCode::LimitExceeded, error);
    }

    /// Finds a call; none where it has ended, and its frames are late.
    pub(super) fn live(&mut self, id: StreamId) -> Result<Option<&mut Stream>, Fatal> {
        let is_mine = self.is_mine(id);
        if id.sequence() == 0 || (!is_mine && id.sequence() > self.last_accepted.sequence()) {
            return Err(protocol("a frame came for a call that was never opened"));
        }
        let is_over = self.stream(id).is_none_or(|stream| stream.inflow.outcome.is_some());
        if is_over {
            self.late_frames = self.late_frames.saturating_add(1);
            return Ok(None);
        }
        Ok(self.stream(id))
    }
}

/// Reads the metadata of a head that has some, as most have not.
fn read_metadata(raw: Option<Bytes>) -> Result<Metadata, &'static str> {
    raw.map_or(Ok(Metadata::new()), decode_metadata)
}

pub(super) fn spend(budget: &mut Budget, now: Instant, code: CloseCode, reason: &str) -> Result<(), Fatal> {
    if budget.spend(now) { Ok(()) } else { Err(Fatal::new(code, reason)) }
}
