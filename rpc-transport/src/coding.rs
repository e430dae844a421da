//! How the messages of a connection are encoded: in which codecs they come, and how they are compressed.
//!
//! Messages are compressed and inflated in the tasks of callers and handlers, on their way to and from the machine.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use rpc_core::compression::{Agreed, unpack};
use rpc_core::{
    Body, Code, CodecKind, Compression, Compressor, Error, ErrorKind, Fate, ItemBatch, ItemStream, Status,
};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::connection::Shared;
use crate::limits::Limits;

/// What a side of a connection knows of encoding.
pub(crate) struct Coding {
    codecs: Arc<[CodecKind]>,
    compressors: Arc<[Compressor]>,
    message_bytes_max: u32,
    compression: Option<Compression>,
    agreed: OnceLock<Option<Agreed>>,
    /// Bytes that arguments of few bytes may still be inflated to, for calls that go on.
    room: Semaphore,
}

/// What is inflated to no more than so many times its length needs no room: it took its sender something to send.
const RATIO_FREE: usize = 64;
/// Nor does what is no longer than this, which a frame may be as it is: it does not wait behind what is long.
const BYTES_FREE: usize = 64 * 1024;

impl Coding {
    pub(crate) fn new(limits: &Limits) -> Self {
        let config = &limits.config;
        // One message has room always.
        let room = config.buffer_bytes_max.max(config.settings.message_bytes_max) as usize;
        Self {
            room: Semaphore::new(room),
            codecs: limits.codecs.clone(),
            compressors: limits.compressors.clone(),
            message_bytes_max: limits.config.settings.message_bytes_max,
            compression: limits.compression.clone(),
            agreed: OnceLock::new(),
        }
    }

    /// Finds the codec that a message came in.
    pub(crate) fn codec(&self, id: u8) -> Result<CodecKind, Status> {
        let known = self.codecs.iter().copied().find(|codec| codec.id() == id);
        known.ok_or_else(|| CodecKind::unsupported(id, &self.codecs))
    }

    /// Inflates a message that says how it is compressed.
    pub(crate) fn unpack(&self, message: &Bytes) -> Result<Bytes, Status> {
        unpack(message, &self.compressors, self.message_bytes_max)
    }

    /// Inflates the arguments of a call, which goes on while it keeps the room that it is given with them: a connection could otherwise have
    /// each of its calls hold the longest message, for some hundred bytes. Waits for room where there is none.
    pub(crate) async fn unpack_arguments(
        &self,
        message: &Bytes,
    ) -> Result<(Bytes, Option<SemaphorePermit<'_>>), Status> {
        let inflated = self.unpack(message)?;
        if inflated.len() <= message.len().saturating_mul(RATIO_FREE).max(BYTES_FREE) {
            return Ok((inflated, None));
        }
        let bytes = u32::try_from(inflated.len()).unwrap_or(u32::MAX);
        if let Ok(room) = self.room.try_acquire_many(bytes) {
            return Ok((inflated, Some(room)));
        }
        // Not kept while it waits: that is what there is no room for.
        drop(inflated);
        let room = self.room.acquire_many(bytes).await;
        Ok((self.unpack(message)?, room.ok()))
    }
}

impl Shared {
    /// Returns what is agreed with the peer for what goes out to it; none where nothing is compressed. Its opening has been read.
    pub(crate) fn agreed(&self) -> Option<Agreed> {
        let compression = self.coding.compression.as_ref()?;
        let agree =
            |peer: &rpc_core::wire::Settings| compression.agree(&peer.compressors, peer.message_bytes_max);
        *self.coding.agreed.get_or_init(|| self.with(|machine| machine.peer_settings().and_then(agree)))
    }

    /// Tells whether a message is worth a turn elsewhere before it is sent: compressing it takes more time than a task costs.
    pub(crate) fn takes_time(&self, body: &Body) -> bool {
        self.agreed().is_some_and(|agreed| body.has_items() || agreed.is_tried(body.message()))
    }

