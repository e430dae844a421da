//! The calls of a QUIC connection, each with its stream, and what waits to be written to it.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use quinn::{SendStream, WriteError};
use rpc_core::wire::StreamId;
use tokio::sync::OwnedSemaphorePermit;

/// A call, from its first frame until both sides have said their last.
pub(super) struct Call {
    /// What the machine of this side knows it by.
    pub(super) id: StreamId,
    /// The number of its stream; none while that is not open.
    pub(super) index: Option<u64>,
    pub(super) output: Output,
    /// The machine of this side sends no more in it.
    pub(super) is_over: bool,
    /// The peer sends no more in it.
    pub(super) has_ended: bool,
    /// Among those that are answered at one time.
    place: Option<OwnedSemaphorePermit>,
}

/// What waits to be written to a stream.
#[derive(Default)]
pub(super) struct Output {
    pub(super) send: Option<SendStream>,
    frames: VecDeque<Bytes>,
    is_finished: bool,
}

impl Output {
    pub(super) fn new(send: SendStream) -> Self {
        Self { send: Some(send), ..Self::default() }
    }

    pub(super) fn push(&mut self, frame: Bytes) {
        self.frames.push_back(frame);
    }

    /// Writes what the stream takes, and tells how many bytes that were; a peer that wants none of it is sent none.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, WriteError>> {
        let mut written = 0_usize;
        while let (Some(send), Some(frame)) = (&mut self.send, self.frames.front_mut()) {
            match Pin::new(send).poll_write(cx, frame) {
                Poll::Ready(Ok(bytes)) => {
                    written = written.saturating_add(bytes);
                    frame.advance(bytes);
                    if frame.is_empty() {
                        self.frames.pop_front();
                    }
                }
                // Nothing is taken: that is said by who watches the handshake.
                Poll::Ready(Err(WriteError::ZeroRttRejected)) => self.send = None,
                Poll::Ready(Err(WriteError::Stopped(_) | WriteError::ClosedStream)) => {
                    written = written.saturating_add(self.clear());
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if written == 0 => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        Poll::Ready(Ok(written))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Forgets what waits, and tells how many bytes that was.
    fn clear(&mut self) -> usize {
        self.frames.drain(..).fold(0, |sum, frame| sum.saturating_add(frame.len()))
    }

    /// Says that no more comes.
    pub(super) fn finish(&mut self) {
        if let Some(send) = self.send.as_mut().filter(|_| !self.is_finished) {
            self.is_finished = true;
            // It fails where the peer wants no more of it anyway.
            let _ = send.finish();
        }
    }
}

/// All calls of a connection, by a key of this side's: the id of a call that it opened, the stream's number of one that it accepted.
#[derive(Default)]
pub(super) struct Calls {
    calls: HashMap<u64, Call>,
    keys: HashMap<StreamId, u64>,
    /// Of the last id that was given to a call of the peer's.
    sequence: u64,
    /// The highest number of a stream with such a call.
    last_accepted: u64,
    free_slots: Vec<u16>,
    slots: u16,
}

impl Calls {
    /// Notes a call that this side opens; its stream is still to be opened.
    pub(super) fn open(&mut self, id: StreamId) -> u64 {
        let key = id.as_u64();
        self.insert(key, id, None, Output::default(), None);
        key
    }

    /// Notes a call that the peer has opened, under an id of this side's: ids rise in the order in which calls arrive here, whatever
    /// the order in which they were opened.
    pub(super) fn accept(&mut self, key: u64, send: SendStream, place: OwnedSemaphorePermit) -> StreamId {
        let slot = self.free_slots.pop().unwrap_or_else(|| {
            // There are fewer places than slots.
            let slot = self.slots;
            self.slots = slot.saturating_add(1);
            slot
        });
        self.sequence = self.sequence.saturating_add(1);
        self.last_accepted = self.last_accepted.max(key);
        let id = StreamId::new(self.sequence, slot, false);
        self.insert(key, id, Some(key), Output::new(send), Some(place));
        id
    }

    fn insert(
        &mut self,
        key: u64,
        id: StreamId,
        index: Option<u64>,
        output: Output,
        place: Option<OwnedSemaphorePermit>,
    ) {
        self.keys.insert(id, key);
        self.calls.insert(key, Call { id, index, output, is_over: false, has_ended: false, place });
    }

    pub(super) fn key(&self, id: StreamId) -> Option<u64> {
        self.keys.get(&id).copied()
    }

    pub(super) fn get(&mut self, key: u64) -> Option<&mut Call> {
        self.calls.get_mut(&key)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Call> {
        self.calls.values_mut()
    }

    /// Notes that a call is over for the machine of this side; its place is free.
    pub(super) fn end(&mut self, key: u64) {
        if let Some(call) = self.calls.get_mut(&key) {
            call.is_over = true;
            if call.place.take().is_some() {
                self.free_slots.push(call.id.slot());
            }
        }
        self.settle(key);
    }

    /// Says this side's last in a call that is over, and forgets it once the peer has said its last too.
    pub(super) fn settle(&mut self, key: u64) {
        let Some(call) = self.calls.get_mut(&key).filter(|call| call.is_over && call.output.is_empty())
        else {
            return;
        };
        call.output.finish();
        if call.has_ended {
            let id = call.id;
            self.calls.remove(&key);
            self.keys.remove(&id);
        }
    }

    /// Forgets the calls whose streams have a higher number. Gives the last of the others, which may be none, and how many bytes waited for
    /// those that are forgotten.
    pub(super) fn refuse_above(&mut self, index: u64) -> (StreamId, usize) {
        let (keys, mut bytes) = (&mut self.keys, 0_usize);
        self.calls.retain(|_, call| {
            let was_read = call.index.is_some_and(|own| own <= index);
            if !was_read {
                keys.remove(&call.id);
                bytes = bytes.saturating_add(call.output.clear());
            }
            was_read
        });
        (self.calls.values().map(|call| call.id).max().unwrap_or(StreamId::CONNECTION), bytes)
    }

    /// Returns the number of the last stream whose call the machine of this side has read.
    pub(super) fn last_accepted(&self) -> u64 {
        self.last_accepted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves rule Q7, at the client.
    #[test]
    fn calls_above_the_last_that_was_read_are_forgotten() {
        let mut calls = Calls::default();
        let ids: Vec<_> = (1..=4).map(|sequence| StreamId::new(sequence, 0, false)).collect();
        for (id, index) in ids.iter().zip([Some(1), Some(2), Some(3), None]) {
            let key = calls.open(*id);
            let call = calls.get(key).unwrap();
            call.index = index;
            call.output.push(Bytes::from_static(b"waits"));
        }
        assert_eq!(calls.refuse_above(2), (ids[1], 10));
        assert!(calls.key(ids[1]).is_some() && calls.key(ids[2]).is_none() && calls.key(ids[3]).is_none());
        assert_eq!(calls.refuse_above(0), (StreamId::CONNECTION, 10));
        assert!(calls.is_empty());
    }
}
