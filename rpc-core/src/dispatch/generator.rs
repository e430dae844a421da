//! Turns a future that produces items into a stream of them.
//!
//! A handler's stream borrows from the handler and from the decoded request. All three live in one future; whenever the stream side
//! runs dry it polls that future, which leaves a batch of encoded items in a slot that both share.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use serde::Serialize;

use crate::batch::Encoding;
use crate::{Code, CodecKind, Error, ItemBatch, ItemStream, Metadata, Status};

/// What a call is answered with before its items.
pub(super) struct Head {
    pub(super) message: Bytes,
    pub(super) metadata: Metadata,
    /// It is the method's own error.
    pub(super) failed: bool,
}

#[derive(Default)]
struct Slot {
    head: Option<Result<Head, Error>>,
    // Whether items follow the head, be it none.
    streams: bool,
    batch: Option<Result<ItemBatch, Error>>,
}

/// The future's end: it puts the head and the items into the slot.
#[derive(Clone)]
pub(super) struct Sender {
    slot: Arc<Mutex<Slot>>,
}

impl Sender {
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers with an error in place of a head.
    pub(super) fn fail(&self, error: Error) {
        self.slot().head = Some(Err(error));
    }

    /// Answers with a head; items follow if [`items`](Self::items) is called in the same poll.
    pub(super) fn head(&self, message: Bytes, metadata: Metadata, failed: bool) {
        self.slot().head = Some(Ok(Head { message, metadata, failed }));
    }

    /// Sends a stream to its end.
    pub(super) async fn items<T: Serialize>(&self, stream: impl Stream<Item = T> + Send, codec: CodecKind) {
        self.slot().streams = true;
        let encode =
            |item: T, out: &mut Vec<u8>| codec.append(&item, out).map_err(|error| not_encoded(&error));
        let mut batches = std::pin::pin!(Encoding::new(stream, encode));
        std::future::poll_fn(|cx| {
            let Some(batch) = ready!(batches.as_mut().poll_next(cx)) else { return Poll::Ready(()) };
            let failed = batch.is_err();
            self.slot().batch = Some(batch);
            // No waker is kept: the stream side polls again by itself once it has handed the batch on.
            if failed { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

fn not_encoded(error: &Error) -> Error {
    tracing::error!(%error, "a stream item could not be encoded");
    Status::new(Code::Internal, "a stream item could not be encoded; see the server's log").into()
}

/// The stream's end: it owns the future and hands out what is in the slot.
pub(super) struct Generator<F> {
    future: Option<Pin<Box<F>>>,
    sender: Sender,
}

impl<F: Future<Output = ()> + Send + 'static> Generator<F> {
    pub(super) fn new(start: impl FnOnce(Sender) -> F) -> Self {
        let sender = Sender { slot: Arc::default() };
        Self { future: Some(Box::pin(start(sender.clone()))), sender }
    }

    /// Polls the future until it has sent the head.
    pub(super) async fn start(mut self) -> Result<(Head, Option<ItemStream>), Error> {
        let head = std::future::poll_fn(|cx| {
            self.poll_future(cx);
            match (self.sender.slot().head.take(), &self.future) {
                (Some(head), _) => Poll::Ready(head),
                (None, Some(_)) => Poll::Pending,
                (None, None) => {
                    Poll::Ready(Err(Status::new(Code::Internal, "a handler ended without an answer").into()))
                }
            }
        })
        .await;
        let head = head?;
        let streams = self.sender.slot().streams;
        Ok((head, streams.then(|| ItemStream::of_batches(self))))
    }

    fn poll_future(&mut self, cx: &mut Context<'_>) {
        if let Some(future) = &mut self.future
            && future.as_mut().poll(cx).is_ready()
        {
            self.future = None;
        }
    }
}

impl<F: Future<Output = ()> + Send + 'static> Stream for Generator<F> {
    type Item = Result<ItemBatch, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut batch = self.sender.slot().batch.take();
        if batch.is_none() {
            self.poll_future(cx);
            batch = self.sender.slot().batch.take();
        }
        match (batch, &self.future) {
            (Some(batch), _) => Poll::Ready(Some(batch)),
            (None, Some(_)) => Poll::Pending,
            (None, None) => Poll::Ready(None),
        }
    }
}

/// A stream of one item.
pub(crate) fn once<T: Send + 'static>(item: T) -> impl Stream<Item = T> + Send + 'static {
    struct Once<T>(Option<T>);

    impl<T> Unpin for Once<T> {}

    impl<T> Stream for Once<T> {
        type Item = T;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<T>> {
            Poll::Ready(self.0.take())
        }
    }

    Once(Some(item))
}
