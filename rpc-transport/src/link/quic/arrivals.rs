//! What the peer sends on the streams of a QUIC connection, cut into whole frames: one task a stream, so that none waits for another.

use std::sync::Arc;

use bytes::BytesMut;
use quinn::{Connection, ConnectionError, ReadError, RecvStream, SendStream};
use rpc_core::wire::{FrameHeader, HEADER_BYTES, MAGIC};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::early::EarlyCalls;
use super::frames::is_skipped;

/// So many frames wait to be taken before streams are read no further.
const ARRIVALS_MAX: usize = 64;
/// A longer opening is refused by the machine.
const OPENING_BYTES_MAX: usize = 12 + 4096;
/// How much is read of a stream at once.
const READ_BYTES_MAX: usize = 64 << 10;

/// What arrived on one of the streams.
pub(super) enum Arrival {
    /// The peer's opening, or what it has said in its place.
    Opening(BytesMut),
    /// A frame that concerns the connection.
    Control(BytesMut),
    /// The peer sends no more that concerns the connection.
    ControlEnd,
    /// The first frame of a call's stream, and the place that the call takes.
    Call { key: u64, send: SendStream, first: BytesMut, place: OwnedSemaphorePermit },
    /// A further frame of a call.
    Frame { key: u64, frame: BytesMut },
    /// The peer sends no more in a call; with a code, it has given it up.
    End { key: u64, reset: Option<u64> },
    /// The handshake of a connection is done on which calls were sent before, which the server has taken or not.
    Handshake { accepted: bool },
    /// The connection has ended.
    Lost(ConnectionError),
}

/// Where arrivals are gathered.
#[derive(Clone)]
pub(super) struct Sink {
    arrivals: mpsc::Sender<Arrival>,
    /// Longer frames are refused by their header.
    frame_bytes_max: u32,
    /// The peer's opening is among the arrivals; nobody says so any more once its stream has ended.
    has_opened: watch::Receiver<bool>,
}

impl Sink {
    /// Makes one for the connection whose first stream this is, and reads that.
    pub(super) fn new(frame_bytes_max: u32, control: RecvStream) -> (Self, mpsc::Receiver<Arrival>) {
        let (arrivals, taken) = mpsc::channel(ARRIVALS_MAX);
        let (opened, has_opened) = watch::channel(false);
        let sink = Self { arrivals, frame_bytes_max, has_opened };
        tokio::spawn(sink.clone().read_control(control, opened));
        (sink, taken)
    }

    /// Waits until the peer's opening is among the arrivals, which must come before any frame: streams overtake each other.
    async fn opening_is_here(&mut self) -> bool {
        self.has_opened.wait_for(|has_opened| *has_opened).await.is_ok()
    }

    /// Adds an arrival, where somebody still takes them.
    pub(super) async fn send(&self, arrival: Arrival) {
        let _ = self.arrivals.send(arrival).await;
    }

    /// Reads the stream that concerns the connection: the opening, then frames.
    async fn read_control(self, recv: RecvStream, opened: watch::Sender<bool>) {
        let mut frames = Frames::new(recv, self.frame_bytes_max);
        let Ok(opening) = frames.opening().await else { return };
        let mut is_taken = self.arrivals.send(Arrival::Opening(opening)).await.is_ok();
        opened.send_replace(true);
        while is_taken {
            let arrival = match frames.next().await {
                Ok(Some(frame)) => Arrival::Control(frame),
                // That it was lost, or that nothing of it was taken, is said by who watches the connection.
                Err(ReadError::ConnectionLost(_) | ReadError::ZeroRttRejected) => return,
                Ok(None) | Err(_) => return self.send(Arrival::ControlEnd).await,
            };
            is_taken = self.arrivals.send(arrival).await.is_ok();
        }
    }

    /// Reads what the callee sends in a call, once it has opened: that may come later (rule Q10).
    pub(super) async fn read_call(mut self, key: u64, recv: RecvStream) {
        if !self.opening_is_here().await {
            return;
        }
        let frames = Frames::new(recv, self.frame_bytes_max);
        self.read_rest(key, frames).await;
    }

    async fn read_rest(self, key: u64, mut frames: Frames) {
        loop {
            let arrival = match frames.next().await {
                Ok(Some(frame)) => Arrival::Frame { key, frame },
                Ok(None) => Arrival::End { key, reset: None },
                Err(ReadError::ConnectionLost(_) | ReadError::ZeroRttRejected) => return,
                Err(ReadError::Reset(code)) => Arrival::End { key, reset: Some(code.into_inner()) },
                Err(_) => Arrival::End { key, reset: Some(0) },
            };
            let is_end = matches!(arrival, Arrival::End { .. });
            if self.arrivals.send(arrival).await.is_err() || is_end {
                return;
            }
        }
    }

