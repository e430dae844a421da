//! What waits to be written: small frames gathered in one buffer, large bodies beside it as they are.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "what is unsent is in memory and what was ever sent is a u64; no more is taken off than there is"
)]

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::wire::{FrameHeader, HEADER_BYTES};

/// A body from this length on is not copied but written from where it is.
const SEGMENT_BYTES_MIN: usize = 4 * 1024;

/// Memory for small frames beyond this is given back once they are written.
const TAIL_BYTES_KEPT: usize = 256 * 1024;

/// Bytes on their way to the link, in order.
///
/// The writer keeps one and swaps it with the connection's, so that the memory of both is used again.
#[derive(Debug, Default)]
pub struct Transmit {
    segments: VecDeque<Bytes>,
    tail: BytesMut,
    // How much of the segments is left; the tail knows its own length.
    segment_bytes: usize,
}

impl Transmit {
    /// Creates one that is empty and takes no memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts what `later` holds behind what is here.
    fn append(&mut self, later: Self) {
        self.seal_tail();
        self.segments.extend(later.segments);
        self.segment_bytes += later.segment_bytes;
        self.tail = later.tail;
    }

    fn seal_tail(&mut self) {
        if !self.tail.is_empty() {
            self.segment_bytes += self.tail.len();
            self.segments.push_back(self.tail.split().freeze());
        }
    }

    fn push(&mut self, body: &Bytes) {
        if body.len() < SEGMENT_BYTES_MIN {
            return self.tail.put_slice(body);
        }
        self.seal_tail();
        self.segment_bytes += body.len();
        self.segments.push_back(body.clone());
    }
}

impl Buf for Transmit {
    fn remaining(&self) -> usize {
        self.segment_bytes + self.tail.len()
    }

    fn chunk(&self) -> &[u8] {
        self.segments.front().map_or(&self.tail, |segment| segment)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let tail = (!self.tail.is_empty()).then_some(&*self.tail);
        let parts = self.segments.iter().map(|segment| &**segment).chain(tail);
        slices.iter_mut().zip(parts).map(|(slice, part)| *slice = IoSlice::new(part)).count()
    }

    fn advance(&mut self, mut count: usize) {
        while let Some(front) = self.segments.front_mut() {
            let step = count.min(front.len());
            front.advance(step);
            self.segment_bytes -= step;
            count -= step;
            if !front.is_empty() {
                return;
            }
            self.segments.pop_front();
        }
        if count == self.tail.len() && self.tail.capacity() > TAIL_BYTES_KEPT {
            self.tail = BytesMut::new();
        } else if count == self.tail.len() {
            // Not `advance`: clearing keeps the memory in front of the cursor.
            self.tail.clear();
        } else {
            self.tail.advance(count);
        }
    }
}

/// The connection's side of [`Transmit`]: it appends frames, and knows which of them the writer has taken.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pending: Transmit,
    /// What waits behind `pending` until the peer is known to live.
    held: Option<Transmit>,
    /// What will not be written. It may hold bytes of users, whose code is not to run where this is.
    discarded: Vec<Transmit>,
    taken_bytes: u64,
}

impl Outbox {
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tells whether there is something for the writer.
    pub(super) fn can_be_taken(&self) -> bool {
        self.pending.has_remaining()
    }

    pub(super) fn len(&self) -> usize {
        self.pending.remaining() + self.held.as_ref().map_or(0, Transmit::remaining)
    }

    /// How much the writer has taken so far.
    pub(super) fn taken_bytes(&self) -> u64 {
        self.taken_bytes
    }

    /// Where the next byte will stand in all that is ever sent.
    pub(super) fn position(&self) -> u64 {
        self.taken_bytes + self.len() as u64
    }

    /// Where that stands which is held back.
    pub(super) fn pending_until(&self) -> u64 {
        self.taken_bytes + self.pending.remaining() as u64
    }

    pub(super) fn raw(&mut self, write: impl FnOnce(&mut BytesMut)) {
        write(&mut self.pending.tail);
    }

    /// Appends a frame that ends with `body` and `more`; its length is filled in.
    #[expect(
        clippy::expect_used,
        clippy::indexing_slicing,
        reason = "the tail only grows, by a header first; all content is cut to a peer's frame, of 16 MiB at most"
    )]
    pub(super) fn frame(
        &mut self,
        header: FrameHeader,
        head: impl FnOnce(&mut BytesMut),
        body: &Bytes,
        more: &[Bytes],
    ) {
        let out = self.held.as_mut().unwrap_or(&mut self.pending);
        let tail = &mut out.tail;
        let start = tail.len();
        tail.put_slice(&header.to_bytes());
        head(tail);
        let more_bytes: usize = more.iter().map(Bytes::len).sum();
        let bytes = tail.len() - start - HEADER_BYTES + body.len() + more_bytes;
        let bytes = u32::try_from(bytes).expect("a frame is cut to far below 4 GiB");
        tail[start..start + 4].copy_from_slice(&bytes.to_le_bytes());
        out.push(body);
        more.iter().for_each(|part| out.push(part));
    }

    /// Appends a frame whose content is small.
    pub(super) fn control(&mut self, header: FrameHeader, content: &[u8]) {
        self.frame(header, |out| out.put_slice(content), &Bytes::new(), &[]);
    }

    /// Holds back all further frames.
    pub(super) fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Lets the frames go that were held back; tells whether there were any.
    pub(super) fn release(&mut self) -> bool {
        let held = self.held.take();
        let was_holding = held.is_some();
        if let Some(held) = held {
            self.pending.append(held);
        }
        was_holding
    }

    /// Drops the frames that were held back.
    pub(super) fn drop_held(&mut self) {
        self.discarded.extend(self.held.take());
    }

    /// Drops what the writer has not taken.
    pub(super) fn clear(&mut self) {
        self.drop_held();
        self.discarded.push(std::mem::take(&mut self.pending));
    }

    pub(super) fn has_discarded(&self) -> bool {
        !self.discarded.is_empty()
    }

    /// Takes what will not be written.
    pub(super) fn take_discarded(&mut self) -> Vec<Transmit> {
        std::mem::take(&mut self.discarded)
    }

    /// Gives the writer all there is, for an empty one in exchange.
    pub(super) fn take(&mut self, empty: &mut Transmit) {
        debug_assert!(!empty.has_remaining(), "what the writer holds comes before what is pending");
        self.taken_bytes += self.pending.remaining() as u64;
        std::mem::swap(&mut self.pending, empty);
    }
}
