//! Holds a call to its deadline.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use pin_project_lite::pin_project;
use rpc_core::timeline::Listener;
use tokio::time::{Sleep, sleep_until};

pin_project! {
    /// A future that is given up once a deadline has passed; not polled again then, even if it is woken by the same deadline further on.
    // A type of its own, and not an `async fn`: that would hold the future twice, and calls are moved about.
    pub(super) struct InTime<F> {
        #[pin]
        future: F,
        // Apart: most calls have no deadline, and a sleep takes as much as a request.
        sleep: Option<Pin<Box<Sleep>>>,
    }
}

/// The deadline passed. It hears what the future has to say, which is dropped next: what it waited for, if that was a call of its own.
#[derive(Debug)]
pub(super) struct TooLate(pub(super) Listener);

/// Waits for a future until a deadline, where there is one.
pub(super) fn in_time<F: Future>(deadline: Option<Instant>, future: F) -> InTime<F> {
    InTime { future, sleep: deadline.map(|deadline| Box::pin(sleep_until(deadline.into()))) }
}

impl<F: Future> Future for InTime<F> {
    type Output = Result<F::Output, TooLate>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.sleep.as_mut().is_some_and(|sleep| sleep.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(Err(TooLate(Listener::new())));
        }
        this.future.poll(cx).map(Ok)
    }
}