    /// Takes the streams of calls that the peer opens. One that has no place waits for it unread: a call that was cancelled may still hold its
    /// place here when the next one in it arrives, since streams overtake each other (rule Q5).
    pub(super) async fn accept_calls(
        self,
        connection: Connection,
        places: Arc<Semaphore>,
        early: Option<EarlyCalls>,
    ) {
        while let Ok((send, recv)) = connection.accept_bi().await {
            // Whether a stream came early is not asked of quinn: of a connection that is closed meanwhile it says that none did.
            let (mut sink, places, early) = (self.clone(), places.clone(), early.clone());
            let key = recv.id().index();
            tokio::spawn(async move {
                let mut frames = Frames::new(recv, sink.frame_bytes_max);
                let Ok(place) = places.acquire_owned().await else { return };
                // One without a frame was no call, and what is skipped opens none: it would keep its place for ever.
                let first = loop {
                    match frames.next().await {
                        Ok(Some(frame)) if is_skipped(&frame) => {}
                        Ok(Some(first)) => break first,
                        Ok(None) | Err(_) => return,
                    }
                };
                if let Some(mut early) = early
                    && !early.may_run(&first).await
                {
                    return;
                }
                if sink.opening_is_here().await
                    && sink.arrivals.send(Arrival::Call { key, send, first, place }).await.is_ok()
                {
                    sink.read_rest(key, frames).await;
                }
            });
        }
    }

    /// Waits for the end of the connection.
    pub(super) async fn watch(self, connection: Connection) {
        let error = connection.closed().await;
        self.send(Arrival::Lost(error)).await;
    }
}

/// Cuts what a stream carries into frames.
struct Frames {
    recv: RecvStream,
    read: BytesMut,
    frame_bytes_max: u32,
}

impl Frames {
    fn new(recv: RecvStream, frame_bytes_max: u32) -> Self {
        Self { recv, read: BytesMut::new(), frame_bytes_max }
    }

    /// Reads the next frame that is whole; none at the end. Of one that is too long only the header is given, which the machine refuses.
    ///
    /// # Cancel safety
    /// It can be dropped at any time; nothing is lost.
    async fn next(&mut self) -> Result<Option<BytesMut>, ReadError> {
        loop {
            if let Some(raw) = self.read.first_chunk::<HEADER_BYTES>() {
                let bytes = FrameHeader::parse(raw).bytes;
                if bytes > self.frame_bytes_max {
                    return Ok(Some(self.read.split_to(HEADER_BYTES)));
                }
                let whole = HEADER_BYTES.saturating_add(bytes as usize);
                if self.read.len() >= whole {
                    return Ok(Some(self.read.split_to(whole)));
                }
                self.read.reserve(whole.saturating_sub(self.read.len()));
            }
            if !self.more().await? {
                return Ok(None);
            }
        }
    }

    async fn more(&mut self) -> Result<bool, ReadError> {
        let chunk = self.recv.read_chunk(READ_BYTES_MAX, true).await?;
        if let Some(chunk) = &chunk {
            self.read.extend_from_slice(&chunk.bytes);
        }
        Ok(chunk.is_some())
    }

    /// Reads the opening: its length stands in its bytes 10 and 11 (rule H1). What is none is given as far as it has come.
    async fn opening(&mut self) -> Result<BytesMut, ReadError> {
        const FIXED_BYTES: usize = 12;
        loop {
            let is_ours = self.read.iter().zip(&MAGIC).all(|(read, ours)| read == ours);
            let fixed = self.read.first_chunk::<FIXED_BYTES>().filter(|_| is_ours);
            let length = fixed.map(|[.., low, high]| u16::from_le_bytes([*low, *high]));
            let whole = length.map(|length| FIXED_BYTES.saturating_add(length.into()));
            let is_enough = match whole {
                // One that is too long is refused before it has come (rule H6).
                Some(whole) => self.read.len() >= whole || whole > OPENING_BYTES_MAX,
                None => !is_ours,
            };
            if is_enough || !self.more().await? {
                let bytes = whole.unwrap_or(OPENING_BYTES_MAX).min(self.read.len());
                return Ok(self.read.split_to(bytes));
            }
        }
    }
}
