//! A stream of items that come from the other side, or are given to it.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::batch::Reader;
use crate::reply::Item;
use crate::{CodecKind, Error, ItemStream, MethodDescriptor};

/// A stream of items from the other side: what a handler gets for an argument `Streaming<T>`, and what a caller gets from a
/// method that returns a stream.
///
/// An item is a `Result`, because the other side may go away half way: after an error that is not an item's own the stream ends.
/// Dropping a stream tells the other side that no more is wanted.
///
/// To call a handler directly, say in a test, make one of any stream with [`Streaming::new`] or of a list with [`Streaming::of`].
///
/// # Cancel safety
/// Waiting for the next item can be given up at any time; no item is lost.
///
/// ```
/// # use rpc_core::Streaming;
/// let parts: Streaming<String> = Streaming::of(["a".to_owned(), "b".to_owned()]);
/// # let _ = parts;
/// ```
#[must_use = "streams do nothing unless they are polled"]
pub struct Streaming<T, E = Error> {
    inner: Pin<Box<dyn Stream<Item = Result<T, E>> + Send>>,
}

impl<T: Send + 'static, E: Send + 'static> Streaming<T, E> {
    /// Makes one of any stream of results.
    pub fn new(stream: impl Stream<Item = Result<T, E>> + Send + 'static) -> Self {
        Self { inner: Box::pin(stream) }
    }

    /// Makes one of a list of items.
    pub fn of<I>(items: I) -> Self
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: Send + 'static,
    {
        Self::new(Listed(Box::new(items.into_iter().map(Ok))))
    }
}

impl<T, E> Streaming<T, E> {
    /// Waits for the next item; none once the stream has ended.
    ///
    /// # Cancel safety
    /// It can be dropped and called again at any time; no item is lost.
    pub async fn next(&mut self) -> Option<Result<T, E>> {
        std::future::poll_fn(|cx| self.inner.as_mut().poll_next(cx)).await
    }

    pub(crate) fn decoding<I: Item<Value = T, Error = E>>(
        items: ItemStream,
        codec: CodecKind,
        method: &'static MethodDescriptor,
    ) -> Self {
        Self {
            inner: Box::pin(Decoding::<I> {
                items: Some(items),
                batch: Reader::default(),
                codec,
                method,
                item: std::marker::PhantomData,
            }),
        }
    }
}

impl<T, E> Stream for Streaming<T, E> {
    type Item = Result<T, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.inner.as_mut().poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<T, E> fmt::Debug for Streaming<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Streaming")
    }
}

struct Listed<T>(Box<dyn Iterator<Item = T> + Send>);

impl<T> Stream for Listed<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.next())
    }
}

/// Decodes each item; an item that cannot be decoded is an error in its place.
struct Decoding<I> {
    /// None once they are over.
    items: Option<ItemStream>,
    batch: Reader,
    codec: CodecKind,
    method: &'static MethodDescriptor,
    item: std::marker::PhantomData<fn() -> I>,
}

impl<I: Item> Stream for Decoding<I> {
    type Item = Result<I::Value, I::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some((memory, part)) = this.batch.read() {
                return Poll::Ready(Some(I::decode(this.codec, memory, part, this.method)));
            }
            let Some(items) = &mut this.items else { return Poll::Ready(None) };
            match ready!(items.poll_batch(cx)) {
                Some(Ok(batch)) => this.batch = Reader::new(batch),
                Some(Err(error)) => {
                    this.items = None;
                    return Poll::Ready(Some(Err(error.with_method(this.method.to_string()).into())));
                }
                None => this.items = None,
            }
        }
    }
}
