//! One byte stream of frames on this side, a stream for each call on the wire.
//!
//! The machine and its driver know nothing of QUIC. What they write is cut into frames here, and each goes to the stream of its call; what
//! arrives on the streams is handed on in whole frames, as they come. On the wire the stream says which call a frame belongs to, so its id is put
//! in here: that of a call of the peer's is made up, in the order of arrival, which is the order that the machine expects (rule Q3).

mod stream;

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use quinn::{
    Connection, ConnectionError, Endpoint, RecvStream, SendStream, VarInt, WriteError, ZeroRttAccepted,
};
use rpc_core::wire::{FrameHeader, FrameKind, ResetCode, StreamId};
use tokio::sync::{Semaphore, mpsc};

use super::arrivals::{Arrival, Sink};
use super::calls::{Calls, Output};
use super::early::EarlyCalls;
use super::{frames, words};
use crate::limits::{Limits, QUIC_FRAME_BYTES_MAX};
use crate::tls::TlsClient;

/// So much may wait to be written to streams before more is taken.
const QUEUED_BYTES_MAX: usize = 256 << 10;
/// So much is gathered of what has arrived before it is handed on.
const GATHERED_BYTES: usize = 64 << 10;

type OpeningStream = Pin<Box<dyn Future<Output = Result<(SendStream, RecvStream), ConnectionError>> + Send>>;

/// Opens a stream.
fn open_stream(connection: &Connection) -> OpeningStream {
    let connection = connection.clone();
    Box::pin(async move { connection.open_bi().await })
}

/// Which end of the connection this is.
pub(super) enum End {
    /// Its handshake is watched where it sends before that is done.
    Client {
        endpoint: Endpoint,
        early: Option<(ZeroRttAccepted, TlsClient)>,
    },
    Server {
        early: Option<EarlyCalls>,
    },
}

