//! Streams of items, in either direction.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::calls::{check, set_waker};
use super::stream::{Outgoing, Stream};
use super::transmit::TOTAL_BYTES;
use super::{Connection, StreamId, gone};
use crate::wire::Flags;
use crate::{Error, Fate};

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
        out: &mut VecDeque<Bytes>,
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

    /// Takes items to be sent out of `items`, as many as can be; ready once all of them are on their way.
    ///
    /// The waker is kept in any case: it is woken too when the call ends from the other side.
    ///
    /// # Errors
    /// The call is over, so nothing more can be sent in it.
    pub fn poll_send_items(
        &mut self,
        id: StreamId,
        cx: &mut Context<'_>,
        items: &mut VecDeque<Bytes>,
    ) -> Poll<Result<(), Error>> {
        while let Some(item) = items.front() {
            let size = check(item.len(), self.peer_message_bytes(), "stream item");
            let Some(stream) = self.sending(id) else { return Poll::Ready(Err(gone(id))) };
            if let Err(error) = size {
                return Poll::Ready(Err(error.with_fate(Fate::Failed)));
            }
            if !stream.outflow.queue.is_empty() {
                break;
            }
            let Some(item) = items.pop_front() else { break };
            if let Some(rest) = self.send_at_once(id, item) {
                self.enqueue(id, Outgoing { rest, started: false, last: false });
            }
        }
        let Some(stream) = self.sending(id) else { return Poll::Ready(Err(gone(id))) };
        set_waker(&mut stream.outflow.waker, cx);
        if items.is_empty() && stream.outflow.queue.is_empty() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// Finds a call in which items can still be sent.
    fn sending(&mut self, id: StreamId) -> Option<&mut Stream> {
        self.stream(id).filter(|stream| stream.inflow.outcome.is_none() && !stream.outflow.ended)
    }

    fn peer_message_bytes(&self) -> u32 {
        self.peer.as_ref().map_or(0, |peer| peer.settings.message_bytes_max)
    }

    /// Sends an item that fits into one frame for which there is credit and room; gives back one that does not.
    fn send_at_once(&mut self, id: StreamId, item: Bytes) -> Option<Bytes> {
        let fits = item.len() <= self.part_bytes(TOTAL_BYTES) && self.has_gathered_little();
        if !fits || !self.spend_credit(id, item.len()) {
            return Some(item);
        }
        self.send_data(id, Flags::NONE, None, item);
        None
    }
}
