//! Encodes the items of a stream, those together that are ready together.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use pin_project_lite::pin_project;
use tokio::time::Instant;

use super::{ItemBatch, LENGTH_BYTES};
use crate::codec::write_message;
use crate::{Error, ErrorKind};

/// So many items are put together at most.
const ITEMS_MAX: usize = 1024;
/// What has so many bytes goes out: it fills a frame.
const BYTES_MAX: usize = 15 * 1024;
/// A stream that has given so many at once is likely to fill a batch.
const LIKELY_MORE: usize = 16;
/// Items that take longer than this to make do not wait for one another.
const TIME_MAX: Duration = Duration::from_micros(100);

pin_project! {
    /// A stream as batches.
    pub(crate) struct Encoding<St, F> {
        #[pin]
        stream: St,
        encode: F,
        end: Option<Option<Error>>,
    }
}

impl<St, F> Encoding<St, F> {
    /// Encodes with a function that appends an item to what it is given.
    pub(crate) fn new(stream: St, encode: F) -> Self {
        Self { stream, encode, end: None }
    }
}

impl<St, F> Stream for Encoding<St, F>
where
    St: Stream,
    F: FnMut(St::Item, &mut Vec<u8>) -> Result<(), Error>,
{
    type Item = Result<ItemBatch, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        if let Some(end) = this.end {
            return Poll::Ready(end.take().map(Err));
        }
        let mut count = 0_usize;
        let mut is_pending = false;
        let mut started_at = None;
        let bytes = write_message(|out| {
            while count < ITEMS_MAX && out.len() < BYTES_MAX && this.end.is_none() {
                match this.stream.as_mut().poll_next(cx) {
                    Poll::Ready(Some(item)) => match append(out, |out| (this.encode)(item, out)) {
                        Ok(()) => count = count.saturating_add(1),
                        Err(error) => *this.end = Some(Some(error)),
                    },
                    Poll::Ready(None) => *this.end = Some(None),
                    Poll::Pending => {
                        is_pending = true;
                        break;
                    }
                }
                // Looked at after 1, 2, 4 … items: a clock costs as much as a small item.
                if count == LIKELY_MORE {
                    out.reserve(BYTES_MAX);
                }
                let is_time = count.is_power_of_two()
                    && started_at.get_or_insert_with(Instant::now).elapsed() >= TIME_MAX;
                if is_time {
                    break;
                }
            }
        });
        match count {
            0 if is_pending => Poll::Pending,
            0 => Poll::Ready(this.end.as_mut().and_then(Option::take).map(Err)),
            1 => Poll::Ready(Some(Ok(ItemBatch::one(bytes.slice(LENGTH_BYTES..))))),
            _ => Poll::Ready(Some(Ok(ItemBatch::of(bytes, count)))),
        }
    }
}

/// Appends an item behind its length, or nothing.
fn append(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<(), Error>) -> Result<(), Error> {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTH_BYTES]);
    let written = write(out).and_then(|()| {
        let bytes = out.len().saturating_sub(start).saturating_sub(LENGTH_BYTES);
        u32::try_from(bytes).map_err(|_| {
            Error::new(
                ErrorKind::LimitExceeded,
                format!("a stream item of {bytes} bytes is over 4 GiB: cut it up"),
            )
        })
    });
    match written {
        Ok(bytes) => {
            if let Some(length) = out.get_mut(start..).and_then(<[u8]>::first_chunk_mut) {
                *length = bytes.to_le_bytes();
            }
            Ok(())
        }
        Err(error) => {
            out.truncate(start);
            Err(error)
        }
    }
}
