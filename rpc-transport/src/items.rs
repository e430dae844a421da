//! Streams of items over a connection, on either side.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use rpc_core::wire::{ResetCode, StreamId};
use rpc_core::{Error, ErrorKind, ItemStream};

use crate::call::OpenedCall;
use crate::connection::{ClientConnection, Shared};
use crate::panics::{Caught, Panicked};

/// Items that are sent in one go: enough to make the lock cheap, few enough to bound memory.
const BATCH_ITEMS: usize = 512;
/// Bytes that are gathered, at which a batch ends early.
const BATCH_BYTES: usize = 64 * 1024;

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
    batch: VecDeque<Bytes>,
    is_over: bool,
}

impl<C: Incoming> IncomingItems<C> {
    pub(crate) fn new(call: C) -> Self {
        Self { call, batch: VecDeque::new(), is_over: false }
    }
}

impl<C: Incoming> Stream for IncomingItems<C> {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Some(item) = this.batch.pop_front() {
            return Poll::Ready(Some(Ok(item)));
        }
        if this.is_over {
            return Poll::Ready(None);
        }
        let (id, batch) = (this.call.id(), &mut this.batch);
        let more = ready!(this.call.shared().with(|machine| machine.poll_items(id, cx, batch)));
        if let Ok(true) = more {
            return Poll::Ready(this.batch.pop_front().map(Ok));
        }
        this.is_over = true;
        this.call.end();
        Poll::Ready(more.err().map(|error| Err(this.call.shared().blame(error))))
    }
}

/// Sends the items that follow a request, for as long as the call lasts.
pub(crate) async fn send_request(connection: Arc<ClientConnection>, id: StreamId, items: ItemStream) {
    let shared = &connection.shared;
    let panicked = |Panicked| Sent::Failed(Error::new(ErrorKind::Cancelled, "the request's stream panicked"));
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
    let mut batch = VecDeque::new();
    let mut end = None;
    poll_fn(|cx| {
        loop {
            let flow = gather(&mut items, &mut batch, &mut end, cx);
            // Asked even with nothing to send, so that the end of the call is noticed.
            match shared.with(|machine| machine.poll_send_items(id, cx, &mut batch)) {
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
    batch: &mut VecDeque<Bytes>,
    end: &mut Option<Sent>,
    cx: &mut Context<'_>,
) -> ControlFlow<()> {
    let mut bytes = 0_usize;
    while end.is_none() && batch.len() < BATCH_ITEMS && bytes < BATCH_BYTES {
        match items.as_mut().poll_next(cx) {
            Poll::Ready(Some(Ok(item))) => {
                bytes = bytes.saturating_add(item.len());
                batch.push_back(item);
            }
            Poll::Ready(Some(Err(error))) => *end = Some(Sent::Failed(error)),
            Poll::Ready(None) => *end = Some(Sent::All),
            Poll::Pending => return ControlFlow::Break(()),
        }
    }
    ControlFlow::Continue(())
}
