//! A call that can be adjusted first and awaited then.

mod server_times;

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep_until};

use crate::items::IntoItems;
use crate::reply::Reply;
use crate::timeline::Reading;
use crate::{CodecKind, Error, Fate, Metadata, MethodDescriptor, Request, Response, metadata};

/// The longest that a call may take, in seconds: a year. A longer time is taken for this.
const TIMEOUT_SECONDS_MAX: u64 = 365 * 24 * 60 * 60;

/// Returns the moment that is so much later, clamped to a year from `now`.
pub fn deadline_after(now: Instant, timeout: Duration) -> Instant {
    let year = Duration::from_secs(TIMEOUT_SECONDS_MAX);
    now.checked_add(timeout.min(year)).unwrap_or(now)
}

/// Returns the present as tokio has it, which tests can pause.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

pub use server_times::WithServerTimes;

/// How a call gets going; implemented by the functions that generated clients pass along.
pub trait Start: Send + 'static {
    /// The call under way.
    type Future: Future<Output = Result<Response, Error>> + Send;

    /// Sends the request.
    fn start(self, request: Request) -> Self::Future;
}

impl<A, F> Start for A
where
    A: FnOnce(Request) -> F + Send + 'static,
    F: Future<Output = Result<Response, Error>> + Send,
{
    type Future = F;

    fn start(self, request: Request) -> F {
        self(request)
    }
}

pin_project! {
    /// A call of one method: a future that can be adjusted until it is first polled.
    ///
    /// It is what each method of a generated client returns. Nothing is sent before it is polled. It inherits from the ambient
    /// [`Context`](crate::Context): its deadline is the earlier of its own and the ambient one.
    ///
    /// # Errors
    /// An [`Error`], or a [`CallError`](crate::CallError) where the method itself returns a `Result`.
    ///
    /// # Panics
    /// Polling a call that has a deadline needs a tokio runtime with its time driver on; no call may be polled after it is done.
    ///
    /// # Cancel safety
    /// Dropping it cancels the handler on the server.
    #[must_use = "a call does nothing unless it is awaited"]
    pub struct Call<R, A: Start> {
        method: &'static MethodDescriptor,
        deadline: Option<Instant>,
        #[pin]
        state: State<A, A::Future>,
        reply: PhantomData<fn() -> R>,
    }
}

