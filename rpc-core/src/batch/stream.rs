//! What items are passed on as.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use pin_project_lite::pin_project;

use super::ItemBatch;
use crate::Error;

type Batches = Pin<Box<dyn Stream<Item = Result<ItemBatch, Error>> + Send>>;

/// Encoded stream items, in order; an error ends them.
///
/// As a [`Stream`] it gives one item after the other. Who passes items on does better to take [batches](Self::poll_batch): items that were
/// ready together stay together then.
///
/// # Cancel safety
/// Waiting can be given up at any time; no item is lost.
#[must_use = "streams do nothing unless they are polled"]
pub struct ItemStream {
    batches: Batches,
    /// What is left of the last batch.
    rest: ItemBatch,
}

impl ItemStream {
    /// Makes one of a stream of encoded items.
    pub fn new(items: impl Stream<Item = Result<Bytes, Error>> + Send + 'static) -> Self {
        Self::of_batches(Lone { items })
    }

    /// Makes one of a stream of batches.
    pub fn of_batches(batches: impl Stream<Item = Result<ItemBatch, Error>> + Send + 'static) -> Self {
        Self { batches: Box::pin(batches), rest: ItemBatch::default() }
    }

    /// Waits for the next items: at least one, unless the stream has ended or failed.
    pub fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<ItemBatch, Error>>> {
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.rest))));
        }
        loop {
            let batch = ready!(self.batches.as_mut().poll_next(cx));
            if !matches!(&batch, Some(Ok(batch)) if batch.is_empty()) {
                return Poll::Ready(batch);
            }
        }
    }
}

impl ItemStream {
    /// Gives the batches as a stream, for adapters that take one; see [`of_batches`](Self::of_batches).
    pub fn into_batches(self) -> impl Stream<Item = Result<ItemBatch, Error>> + Send {
        Whole(self)
    }
}

impl Stream for ItemStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.rest.is_empty() {
            match ready!(self.poll_batch(cx)) {
                Some(Ok(batch)) => self.rest = batch,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        Poll::Ready(self.rest.next().map(Ok))
    }
}

impl fmt::Debug for ItemStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ItemStream")
    }
}

struct Whole(ItemStream);

impl Stream for Whole {
    type Item = Result<ItemBatch, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_batch(cx)
    }
}

pin_project! {
    struct Lone<St> {
        #[pin]
        items: St,
    }
}

impl<St: Stream<Item = Result<Bytes, Error>>> Stream for Lone<St> {
    type Item = Result<ItemBatch, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.project().items.poll_next(cx).map(|item| item.map(|item| item.map(ItemBatch::one)))
    }
}
