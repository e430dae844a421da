//! Streams of items that end with a deadline.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use futures_core::Stream;
use tokio::time::{Sleep, sleep_until};

use super::Response;
use crate::{Error, ItemBatch, ItemStream};

impl Response {
    /// Lets a deadline hold for the items that follow the result, where there are any: they end with an error then.
    ///
    /// # Panics
    /// Where items follow: outside of a tokio runtime with its time driver on.
    #[must_use]
    pub fn until(mut self, deadline: Instant) -> Self {
        self.end_items_at(deadline);
        self
    }

    /// Does what [`until`](Self::until) does, in place.
    pub(crate) fn end_items_at(&mut self, deadline: Instant) {
        self.body.change_items(|items| {
            let sleep = Box::pin(sleep_until(deadline.into()));
            ItemStream::of_batches(UntilDeadline { items: Some(items), sleep })
        });
    }
}

struct UntilDeadline {
    /// None once they are over.
    items: Option<ItemStream>,
    sleep: Pin<Box<Sleep>>,
}

impl Stream for UntilDeadline {
    type Item = Result<ItemBatch, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(items) = &mut self.items else { return Poll::Ready(None) };
        if let Poll::Ready(item) = items.poll_batch(cx) {
            return Poll::Ready(item);
        }
        ready!(self.sleep.as_mut().poll(cx));
        self.items = None;
        Poll::Ready(Some(Err(Error::deadline_exceeded())))
    }
}
