//! What a call holds until its last item.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use rpc_core::{Error, ItemBatch, ItemStream, Response};

/// Keeps a guard until the response is over: at once where no items follow, else until they have ended or are dropped.
pub(crate) fn hold<G: Send + Unpin + 'static>(response: Response, guard: G) -> Response {
    if !response.body().has_items() {
        return response;
    }
    response.map_items(|items| ItemStream::of_batches(Held { items, guard: Some(guard) }))
}

struct Held<G> {
    items: ItemStream,
    guard: Option<G>,
}

impl<G: Send + Unpin> Stream for Held<G> {
    type Item = Result<ItemBatch, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.items.poll_batch(cx));
        if item.is_none() {
            self.guard = None;
        }
        Poll::Ready(item)
    }
}
