//! A byte stream in the binary messages of a WebSocket.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};
use futures_core::Stream;
use futures_sink::Sink;
use rpc_core::deadline_after;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::clock::now;
use crate::link::ByteStream;

/// The longest message and frame that is taken: its length is looked at before memory is taken for it.
const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// The longest message that is sent.
const SENT_BYTES_MAX: usize = 64 << 10;
const BUFFER_BYTES: usize = 16 << 10;
/// What a message that holds nothing has to be apart from the next, in the long run.
const EMPTY_INTERVAL: Duration = Duration::from_millis(100);
/// A hundred may come at once.
const EMPTY_AHEAD: Duration = Duration::from_secs(10);

/// Reads and writes bytes; where one message ends and the next begins has no meaning (rule W3).
pub(super) struct WsStream {
    socket: WebSocketStream<Box<dyn ByteStream>>,
    /// What is left of the message that was read last.
    rest: Bytes,
    is_ended: bool,
    /// What the messages that held nothing have used up (rule W7).
    empty_until: Instant,
}

impl WsStream {
    /// Goes on after the handshake; `part` was read with its end.
    pub(super) async fn new(stream: Box<dyn ByteStream>, part: Vec<u8>, role: Role) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(SENT_BYTES_MAX)
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let socket = WebSocketStream::from_partially_read(stream, part, role, Some(config)).await;
        Self { socket, rest: Bytes::new(), is_ended: false, empty_until: now() }
    }

    /// Reads the next message that holds bytes; none at the end.
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        loop {
            match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
                Some(Ok(Message::Binary(bytes))) if !bytes.is_empty() => return Poll::Ready(Ok(Some(bytes))),
                Some(Ok(Message::Text(_))) => return Poll::Ready(Err(self.refuse_text(cx))),
                // A ping is answered by the library, with the next read or write.
                Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {
                    if !self.affords_empty(now()) {
                        return Poll::Ready(Err(self.refuse_empty(cx)));
                    }
                }
                Some(Ok(Message::Close(_))) | None => return Poll::Ready(Ok(None)),
                Some(Err(error)) => return Poll::Ready(end_or_error(error).map(|()| None)),
            }
        }
    }

    /// Books a message that holds nothing. Each ping is answered, and who does not read the answers would have them gathered here.
    fn affords_empty(&mut self, now: Instant) -> bool {
        let until = deadline_after(self.empty_until.max(now), EMPTY_INTERVAL);
        let affords = until <= deadline_after(now, EMPTY_AHEAD);
        if affords {
            self.empty_until = until;
        }
        affords
    }

    fn refuse_text(&mut self, cx: &mut Context<'_>) -> io::Error {
        self.refuse(CloseCode::Unsupported, "farcall is sent in binary messages, not in text", cx)
    }

    fn refuse_empty(&mut self, cx: &mut Context<'_>) -> io::Error {
        self.refuse(CloseCode::Policy, "pings and empty messages came more often than 10 a second", cx)
    }

    /// Tells the peer, as far as it listens.
    fn refuse(&mut self, code: CloseCode, why: &'static str, cx: &mut Context<'_>) -> io::Error {
        let farewell = CloseFrame { code, reason: why.into() };
        if Pin::new(&mut self.socket).start_send(Message::Close(Some(farewell))).is_ok() {
            let _ = Pin::new(&mut self.socket).poll_flush(cx);
        }
        io::Error::new(io::ErrorKind::InvalidData, why)
    }

    /// Sends a message, once there is room for it.
    fn send(&mut self, bytes: Bytes) -> io::Result<usize> {
        let sent = bytes.len();
        Pin::new(&mut self.socket).start_send(Message::Binary(bytes)).map_err(into_io)?;
        Ok(sent)
    }
}

/// A link that ends without a closing handshake ends all the same, as one over TCP does.
fn end_or_error(error: Error) -> io::Result<()> {
    use tokio_tungstenite::tungstenite::error::ProtocolError;
    match error {
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Ok(()),
        other => Err(into_io(other)),
    }
}

fn into_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed | Error::AlreadyClosed => {
            io::Error::new(io::ErrorKind::BrokenPipe, "the peer has closed the WebSocket")
        }
        Error::Capacity(_) => io::Error::new(
            io::ErrorKind::InvalidData,
            format!("a WebSocket message is longer than {MESSAGE_BYTES_MAX} bytes: send shorter ones"),
        ),
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    }
}

impl AsyncRead for WsStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.rest.is_empty() && !self.is_ended {
            match ready!(self.poll_message(cx)) {
                Ok(Some(bytes)) => self.rest = bytes,
                Ok(None) => self.is_ended = true,
                Err(error) => {
                    self.is_ended = true;
                    return Poll::Ready(Err(error));
                }
            }
        }
        let bytes = self.rest.len().min(buf.remaining());
        buf.put_slice(&self.rest.split_to(bytes));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for WsStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.socket).poll_ready(cx)).map_err(into_io)?;
        let bytes = bytes.get(..SENT_BYTES_MAX).unwrap_or(bytes);
        Poll::Ready(self.send(Bytes::copy_from_slice(bytes)))
    }

    /// One message for all parts that fit: each costs a header and, from a client, a mask.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.socket).poll_ready(cx)).map_err(into_io)?;
        let total = parts.iter().fold(0_usize, |sum, part| sum.saturating_add(part.len()));
        let mut message = BytesMut::with_capacity(total.min(SENT_BYTES_MAX));
        for mut part in parts.iter().map(|part| &**part) {
            let room = SENT_BYTES_MAX.saturating_sub(message.len());
            message.extend_from_slice(&part.copy_to_bytes(part.len().min(room)));
        }
        Poll::Ready(self.send(message.freeze()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx).map_err(into_io)
    }

    /// Says the closing handshake; what the peer still sends can be read until it has said it too.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_close(cx).map(|closed| closed.or_else(end_or_error))
    }
}
