//! One call while it is under way, and what streams of items add to it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use futures_core::Stream;
use rpc_core::{Code, Error, ItemBatch, ItemStream};

use super::names::{End, Handles};
use crate::timeout::began;

/// A call under way; recorded when it is dropped, for a call may be dropped at any time.
pub(super) struct Measured<H: AsRef<Handles>> {
    handles: H,
    /// None where nobody records how long calls take.
    start: Option<Instant>,
    end: End,
    /// None where there is no answer.
    response_bytes: Option<u64>,
    /// Another has taken its place.
    is_replaced: bool,
}

impl<H: AsRef<Handles>> Measured<H> {
    pub(super) fn begin(handles: H) -> Self {
        let of = handles.as_ref();
        of.started.increment(1);
        of.in_flight.increment(1.0);
        let start = of.is_timed().then(began);
        // Until it says otherwise, its caller may go away.
        let end = End::Code(Code::Cancelled);
        Self { handles, start, end, response_bytes: None, is_replaced: false }
    }

    /// It is polled; where that panics, it is over.
    pub(super) fn enter(&mut self) {
        self.end = End::Code(Code::Internal);
    }

    /// It was polled, and may go away before that is done again.
    pub(super) fn leave(&mut self) {
        self.end = End::Code(Code::Cancelled);
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

impl Measured<&Arc<Handles>> {
    /// Goes on as one that borrows nothing, with the items of an answer.
    pub(super) fn keep(mut self) -> Measured<Arc<Handles>> {
        self.is_replaced = true;
        let Self { start, response_bytes, .. } = self;
        let end = End::Code(Code::Cancelled);
        Measured { handles: self.handles.clone(), start, end, response_bytes, is_replaced: false }
    }
}

impl<H: AsRef<Handles>> Drop for Measured<H> {
    fn drop(&mut self) {
        if self.is_replaced {
            return;
        }
        if std::thread::panicking() {
            self.end = End::Code(Code::Internal);
        }
        let handles = self.handles.as_ref();
        handles.in_flight.decrement(1.0);
        handles.finish(self.end, self.start);
        if let Some(bytes) = self.response_bytes {
            handles.response_size.record(bytes as f64);
        }
    }
}

/// What was asked, where items follow; its size is recorded when the last item is gone.
pub(super) struct Asked {
    handles: Arc<Handles>,
    bytes: u64,
}

impl Asked {
    pub(super) fn new(handles: Arc<Handles>, bytes: usize) -> Self {
        Self { handles, bytes: size(bytes) }
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
    call: Option<Measured<Arc<Handles>>>,
}

impl Answered {
    pub(super) fn new(items: ItemStream, call: Measured<Arc<Handles>>) -> Self {
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

/// A size as histograms take it.
pub(super) fn bytes(bytes: usize) -> f64 {
    bytes as f64
}

fn size(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}
