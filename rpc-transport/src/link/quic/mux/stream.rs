//! What the driver sees of a QUIC connection: bytes to read and to write.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BufMut;
use quinn::{ConnectionError, SendStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Mux, QUEUED_BYTES_MAX};
use crate::link::quic::early::Rejected;
use crate::link::quic::words;

impl AsyncRead for Mux {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // What waits for a stream is written when this is woken: nobody else asks then.
        // That it fails is found out by the next write; what has arrived is read all the same.
        let _ = self.poll_output(cx);
        if self.gathered.is_empty() {
            ready!(self.poll_arrivals(cx));
        }
        if self.is_rejected {
            return Poll::Ready(Err(io::Error::other(Rejected)));
        }
        if self.gathered.is_empty() {
            return match &self.lost {
                None | Some(ConnectionError::ApplicationClosed(_) | ConnectionError::LocallyClosed) => {
                    Poll::Ready(Ok(()))
                }
                Some(error) => {
                    Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionAborted, words(error))))
                }
            };
        }
        let bytes = self.gathered.len().min(buf.remaining());
        buf.put_slice(&self.gathered.split_to(bytes));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Mux {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_output(cx)?;
        if self.queued_bytes >= QUEUED_BYTES_MAX {
            return Poll::Pending;
        }
        let bytes = bytes.get(..QUEUED_BYTES_MAX).unwrap_or(bytes);
        self.partial.put_slice(bytes);
        self.route_all();
        self.poll_output(cx)?;
        Poll::Ready(Ok(bytes.len()))
    }

    /// What one stream does not take yet must not hold up the others: it is written later, by the reads that follow.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_output(cx)?;
        if self.queued_bytes >= QUEUED_BYTES_MAX { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    /// Waits until the peer has all of it: what a QUIC connection has not delivered when it is closed is lost.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_output(cx)?;
        if self.is_rejected || self.connection.close_reason().is_some() {
            // Nobody takes what is left.
            return Poll::Ready(Ok(()));
        }
        if self.farewell.is_none() {
            if !self.control.is_empty() || !self.unopened.is_empty() || !self.unwritten.is_empty() {
                return Poll::Pending;
            }
            let farewell = self.say_farewell();
            self.farewell = Some(farewell);
        }
        self.farewell.as_mut().map_or(Poll::Ready(()), |farewell| farewell.as_mut().poll(cx)).map(Ok)
    }
}

impl Mux {
    /// Says that no more comes on any stream, and gives what waits until the peer has it all.
    fn say_farewell(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let outputs = self.calls.iter_mut().map(|call| &mut call.output).chain([&mut self.control]);
        let mut taken = Vec::new();
        for output in outputs {
            output.finish();
            taken.extend(output.send.as_ref().map(SendStream::stopped));
        }
        Box::pin(async move {
            for taken in taken {
                // Whether the peer has it or is gone: nothing is left to be waited for.
                let _ = taken.await;
            }
        })
    }
}