/// A QUIC connection as a link.
pub(super) struct Mux {
    connection: Connection,
    /// A client's own, which lives as long as its connection.
    _endpoint: Option<Endpoint>,
    sink: Sink,
    arrivals: mpsc::Receiver<Arrival>,
    is_client: bool,
    calls: Calls,
    /// What concerns the connection.
    control: Output,
    /// Calls whose streams are still to be opened, in this order.
    unopened: VecDeque<u64>,
    opening: Option<OpeningStream>,
    /// Calls with something to be written.
    unwritten: VecDeque<u64>,
    queued_bytes: usize,
    /// What the machine has written and is not a whole frame yet.
    partial: BytesMut,
    /// The own opening was written.
    has_opened: bool,
    /// The server has taken nothing of what was sent early: the connection is of no use.
    is_rejected: bool,
    /// What is to be handed to the machine.
    gathered: BytesMut,
    control_ended: bool,
    lost: Option<ConnectionError>,
    /// Waits until the peer has all that was written.
    farewell: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Mux {
    /// Makes a link of a connection and its first stream.
    pub(super) fn new(
        connection: Connection,
        control: (SendStream, RecvStream),
        limits: &Limits,
        end: End,
    ) -> Self {
        let settings = &limits.config.settings;
        let (send, recv) = control;
        let (sink, arrivals) = Sink::new(QUIC_FRAME_BYTES_MAX, recv);
        // A sign of life must not wait for what calls send.
        let _ = send.set_priority(1);
        tokio::spawn(sink.clone().watch(connection.clone()));
        let is_client = matches!(end, End::Client { .. });
        let endpoint = match end {
            End::Client { endpoint, early } => {
                if let Some((accepted, tls)) = early {
                    let (connection, limit) = (connection.clone(), limits.handshake_timeout);
                    tokio::spawn(sink.clone().watch_handshake(connection, accepted, limit, tls));
                }
                Some(endpoint)
            }
            End::Server { early } => {
                let places = Arc::new(Semaphore::new(settings.calls_max as usize));
                tokio::spawn(sink.clone().accept_calls(connection.clone(), places, early));
                None
            }
        };
        Self {
            connection,
            _endpoint: endpoint,
            sink,
            arrivals,
            is_client,
            calls: Calls::default(),
            control: Output::new(send),
            unopened: VecDeque::new(),
            opening: None,
            unwritten: VecDeque::new(),
            queued_bytes: 0,
            partial: BytesMut::new(),
            has_opened: false,
            is_rejected: false,
            gathered: BytesMut::new(),
            control_ended: false,
            lost: None,
            farewell: None,
        }
    }

    /// Cuts off what is whole of what the machine has written, and brings it on its way.
    fn route_all(&mut self) {
        if !self.has_opened
            && let Some(opening) = frames::take_opening(&mut self.partial)
        {
            self.has_opened = true;
            self.send_control(opening);
        }
        while self.has_opened
            && let Some((header, frame)) = frames::take(&mut self.partial)
        {
            self.route(header, frame);
        }
    }

    fn send_control(&mut self, frame: Bytes) {
        self.queued_bytes = self.queued_bytes.saturating_add(frame.len());
        self.control.push(frame);
    }

    fn route(&mut self, header: FrameHeader, mut frame: BytesMut) {
        let id = header.id;
        if id == StreamId::CONNECTION {
            if header.kind == Some(FrameKind::GoAway) && !self.is_client {
                frames::set_last(&mut frame, self.calls.last_accepted());
            }
            return self.send_control(frame.freeze());
        }
        let key = match header.kind {
            Some(FrameKind::Open) => {
                let key = self.calls.open(id);
                self.unopened.push_back(key);
                Some(key)
            }
            _ => self.calls.key(id),
        };
        let call = key.and_then(|key| self.calls.get(key)).filter(|call| !call.is_over);
        let (Some(key), Some(call)) = (key, call) else {
            // The call is over, and the peer will not see it: what it would have booked and granted again is granted here (rule Q6).
            frames::grant_again(header, &mut self.gathered);
            return;
        };
        frames::set_id(&mut frame, StreamId::CONNECTION);
        self.queued_bytes = self.queued_bytes.saturating_add(frame.len());
        if call.output.is_empty() {
            self.unwritten.push_back(key);
        }
        call.output.push(frame.freeze());
        if header.kind == Some(FrameKind::Reset) || (!self.is_client && frames::is_last(header)) {
            self.calls.end(key);
        }
    }

    /// Opens streams and writes to them, as far as that goes now.
    fn poll_output(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        self.poll_open(cx)?;
        if let Poll::Ready(written) = self.control.poll_write(cx) {
            self.queued_bytes = self.queued_bytes.saturating_sub(written.map_err(broken)?);
        }
        for _ in 0..self.unwritten.len() {
            let Some(key) = self.unwritten.pop_front() else { break };
            let Some(call) = self.calls.get(key) else { continue };
            if let Poll::Ready(written) = call.output.poll_write(cx) {
                self.queued_bytes = self.queued_bytes.saturating_sub(written.map_err(broken)?);
            }
            if call.output.is_empty() {
                self.calls.settle(key);
            } else {
                self.unwritten.push_back(key);
            }
        }
        Ok(())
    }

    /// Opens the streams of calls, one after the other: the peer may not take more of them for a moment.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while let Some(key) = self.unopened.front().copied() {
            if self.opening.is_none() && self.calls.get(key).is_none() {
                self.unopened.pop_front();
                continue;
            }
            let connection = &self.connection;
            let opening = self.opening.get_or_insert_with(|| open_stream(connection));
            let Poll::Ready(opened) = opening.as_mut().poll(cx) else { return Ok(()) };
            self.opening = None;
            self.unopened.pop_front();
            let (send, recv) = opened.map_err(|error| broken(WriteError::ConnectionLost(error)))?;
            // None: the peer has said meanwhile that it takes no more calls.
            if let Some(call) = self.calls.get(key) {
                call.index = Some(send.id().index());
                call.output.send = Some(send);
                tokio::spawn(self.sink.clone().read_call(key, recv));
            }
        }
        Ok(())
    }

    /// Takes what has arrived; none where nothing has.
    fn poll_arrivals(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.gathered.len() < GATHERED_BYTES && self.lost.is_none() && !self.is_rejected {
            let arrived = self.arrivals.poll_recv(cx);
            let Poll::Ready(Some(arrival)) = arrived else {
                let has_gathered = !self.gathered.is_empty() || self.has_ended();
                return if has_gathered { Poll::Ready(()) } else { Poll::Pending };
            };
            self.take(arrival);
        }
        Poll::Ready(())
    }

    fn take(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Opening(opening) => self.gathered.extend_from_slice(&opening),
            Arrival::Control(frame) => self.take_control(frame),
            Arrival::ControlEnd => self.control_ended = true,
            Arrival::Lost(error) => self.lost = Some(error),
            Arrival::Handshake { accepted } => self.is_rejected = !accepted,
            Arrival::Call { key, send, first, place } => {
                let id = self.calls.accept(key, send, place);
                self.take_frame(key, id, first);
            }
            Arrival::Frame { key, frame } => {
                // None: a call that was refused by a GOAWAY.
                if let Some(id) = self.calls.get(key).map(|call| call.id) {
                    self.take_frame(key, id, frame);
                }
            }
            Arrival::End { key, reset } => self.take_end(key, reset),
        }
    }

    fn take_control(&mut self, mut frame: BytesMut) {
        let kind = frames::set_id(&mut frame, StreamId::CONNECTION).and_then(|header| header.kind);
        if kind == Some(FrameKind::GoAway)
            && let Some(index) = frames::last(&frame).filter(|_| self.is_client)
        {
            let (last, bytes) = self.calls.refuse_above(index);
            self.queued_bytes = self.queued_bytes.saturating_sub(bytes);
            frames::set_last(&mut frame, last.as_u64());
        }
        self.gathered.extend_from_slice(&frame);
    }

    fn take_frame(&mut self, key: u64, id: StreamId, mut frame: BytesMut) {
        let header = frames::set_id(&mut frame, id);
        self.gathered.extend_from_slice(&frame);
        let is_last = |header: FrameHeader| {
            header.kind == Some(FrameKind::Reset) || (self.is_client && frames::is_last(header))
        };
        if header.is_some_and(is_last) {
            self.calls.end(key);
        }
    }

    /// A stream that is reset ends its call, as RESET does; so does one of a callee that ends before its answer does (rule Q4).
    fn take_end(&mut self, key: u64, reset: Option<u64>) {
        let Some(call) = self.calls.get(key) else { return };
        call.has_ended = true;
        if !call.is_over && (reset.is_some() || self.is_client) {
            let code = reset.and_then(|code| u16::try_from(code).ok()).unwrap_or_default();
            frames::put_reset(call.id, ResetCode::from_u16(code), &mut self.gathered);
            self.calls.end(key);
        }
        self.calls.settle(key);
    }

    /// Tells whether nothing comes any more.
    fn has_ended(&self) -> bool {
        self.lost.is_some() || self.is_rejected || (self.control_ended && self.calls.is_empty())
    }
}

fn broken(error: WriteError) -> io::Error {
    match error {
        WriteError::ConnectionLost(error) => io::Error::new(io::ErrorKind::ConnectionAborted, words(&error)),
        other => other.into(),
    }
}

impl Drop for Mux {
    fn drop(&mut self) {
        // The tasks that read its streams hold the connection too.
        self.connection.close(VarInt::from_u32(0), b"");
    }
}
