//! The first frame of a message that opens or answers a call.

use bytes::Bytes;

use super::stream::Outgoing;
use super::{Connection, FrameHeader};
use crate::body::joined;
use crate::wire::{Flags, put_length};

/// What an OPEN frame holds at most beside metadata and message.
const HEAD_BYTES: usize = 32;

impl Connection {
    /// Sends the first frame of a message that opens or answers a call, and queues the rest of a large one.
    pub(super) fn send_head(
        &mut self,
        header: FrameHeader,
        metadata_bytes: usize,
        (message, more): (&Bytes, &[Bytes]),
        last: bool,
        head: impl FnOnce(&mut bytes::BytesMut),
    ) {
        let total = length(message, more);
        let first = self.first_part(total, HEAD_BYTES.saturating_add(metadata_bytes));
        let is_whole = first == total;
        let mut cut = (!is_whole).then(|| joined(std::iter::once(message).chain(more)));
        let rest = cut.as_mut().map(|message| message.split_off(first));
        let (message, more) = cut.as_ref().map_or((message, more), |first| (first, &[]));
        if last && let Some(stream) = self.stream(header.id) {
            stream.outflow.ended = true;
        }
        let flags = header.flags.with_if(Flags::MORE, !is_whole).with_if(Flags::END, is_whole && last);
        self.outbox.frame(
            header.with_flags(flags),
            |out| {
                head(out);
                if !is_whole {
                    put_length(out, total);
                }
            },
            message,
            more,
        );
        self.wake_writer();
        if let Some(rest) = rest {
            self.enqueue(header.id, Outgoing { rest, started: true, last });
        } else if last {
            self.sent_last(header.id);
        }
    }

    /// How much of a message goes into its first frame, beside so many bytes: all of it where the link takes that, and what is before it, in a
    /// moment (rule C11).
    fn first_part(&self, total: usize, head_bytes: usize) -> usize {
        if self.sends_whole(total, head_bytes) { total } else { total.min(self.part_bytes(head_bytes)) }
    }

    /// Tells whether a message of this length would go whole now, beside so many bytes: one in parts that does not is put together first,
    /// best without a lock.
    pub fn sends_whole(&self, total: usize, head_bytes: usize) -> bool {
        let room = self.peer_frame_bytes().saturating_sub(head_bytes);
        let piece = self.pace.piece_bytes();
        total <= room.min(piece) && self.outbox.len().saturating_add(total) <= piece.saturating_mul(2)
    }

    /// The longest part of a message that goes into one frame beside so many bytes.
    pub(super) fn part_bytes(&self, head_bytes: usize) -> usize {
        let room = self.peer_frame_bytes().saturating_sub(head_bytes);
        (self.config.chunk_bytes as usize).min(room).max(1)
    }

    pub(super) fn peer_frame_bytes(&self) -> usize {
        self.peer.as_ref().map_or(0, |peer| peer.settings.frame_bytes_max as usize)
    }
}

/// How long a message is that comes in parts.
pub(super) fn length(first: &Bytes, rest: &[Bytes]) -> usize {
    rest.iter().fold(first.len(), |length, part| length.saturating_add(part.len()))
}
