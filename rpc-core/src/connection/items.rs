//! Streams of items, in either direction.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use super::allowed::check;
use super::calls::set_waker;
use super::credit::frame_cost;
use super::stream::{Outgoing, Stream};
use super::transmit::TOTAL_BYTES;
use super::{Connection, StreamId, gone};
use crate::wire::Flags;
use crate::{Error, Fate, ItemBatch};

impl Connection {
    /// Waits for items of the peer and moves all that are here to `out`; taking them grants the peer more.
    ///
    /// Gives true while there may be more, false after the last.
    ///
    /// # Errors
    /// The call failed; it is over then.
    pub fn poll_items(
        &mut self,
        id: StreamId,
        cx: &mut Context<'_>,
        out: &mut VecDeque<ItemBatch>,
    ) -> Poll<Result<bool, Error>> {
        let Some(stream) = self.stream(id) else { return Poll::Ready(Err(gone(id))) };
        let inflow = &mut stream.inflow;
        if !inflow.items.is_empty() {
            self.unhold(id, out);
            return Poll::Ready(Ok(true));
        }
        let is_over = match inflow.outcome.take() {
            Some(Err(error)) => {
                self.remove(id);
                return Poll::Ready(Err(error));
            }
            Some(Ok(())) => true,
            None => false,
        };
        if is_over {
            self.remove(id);
            return Poll::Ready(Ok(false));
        }
        if inflow.ended {
            return Poll::Ready(Ok(false));
        }
        set_waker(&mut inflow.waker, cx);
        Poll::Pending
    }

    /// Takes items to be sent out of `batches`, as many as can be; ready once all of them are on their way.
    ///
    /// The waker is kept in any case: it is woken too when the call ends from the other side.
    ///
    /// # Errors
    /// The call is over, so nothing more can be sent in it.
    pub fn poll_send_items(
        &mut self,
        id: StreamId,
        cx: &mut Context<'_>,
        batches: &mut VecDeque<ItemBatch>,
    ) -> Poll<Result<(), Error>> {
        while let Some(batch) = batches.front_mut() {
            let Some(stream) = self.sending(id) else { return Poll::Ready(Err(gone(id))) };
            if !stream.outflow.queue.is_empty() {
                break;
            }
            if let Err(error) = self.send_some(id, batch) {
                return Poll::Ready(Err(error.with_fate(Fate::Failed)));
            }
            if batch.is_empty() {
                batches.pop_front();
            }
        }
        let Some(stream) = self.sending(id) else { return Poll::Ready(Err(gone(id))) };
        set_waker(&mut stream.outflow.waker, cx);
        if batches.is_empty() && stream.outflow.queue.is_empty() {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }

    /// Sends as many items as fit into one frame; what cannot be sent at once, or not in one frame, is queued alone.
    fn send_some(&mut self, id: StreamId, batch: &mut ItemBatch) -> Result<(), Error> {
        let bytes_max = self.peer_message_bytes();
        let room = self.sendable_bytes(id);
        if let Some(items) = room.and_then(|room| batch.split(room, bytes_max as usize)) {
            self.spend_credit(id, items.len());
            self.send_data(id, Flags::ITEMS, None, &items);
            return Ok(());
        }
        check(batch.next_bytes(), bytes_max, "stream item")?;
        let Some(item) = batch.next() else { return Ok(()) };
        if room.is_some_and(|room| item.len() <= room) {
            self.spend_credit(id, item.len());
            self.send_data(id, Flags::NONE, None, &item);
        } else {
            self.enqueue(id, Outgoing { rest: item, started: false, last: false });
        }
        Ok(())
    }

    /// Tells how long the content of a DATA frame may be that is sent at once; none where not even an empty one may be sent.
    fn sendable_bytes(&mut self, id: StreamId) -> Option<usize> {
        if !self.has_gathered_little() {
            return None;
        }
        let (granted_out, part_bytes) = (self.granted_out, self.part_bytes(TOTAL_BYTES));
        let granted = self.stream(id)?.outflow.granted.min(granted_out);
        let paid = granted.checked_sub(frame_cost(0))?;
        Some(usize::try_from(paid).unwrap_or(usize::MAX).min(part_bytes))
    }

    /// Finds a call in which items can still be sent.
    fn sending(&mut self, id: StreamId) -> Option<&mut Stream> {
        self.stream(id).filter(|stream| stream.inflow.outcome.is_none() && !stream.outflow.ended)
    }

    fn peer_message_bytes(&self) -> u32 {
        self.peer.as_ref().map_or(0, |peer| peer.settings.message_bytes_max)
    }
}