    /// Compresses a message that opens or answers a call; none where that is not agreed or not worth it, and it goes out as it is: in its parts, or
    /// put together where it would be cut.
    pub(crate) fn pack(&self, body: &Body) -> Option<Bytes> {
        let Some(agreed) = self.agreed() else {
            self.join_if_cut(body);
            return None;
        };
        let message = body.message();
        // Where items follow, they may be compressed, so each message of this direction says whether it is.
        if body.has_items() { Some(agreed.pack(message)) } else { agreed.compress(message) }
    }

    /// Puts a message together that lies in parts and will not go whole: not under the connection's lock, as the machine would.
    fn join_if_cut(&self, body: &Body) {
        /// What may stand before it in its frame.
        const HEAD_BYTES: usize = 32 << 10;
        let bytes = body.message_bytes();
        if body.message_parts().len() > 1 && !self.with(|machine| machine.sends_whole(bytes, HEAD_BYTES)) {
            let _ = body.message();
        }
    }

    /// Compresses the items that follow a message that [`pack`](Self::pack) gave.
    pub(crate) fn pack_items(&self, items: ItemStream) -> ItemStream {
        match self.agreed() {
            Some(agreed) => ItemStream::of_batches(Packing { items, agreed }),
            None => items,
        }
    }
}

/// What a caller is told of an answer that cannot be read.
pub(crate) fn unreadable(status: &Status) -> Error {
    let kind = match status.code() {
        Code::ResourceExhausted => ErrorKind::LimitExceeded,
        _ => ErrorKind::Decode,
    };
    Error::new(kind, format!("the answer cannot be read: {}", status.message())).with_fate(Fate::Failed)
}

/// Items that are compressed when they are asked for.
struct Packing {
    items: ItemStream,
    agreed: Agreed,
}

impl Stream for Packing {
    type Item = Result<ItemBatch, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let agreed = self.agreed;
        let pack = |batch: ItemBatch| batch.map(|item| agreed.pack(&item)).collect();
        self.items.poll_batch(cx).map(|batch| batch.map(|batch| batch.map(pack)))
    }
}

/// So many bytes are inflated ahead of who takes the items: a batch of few bytes may stand for any number.
const AHEAD_BYTES: usize = 16 * 1024;
/// After so many bytes other tasks have a turn: inflating a gzip of 1 MiB takes some milliseconds.
const TURN_BYTES: usize = 1 << 20;

/// Items that are inflated when they are asked for; the first that cannot be is an error, and the last.
pub(crate) struct Unpacking<F> {
    items: Option<ItemStream>,
    unpack: F,
    /// What is left of the last batch, as it came.
    packed: ItemBatch,
    /// Why the item cannot be inflated that follows those that were given last.
    failed: Option<Error>,
    /// Bytes that were inflated since others had a turn.
    turn_bytes: usize,
}

impl<F: Fn(&Bytes) -> Result<Bytes, Error> + Unpin> Unpacking<F> {
    pub(crate) fn new(items: ItemStream, unpack: F) -> Self {
        Self { items: Some(items), unpack, packed: ItemBatch::default(), failed: None, turn_bytes: 0 }
    }

    /// Inflates the next item; none where no more of the batch can be.
    fn unpack_next(&mut self) -> Option<Bytes> {
        let item = self.packed.next()?;
        match (self.unpack)(&item) {
            Ok(item) => {
                self.turn_bytes = self.turn_bytes.saturating_add(item.len());
                Some(item)
            }
            Err(error) => {
                (self.items, self.packed, self.failed) = (None, ItemBatch::default(), Some(error));
                None
            }
        }
    }

    /// Inflates the next items; none where the first cannot be.
    fn unpack_some(&mut self) -> Option<ItemBatch> {
        let first = self.unpack_next()?;
        if first.len() >= AHEAD_BYTES || self.packed.is_empty() {
            return Some(ItemBatch::one(first));
        }
        let mut bytes = first.len();
        let more = std::iter::from_fn(|| {
            let item = if bytes < AHEAD_BYTES { self.unpack_next()? } else { return None };
            bytes = bytes.saturating_add(item.len());
            Some(item)
        });
        Some(std::iter::once(first).chain(more).collect())
    }
}

