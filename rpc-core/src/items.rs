//! A caller's stream of items on its way out.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;
use serde::Serialize;

use crate::{CodecKind, Error, ItemStream, Streaming};

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
        Box::pin(Encoding { stream: self.0, codec })
    }
}

impl<T: Serialize + Send + 'static> IntoItems for Streaming<T> {
    fn into_items(self, codec: CodecKind) -> ItemStream {
        Box::pin(Forwarding { stream: self, codec })
    }
}

pin_project! {
    struct Encoding<St> {
        #[pin]
        stream: St,
        codec: CodecKind,
    }
}

impl<St: Stream<Item: Serialize>> Stream for Encoding<St> {
    type Item = Result<bytes::Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        this.stream.poll_next(cx).map(|item| item.map(|item| this.codec.encode(&item)))
    }
}

struct Forwarding<T> {
    stream: Streaming<T>,
    codec: CodecKind,
}

impl<T: Serialize + Send + 'static> Stream for Forwarding<T> {
    type Item = Result<bytes::Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let codec = self.codec;
        Pin::new(&mut self.stream).poll_next(cx).map(|item| item.map(|item| codec.encode(&item?)))
    }
}
