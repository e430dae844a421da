//! One line in the log for each call.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use futures_core::Stream;
use rpc_core::{
    Code, Error, ItemBatch, ItemStream, Layer, MethodDescriptor, MethodId, Peer, Request, Response, Service,
};
use tracing::metadata::Kind;

use crate::either::Either;
use crate::listened::is_listened_to;
use crate::request_id::request_id;
use crate::timeout::{began, now};

const TARGET: &str = "farcall::access";

/// Writes one `tracing` event for each call, at level INFO and target `farcall::access`, when it is over.
///
/// Its fields: `method`, `code` (`OK`, a status code's name, `CANCELLED` for a call that was dropped, `INTERNAL` for one that panicked), `failed` (the answer is the
/// method's own error), `elapsed_us`, `request_bytes` and `response_bytes` (encoded, items of the answer included, items of the request
/// not), `items`, and, where they are known, `peer` and `request_id`. A call that answers with a stream is over with its last item. No
/// argument, result or metadata value is written. Where nobody takes
/// the target at INFO, the layer does nothing: no clock is read, no memory is taken. A filter that looks at each event anew may take it.
///
/// ```
/// use rpc_layers::AccessLog;
/// let layer = AccessLog::new();
/// # let _ = layer;
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
#[non_exhaustive]
pub struct AccessLog;

impl AccessLog {
    /// Creates the layer.
    pub const fn new() -> Self {
        Self
    }
}

impl<S: Service> Layer<S> for AccessLog {
    type Service = AccessLogService<S>;

    fn layer(self, inner: S) -> Self::Service {
        AccessLogService { inner }
    }
}

/// The service that [`AccessLog`] makes.
#[derive(Debug)]
pub struct AccessLogService<S> {
    inner: S,
}

impl<S: Service> Service for AccessLogService<S> {
    #[inline(always)] // see `Either`
    fn call(&self, request: Request) -> impl Future<Output = Result<Response, Error>> + Send {
        if is_listened_to!("call", TARGET, Kind::EVENT) {
            Either::Seen { call: Box::pin(self.log(request)) }
        } else {
            Either::Passes { call: self.inner.call(request) }
        }
    }

    fn find_method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.inner.find_method(id)
    }

    fn describe(&self, lines: &mut Vec<String>) {
        lines.push("AccessLog".to_owned());
        self.inner.describe(lines);
    }
}

impl<S: Service> AccessLogService<S> {
    /// Makes a call that somebody wants a line of.
    async fn log(&self, mut request: Request) -> Result<Response, Error> {
        request.find_descriptor(&self.inner);
        let mut line = Line::new(&request);
        match self.inner.call(request).await {
            Ok(response) => {
                line.code = "OK";
                line.failed = response.is_failed();
                line.response_bytes = size(response.body().message_bytes());
                Ok(response.map_items(|items| ItemStream::of_batches(Logged::new(items, line))))
            }
            Err(error) => {
                line.code = error.code().name();
                Err(error)
            }
        }
    }
}

/// What is known of a call so far; written when it is dropped, for a call may be dropped at any time.
struct Line {
    start: Instant,
    method: Method,
    peer: Option<Peer>,
    request_id: Option<String>,
    code: &'static str,
    failed: bool,
    request_bytes: u64,
    response_bytes: u64,
    items: u64,
}

impl Line {
    fn new(request: &Request) -> Self {
        Self {
            start: began(),
            method: Method { id: request.method(), descriptor: request.descriptor() },
            peer: request.peer().cloned(),
            request_id: request_id(request.metadata()).map(str::to_owned),
            code: "CANCELLED",
            failed: false,
            request_bytes: size(request.body().message_bytes()),
            response_bytes: 0,
            items: 0,
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.code = Code::Internal.name();
        }
        let elapsed = now().saturating_duration_since(self.start).as_micros();
        tracing::info!(
            target: TARGET,
            method = %self.method,
            code = self.code,
            failed = self.failed,
            elapsed_us = u64::try_from(elapsed).unwrap_or(u64::MAX),
            request_bytes = self.request_bytes,
            response_bytes = self.response_bytes,
            items = self.items,
            peer = self.peer.as_ref().map(tracing::field::display),
            request_id = self.request_id.as_deref(),
            "call"
        );
    }
}

struct Method {
    id: MethodId,
    descriptor: Option<&'static MethodDescriptor>,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.descriptor {
            Some(descriptor) => descriptor.fmt(f),
            None => self.id.fmt(f),
        }
    }
}

struct Logged {
    items: ItemStream,
    /// None once they are over.
    line: Option<Line>,
}

impl Logged {
    fn new(items: ItemStream, mut line: Line) -> Self {
        // Until the last item, the caller may still go away.
        line.code = "CANCELLED";
        Self { items, line: Some(line) }
    }
}

impl Stream for Logged {
    type Item = Result<ItemBatch, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let batch = ready!(self.items.poll_batch(cx));
        if let Some(line) = &mut self.line {
            match &batch {
                Some(Ok(batch)) => {
                    line.items = line.items.saturating_add(size(batch.len()));
                    line.response_bytes = line.response_bytes.saturating_add(size(batch.bytes()));
                }
                Some(Err(error)) => line.code = error.code().name(),
                None => line.code = "OK",
            }
        }
        if !matches!(batch, Some(Ok(_))) {
            self.line = None;
        }
        Poll::Ready(batch)
    }
}

fn size(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
