//! One call while it is under way, and what streams of items add to it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use futures_core::Stream;
use rpc_core::{Body, Code, Error, ItemBatch, ItemStream};

use super::names::{End, Handles};
use crate::timeout::now;

/// A call under way; recorded when it is dropped, for a call may be dropped at any time.
pub(super) struct Measured {
    handles: Arc<Handles>,
    start: Instant,
    end: End,
    /// None where there is no answer.
    response_bytes: Option<u64>,
}

impl Measured {
    pub(super) fn begin(handles: Arc<Handles>) -> Self {
        handles.started.increment(1);
        handles.in_flight.increment(1.0);
        // Until it says otherwise, its caller may go away.
        Self { handles, start: now(), end: End::Code(Code::Cancelled), response_bytes: None }
    }

    pub(super) fn handles(&self) -> &Arc<Handles> {
        &self.handles
    }

    /// So many bytes of the answer are here.
    pub(super) fn receive(&mut self, bytes: usize) {
        self.response_bytes = Some(self.response_bytes.unwrap_or(0).saturating_add(size(bytes)));
    }

    pub(super) fn succeed(&mut self, is_failed: bool) {
        self.end = if is_failed { End::MethodError } else { End::Ok };
    }

    pub(super) fn fail(&mut self, error: &Error) {
        self.end = End::Code(error.code());
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.end = End::Code(Code::Internal);
        }
        let elapsed = now().saturating_duration_since(self.start);
        self.handles.in_flight.decrement(1.0);
        self.handles.finish(self.end, elapsed.as_secs_f64());
        if let Some(bytes) = self.response_bytes {
            self.handles.response_size.record(bytes as f64);
        }
    }
}

/// What was asked; its size is recorded when the last item is gone, at once where there are none.
pub(super) struct Asked {
    handles: Arc<Handles>,
    bytes: u64,
}

impl Asked {
    pub(super) fn new(handles: Arc<Handles>, body: &Body) -> Self {
        Self { handles, bytes: size(body.message_bytes()) }
    }

    pub(super) fn follow(self, items: ItemStream) -> AskedItems {
        AskedItems { items, asked: self }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.handles.request_size.record(self.bytes as f64);
    }
}

/// The items of a request.
pub(super) struct AskedItems {
    items: ItemStream,
    asked: Asked,
}

impl Stream for AskedItems {
    type Item = Result<ItemBatch, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let batch = ready!(self.items.poll_batch(cx));
        if let Some(Ok(batch)) = &batch {
            self.asked.bytes = self.asked.bytes.saturating_add(size(batch.bytes()));
            self.asked.handles.asked_items.increment(size(batch.len()));
        }
        Poll::Ready(batch)
    }
}

/// The items of an answer, with which its call ends.
pub(super) struct Answered {
    items: ItemStream,
    /// None once they are over.
    call: Option<Measured>,
}

impl Answered {
    pub(super) fn new(items: ItemStream, call: Measured) -> Self {
        Self { items, call: Some(call) }
    }
}

impl Stream for Answered {
    type Item = Result<ItemBatch, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let batch = ready!(self.items.poll_batch(cx));
        match (&batch, &mut self.call) {
            (Some(Ok(items)), Some(call)) => {
                call.receive(items.bytes());
                call.handles.answered_items.increment(size(items.len()));
                return Poll::Ready(batch);
            }
            (Some(Err(error)), Some(call)) => call.fail(error),
            (None, Some(call)) => call.succeed(false),
            (_, None) => return Poll::Ready(batch),
        }
        self.call = None;
        Poll::Ready(batch)
    }
}

fn size(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}
