//! Bounds how long a call may take.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use rpc_core::timeline::Reading;
use rpc_core::{
    Error, ErrorKind, Fate, Layer, MethodDescriptor, MethodId, Request, Response, Service, deadline_after,
};
use tokio::time::{Sleep, sleep_until};

use crate::refusals::Refusals;

/// Ends a call that takes longer than this, with the items that follow its answer; a call with an earlier deadline keeps that.
///
/// The deadline travels with the request, so that a server and all that it calls stop too. Around a [`Retry`](crate::Retry) it bounds
/// all attempts together, inside of one each attempt.
///
/// ```
/// use std::time::Duration;
/// use rpc_layers::Timeout;
/// let layer = Timeout::new(Duration::from_millis(500));
/// # let _ = layer;
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Timeout {
    after: Duration,
}

impl Timeout {
    /// Bounds each call to so much time; more than a year counts as a year.
    ///
    /// Too short ends honest calls, which may have run all the same; too long holds what a call holds while its peer is stuck.
    pub const fn new(after: Duration) -> Self {
        Self { after }
    }
}

impl<S: Service> Layer<S> for Timeout {
    type Service = TimeoutService<S>;

    fn layer(self, inner: S) -> Self::Service {
        TimeoutService { inner, after: self.after, refusals: Refusals::new("timeout") }
    }
}

/// The service that [`Timeout`] makes.
///
/// # Errors
/// [`ErrorKind::DeadlineExceeded`](rpc_core::ErrorKind::DeadlineExceeded): the call was dropped when its time was up, and may have run.
///
/// # Panics
/// A call that has to wait needs a tokio runtime with its time driver on.
#[derive(Debug)]
pub struct TimeoutService<S> {
    inner: S,
    after: Duration,
    refusals: Refusals,
}

impl<S: Service> Service for TimeoutService<S> {
    async fn call(&self, mut request: Request) -> Result<Response, Error> {
        let now = began();
        let latest = deadline_after(now, self.after);
        let deadline = request.deadline().map_or(latest, |own| own.min(latest));
        let (id, descriptor, at_server) = (request.method(), request.descriptor(), request.peer().is_some());
        let refused = || {
            // A call that had less time to begin with was not ended by this limit.
            if deadline == latest {
                self.refusals.count(id, || descriptor.or_else(|| self.inner.find_method(id)));
            }
        };
        let too_late =
            || if deadline == latest { self.timed_out(at_server) } else { Error::deadline_exceeded() };
        if deadline <= now {
            refused();
            return Err(too_late().with_fate(Fate::NeverSent));
        }
        request.set_deadline(Some(deadline));
        let mut call = pin!(Some(self.inner.call(request)));
        let answered = poll_fn(|cx| call.as_mut().as_pin_mut().map_or(Poll::Pending, |call| call.poll(cx)));
        match within(deadline, answered).await {
            Some(response) => Ok(response?.until(deadline)),
            None => {
                refused();
                Err(too_late().giving_up(|| call.set(None)))
            }
        }
    }

    fn find_method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.inner.find_method(id)
    }

    fn describe(&self, lines: &mut Vec<String>) {
        lines.push(format!("Timeout({:?})", self.after));
        self.inner.describe(lines);
    }
}

impl<S> TimeoutService<S> {
    fn timed_out(&self, at_server: bool) -> Error {
        let whose = if at_server { "server" } else { "caller" };
        let text = format!(
            "the {whose}'s Timeout of {:?} passed before the answer came: allow more time, or find what is slow",
            self.after
        );
        Error::new(ErrorKind::DeadlineExceeded, text)
    }
}

/// Returns the present as tokio has it, which tests can pause.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Returns when a call began that is seen here for the first time, without a look at the clock where somebody has just looked.
pub(crate) fn began() -> Instant {
    Reading::current().unwrap_or_else(now)
}

/// Waits for a future until a deadline; none where that comes first.
pub(crate) async fn within<T>(deadline: Instant, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    // Made when it is first needed: an answer that is there at once asks for no timer.
    let mut sleep = pin!(None::<Sleep>);
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        if sleep.is_none() {
            sleep.set(Some(sleep_until(deadline.into())));
        }
        let Some(sleep) = sleep.as_mut().as_pin_mut() else { return Poll::Pending };
        sleep.poll(cx).map(|()| None)
    })
    .await
}