pin_project! {
    #[project = StateProject]
    enum State<A, F> {
        // Taken apart where it is: moving the whole state would cost more than the rest of a poll.
        Idle { start: Option<(Result<Request, Error>, A)>, timeout: Option<Duration> },
        Running { #[pin] future: F, #[pin] sleep: Option<Sleep>, started_at: Instant },
        Done,
    }
}

impl<R, A: Start> Call<R, A> {
    pub(crate) fn new(method: &'static MethodDescriptor, request: Result<Request, Error>, start: A) -> Self {
        let state = State::Idle { start: Some((request, start)), timeout: method.timeout() };
        Self { method, deadline: None, state, reply: PhantomData }
    }

    /// Ends the call if it takes longer, counted from its first poll; longer than a year counts as a year.
    ///
    /// It takes the place of the timeout that the trait gives the method.
    pub fn timeout(mut self, after: Duration) -> Self {
        if let State::Idle { timeout, .. } = &mut self.state {
            *timeout = Some(after);
        }
        self
    }

    /// Ends the call at this time, if no timeout ends it earlier.
    pub fn deadline(mut self, at: Instant) -> Self {
        self.deadline = Some(at);
        self
    }

    /// Sends a value beside the arguments.
    ///
    /// # Panics
    /// Where [`Metadata::is_valid_key`] says no.
    pub fn metadata(self, key: &str, value: impl Into<metadata::Value>) -> Self {
        self.with_request(|request| request.metadata_mut().insert(key, value))
    }

    /// Sends a value beside the arguments, and with the calls that the handler makes in turn.
    ///
    /// # Panics
    /// Where [`Metadata::is_valid_key`] says no.
    pub fn propagate(self, key: &str, value: impl Into<metadata::Value>) -> Self {
        self.with_request(|request| request.metadata_mut().propagate(key, value))
    }

    fn with_request(mut self, change: impl FnOnce(&mut Request)) -> Self {
        if let State::Idle { start: Some((Ok(request), _)), .. } = &mut self.state {
            change(request);
        }
        self
    }

    /// Gives what travels beside the result too.
    pub fn with_response_metadata(self) -> WithMetadata<R, A> {
        WithMetadata { call: self }
    }

    fn poll_response(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Response, Error>> {
        let mut this = self.project();
        let named = |error: Error| error.with_method(this.method.to_string());
        let mut reading = None;
        if let StateProject::Idle { start, timeout } = this.state.as_mut().project() {
            // The one look at the clock that a call costs: what happens in its first poll takes no other.
            let now = now();
            if let Some((Ok(request), _)) = start {
                let after = timeout.map(|timeout| deadline_after(now, timeout));
                request.set_deadline(after.into_iter().chain(*this.deadline).min());
                crate::Context::inherit(request);
                *this.deadline = request.deadline();
            }
            let (request, start) = start.take().expect(POLLED_AFTER_DONE);
            let request = request.map_err(named)?;
            if this.deadline.is_some_and(|deadline| deadline <= now) {
                return Poll::Ready(Err(named(Error::deadline_exceeded().with_fate(Fate::NeverSent))));
            }
            let sleep = this.deadline.map(|deadline| sleep_until(deadline.into()));
            reading = Some(Reading::share(Some(now)));
            this.state.set(State::Running { future: start.start(request), sleep, started_at: now });
        }
        let StateProject::Running { future, mut sleep, started_at } = this.state.as_mut().project() else {
            panic!("{POLLED_AFTER_DONE}");
        };
        let started_at = *started_at;
        let reading = reading.unwrap_or_else(|| Reading::share(None));
        let mut polled = future.poll(cx);
        drop(reading);
        if polled.is_pending() {
            let Some(sleep) = sleep.as_mut().as_pin_mut() else { return Poll::Pending };
            ready!(sleep.poll(cx));
            let error = Error::deadline_exceeded().giving_up(|| this.state.set(State::Done));
            polled = Poll::Ready(Err(error));
        }
        this.state.set(State::Done);
        if let (Poll::Ready(Ok(response)), Some(deadline)) = (&mut polled, *this.deadline) {
            response.end_items_at(deadline);
        }
        match polled {
            Poll::Ready(Err(error)) => Poll::Ready(Err(named(error.of_call(this.method, started_at)))),
            polled => polled,
        }
    }
}

const POLLED_AFTER_DONE: &str = "a call was polled after it was done";

impl<R: Reply, A: Start> Future for Call<R, A> {
    type Output = Result<R::Value, R::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let method = self.method;
        // The response stays where it is: to move what was just written takes as long as to make it.
        match self.poll_response(cx) {
            Poll::Ready(Ok(mut response)) => Poll::Ready(R::read(&mut response, method)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<R, A: Start> fmt::Debug for Call<R, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("method", &self.method.to_string()).finish_non_exhaustive()
    }
}

pin_project! {
    /// The call that [`Call::with_response_metadata`] makes: it gives the result and what travelled beside it.
    #[must_use = "a call does nothing unless it is awaited"]
    pub struct WithMetadata<R, A: Start> {
        #[pin]
        call: Call<R, A>,
    }
}

impl<R: Reply, A: Start> Future for WithMetadata<R, A> {
    type Output = Result<(R::Value, Metadata), R::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let call = self.project().call;
        let method = call.method;
        let mut response = ready!(call.poll_response(cx))?;
        let metadata = std::mem::take(response.metadata_mut());
        Poll::Ready(R::read(&mut response, method).map(|value| (value, metadata)))
    }
}

impl<R, A: Start> fmt::Debug for WithMetadata<R, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.fmt(f)
    }
}

/// What every generated client is made of: a service, shared by its clones and its calls. `M` is the enum of its requests.
pub struct Client<M, S> {
    service: std::sync::Arc<S>,
    codec: CodecKind,
    requests: PhantomData<fn() -> M>,
}

impl<M, S: crate::Service> Client<M, S> {
    /// Makes the core of a client.
    pub fn new(service: S) -> Self {
        Self { service: std::sync::Arc::new(service), codec: CodecKind::default(), requests: PhantomData }
    }

    /// Encodes all further calls with this codec.
    #[must_use]
    pub fn with_codec(mut self, codec: CodecKind) -> Self {
        self.codec = codec;
        self
    }

    /// Encodes a request.
    ///
    /// # Errors
    /// [`ErrorKind::Encode`](crate::ErrorKind::Encode).
    pub fn request<'m, R: crate::Message<'m>>(&self, message: &R) -> Result<Request, Error> {
        let body = crate::message::encode(self.codec, message)?;
        Ok(Request::new(message.method(), self.codec, body))
    }

    /// Makes a call of an encoded request.
    pub fn call<R>(
        &self,
        method: &'static MethodDescriptor,
        request: Result<Request, Error>,
    ) -> Call<R, impl Start + use<M, R, S>> {
        let service = self.service.clone();
        Call::new(method, request, move |request| service.call_owned(request))
    }

    /// Makes a call whose request is followed by items.
    pub fn call_with_items<R, St>(
        &self,
        method: &'static MethodDescriptor,
        request: Result<Request, Error>,
        items: St,
    ) -> Call<R, impl Start + use<M, R, S, St>>
    where
        St: IntoItems,
    {
        let codec = self.codec;
        let request =
            request.map(|request| request.map_body(|body| body.with_items(items.into_items(codec))));
        self.call(method, request)
    }
}

impl<M, S> Clone for Client<M, S> {
    fn clone(&self) -> Self {
        Self { service: self.service.clone(), codec: self.codec, requests: PhantomData }
    }
}

impl<M, S> fmt::Debug for Client<M, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("codec", &self.codec.name()).finish_non_exhaustive()
    }
}
