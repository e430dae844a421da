//! Streams of items over a connection, on either side.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use rpc_core::wire::{ResetCode, StreamId};
use rpc_core::{Error, ErrorKind, ItemBatch, ItemStream};

use crate::call::OpenedCall;
use crate::connection::{ClientConnection, Shared};
use crate::panics::{Caught, Panicked};

/// Batches that are sent in one go: enough to make the lock cheap, few enough to bound memory.
const BATCHES_MAX: usize = 256;
/// Bytes of items that wait to be sent at which no more are taken.
const BYTES_MAX: usize = 64 * 1024;

/// Whose call it is that items come in for.
pub(crate) trait Incoming: Send + Unpin {
    fn shared(&self) -> &Shared;
    fn id(&self) -> StreamId;
    /// The call is over, so there is nothing to cancel any more.
    fn end(&mut self);
}

impl Incoming for OpenedCall {
    fn shared(&self) -> &Shared {
        Self::shared(self)
    }

    fn id(&self) -> StreamId {
        Self::id(self)
    }

    fn end(&mut self) {
        Self::end(self);
    }
}

/// A call that a server answers: its items are nobody's to cancel but the caller's.
pub(crate) struct AcceptedCall {
    pub(crate) shared: Arc<Shared>,
    pub(crate) id: StreamId,
}

impl Incoming for AcceptedCall {
    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn id(&self) -> StreamId {
        self.id
    }

    fn end(&mut self) {}
}

/// The items that the other side sends in a call.
pub(crate) struct IncomingItems<C> {
    call: C,
    batches: VecDeque<ItemBatch>,
    is_over: bool,
}

impl<C: Incoming + 'static> IncomingItems<C> {
    pub(crate) fn stream(call: C) -> ItemStream {
        ItemStream::of_batches(Self { call, batches: VecDeque::new(), is_over: false })
    }
}

impl<C: Incoming> Stream for IncomingItems<C> {
    type Item = Result<ItemBatch, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Some(batch) = this.batches.pop_front() {
            return Poll::Ready(Some(Ok(batch)));
        }
        if this.is_over {
            return Poll::Ready(None);
        }
        let (id, batches) = (this.call.id(), &mut this.batches);
        let more = ready!(this.call.shared().with(|machine| machine.poll_items(id, cx, batches)));
        if let Ok(true) = more {
            return Poll::Ready(this.batches.pop_front().map(Ok));
        }
        this.is_over = true;
        this.call.end();
        Poll::Ready(more.err().map(|error| Err(this.call.shared().blame(error))))
    }
}

/// Sends the items that follow a request, for as long as the call lasts.
pub(crate) async fn send_request(connection: Arc<ClientConnection>, id: StreamId, items: ItemStream) {
    let shared = &connection.shared;
    let panicked = |Panicked| {
        Sent::Failed(Error::new(ErrorKind::Cancelled, "the request's stream panicked on this side: mend it"))
    };
    match Caught::new(send(shared, id, items)).await.unwrap_or_else(panicked) {
        Sent::All => shared.with(|machine| machine.end_items(id)),
        // The caller's own stream failed, so the server must not take what it has got for all there is.
        Sent::Failed(error) => {
            tracing::debug!(%error, "a request's stream failed; the call is cancelled");
            shared.with(|machine| machine.cancel_with(id, ResetCode::Cancelled, error));
        }
        Sent::Over => {}
    }
}

/// How a stream of items ended.
pub(crate) enum Sent {
    /// All of it is on its way.
    All,
    /// The stream, or one of its items, failed.
    Failed(Error),
    /// The call is over, and nobody wants the rest.
    Over,
}

/// Sends items as fast as the peer takes them.
pub(crate) async fn send(shared: &Shared, id: StreamId, mut items: ItemStream) -> Sent {
    let mut batches = VecDeque::new();
    let mut end = None;
    poll_fn(|cx| {
        loop {
            let flow = gather(&mut items, &mut batches, &mut end, cx);
            // Asked even with nothing to send, so that the end of the call is noticed.
            match shared.with(|machine| machine.poll_send_items(id, cx, &mut batches)) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) if error.kind() == ErrorKind::Cancelled => {
                    return Poll::Ready(Sent::Over);
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Sent::Failed(error)),
                Poll::Pending => return Poll::Pending,
            }
            if let Some(end) = end.take() {
                return Poll::Ready(end);
            }
            if flow.is_break() {
                return Poll::Pending;
            }
        }
    })
    .await
}

/// Takes items that are ready; breaks where the stream is to wake the task before there are more.
fn gather(
    items: &mut ItemStream,
    batches: &mut VecDeque<ItemBatch>,
    end: &mut Option<Sent>,
    cx: &mut Context<'_>,
) -> ControlFlow<()> {
    let mut bytes: usize = batches.iter().map(ItemBatch::bytes).sum();
    while end.is_none() && batches.len() < BATCHES_MAX && bytes < BYTES_MAX {
        match items.poll_batch(cx) {
            Poll::Ready(Some(Ok(batch))) => {
                bytes = bytes.saturating_add(batch.bytes());
                batches.push_back(batch);
            }
            Poll::Ready(Some(Err(error))) => *end = Some(Sent::Failed(error)),
            Poll::Ready(None) => *end = Some(Sent::All),
            Poll::Pending => return ControlFlow::Break(()),
        }
    }
    ControlFlow::Continue(())
}
