//! Keeps a panic to the call in which it happens.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

/// A future that panicked.
pub(crate) struct Panicked;

pin_project! {
    /// Turns a panic of the inner future into an error.
    pub(crate) struct Caught<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Caught<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { future }
    }
}

impl<F: Future> Future for Caught<F> {
    type Output = Result<F::Output, Panicked>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let future = self.project().future;
        // The future is not polled again after a panic, so nobody sees what the panic has left half done.
        match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(_) => Poll::Ready(Err(Panicked)),
        }
    }
}
