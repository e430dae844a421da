//! Holds a call to its deadline.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep_until};

pin_project! {
    /// A future that is given up once a deadline has passed; not polled again then, even if it is woken by the same deadline further on.
    // A type of its own, and not an `async fn`: that would hold the future twice, and calls are moved about.
    pub(super) struct InTime<F> {
        #[pin]
        future: F,
        #[pin]
        sleep: Option<Sleep>,
    }
}

/// Waits for a future until a deadline, where there is one.
pub(super) fn in_time<F: Future>(deadline: Option<Instant>, future: F) -> InTime<F> {
    InTime { future, sleep: deadline.map(|deadline| sleep_until(deadline.into())) }
}

impl<F: Future> Future for InTime<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.sleep.as_pin_mut().is_some_and(|sleep| sleep.poll(cx).is_ready()) {
            return Poll::Ready(None);
        }
        this.future.poll(cx).map(Some)
    }
}
