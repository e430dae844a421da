//! Streams of items: a caller's on its way out, and a reply's as the trait gives it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use serde::{Serialize, de::DeserializeOwned};

use crate::batch::Encoding;
use crate::reply::{Fallible, FromCall, Items};
use crate::{Call, CallError, CodecKind, Error, ItemStream, Start, Streaming};

/// Something that can be sent as a stream: any stream of items, or a [`Streaming`] that came from elsewhere.
pub trait IntoItems: Send + 'static {
    /// Encodes each item when it is asked for.
    fn into_items(self, codec: CodecKind) -> ItemStream;
}

/// A caller's own stream, whose items cannot fail.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs)]
pub struct Own<St>(pub St);

impl<St> IntoItems for Own<St>
where
    St: Stream<Item: Serialize> + Send + 'static,
{
    fn into_items(self, codec: CodecKind) -> ItemStream {
        let encode = move |item: St::Item, out: &mut Vec<u8>| codec.append(&item, out);
        ItemStream::of_batches(Encoding::new(self.0, encode))
    }
}

impl<T: Serialize + Send + 'static> IntoItems for Streaming<T> {
    fn into_items(self, codec: CodecKind) -> ItemStream {
        let encode = move |item: Result<T, Error>, out: &mut Vec<u8>| codec.append(&item?, out);
        ItemStream::of_batches(Encoding::new(self, encode))
    }
}

/// Turns the items that a call gave into those that the trait's method returns.
pub fn own_items<R: FromCall<'static>>(
    items: Streaming<R::Ok, CallError<R::Err>>,
) -> impl Stream<Item = R> + Send {
    OwnItems::<R>(items)
}

/// Makes the call when the first item is asked for; if it fails, that is the only item.
pub fn items_of_call<R: FromCall<'static> + DeserializeOwned, A: Start>(
    call: Call<Items<Fallible<R>>, A>,
) -> impl Stream<Item = R> + Send {
    ItemsOfCall::Calling(Box::pin(call))
}

struct OwnItems<R: FromCall<'static>>(Streaming<R::Ok, CallError<R::Err>>);

impl<R: FromCall<'static>> Stream for OwnItems<R> {
    type Item = R;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<R>> {
        Pin::new(&mut self.0).poll_next(cx).map(|item| item.map(R::from_call))
    }
}

enum ItemsOfCall<R: FromCall<'static>, A: Start> {
    Calling(Pin<Box<Call<Items<Fallible<R>>, A>>>),
    Streaming(OwnItems<R>),
    Failed,
}

impl<R: FromCall<'static> + DeserializeOwned, A: Start> Stream for ItemsOfCall<R, A> {
    type Item = R;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<R>> {
        loop {
            *self = match &mut *self {
                Self::Calling(call) => match ready!(call.as_mut().poll(cx)) {
                    Ok(items) => Self::Streaming(OwnItems(items)),
                    Err(error) => {
                        *self = Self::Failed;
                        return Poll::Ready(Some(R::from_call(Err(error.into()))));
                    }
                },
                Self::Streaming(items) => return Pin::new(items).poll_next(cx),
                Self::Failed => return Poll::Ready(None),
            };
        }
    }
}