impl<F: Fn(&Bytes) -> Result<Bytes, Error> + Unpin> Stream for Unpacking<F> {
    type Item = Result<ItemBatch, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.turn_bytes >= TURN_BYTES {
            this.turn_bytes = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if this.packed.is_empty()
            && let Some(items) = &mut this.items
        {
            match ready!(items.poll_batch(cx)) {
                Some(Ok(batch)) => this.packed = batch,
                end => {
                    this.items = None;
                    return Poll::Ready(end);
                }
            }
        }
        let batch = this.unpack_some().map(Ok);
        Poll::Ready(batch.or_else(|| this.failed.take().map(Err)))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::task::Waker;

    use super::*;

    /// Items of which each is its own length once it is inflated, in units of 1 KiB; 255 is none.
    fn unpacking<'c>(
        items: &[u8],
        inflated: &'c Cell<usize>,
    ) -> Unpacking<impl Fn(&Bytes) -> Result<Bytes, Error> + Unpin + 'c> {
        let batch: ItemBatch = items.iter().map(|item| Bytes::copy_from_slice(&[*item])).collect();
        let mut batch = Some(Ok(batch));
        let batches = ItemStream::of_batches(Batches(move || batch.take()));
        Unpacking::new(batches, |item: &Bytes| match item[0] {
            255 => Err(Error::new(ErrorKind::Decode, "broken")),
            kib => {
                inflated.set(inflated.get() + 1);
                Ok(vec![kib; usize::from(kib) << 10].into())
            }
        })
    }

    struct Batches<F>(F);

    impl<F: FnMut() -> Option<Result<ItemBatch, Error>> + Unpin> Stream for Batches<F> {
        type Item = Result<ItemBatch, Error>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Ready((self.0)())
        }
    }

    fn poll(items: &mut (impl Stream<Item = Result<ItemBatch, Error>> + Unpin)) -> Poll<Option<Vec<usize>>> {
        let next = Pin::new(items).poll_next(&mut Context::from_waker(Waker::noop()));
        next.map(|batch| batch.map(|batch| batch.unwrap().map(|item| item.len() >> 10).collect()))
    }

    #[test]
    fn a_batch_of_bombs_is_inflated_no_further_ahead_than_a_few_bytes() {
        let inflated = Cell::new(0);
        let mut items = unpacking(&[200; 400], &inflated);
        assert_eq!(poll(&mut items), Poll::Ready(Some(vec![200])));
        assert_eq!(inflated.get(), 1);
        let mut items = unpacking(&[1, 2, 200, 200], &inflated);
        assert_eq!(poll(&mut items), Poll::Ready(Some(vec![1, 2, 200])), "small ones stay together");
        assert_eq!(poll(&mut items), Poll::Ready(Some(vec![200])));
        assert_eq!(poll(&mut items), Poll::Ready(None));
    }

    #[test]
    fn others_have_a_turn_while_much_is_inflated() {
        let inflated = Cell::new(0);
        let mut items = unpacking(&[200; 20], &inflated);
        let polls: Vec<_> = std::iter::repeat_with(|| poll(&mut items)).take(23).collect();
        assert_eq!(polls.iter().filter(|poll| poll.is_pending()).count(), 3);
        assert_eq!((inflated.get(), poll(&mut items)), (20, Poll::Ready(None)));
    }

    #[test]
    fn what_stands_before_a_broken_item_is_given_and_nothing_after_it() {
        let inflated = Cell::new(0);
        let mut items = unpacking(&[1, 2, 255, 3], &inflated);
        assert_eq!(poll(&mut items), Poll::Ready(Some(vec![1, 2])));
        let next = Pin::new(&mut items).poll_next(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(next, Poll::Ready(Some(Err(error))) if error.kind() == ErrorKind::Decode));
        assert_eq!((inflated.get(), poll(&mut items)), (2, Poll::Ready(None)));
    }
}
