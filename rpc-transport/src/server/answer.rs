//! Where the calls of one connection of a server are answered: in place, or in tasks.

mod serving;

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use rpc_core::connection::Incoming;
use rpc_core::{Error, Request, Response, Service};
use tokio::task::AbortHandle;

use super::placement::InPlace;
use super::{Phase, until};
use crate::connection::Answer;
pub(super) use serving::Serving;
use serving::{Call, answer, go_on, go_on_with_items, panicked};

/// Makes what answers the calls of a connection.
pub(super) fn answers<S: Service>(serving: Serving<S>) -> impl Answer {
    let serving = Arc::new(serving);
    Answers { serving, call: S::call_owned, in_place: InPlace::new(), has_started_slow: false, place: None }
}

/// Answers the calls of one connection.
struct Answers<S, C, F> {
    serving: Arc<Serving<S>>,
    /// Calls the service.
    call: C,
    in_place: InPlace,
    has_started_slow: bool,
    /// The memory for calls of the service in place: most are done at once and leave it to the next.
    place: Option<Place<F>>,
}

type Place<F> = Pin<Box<Option<F>>>;

impl<S, C, F> Answers<S, C, F>
where
    S: Service,
    C: Fn(Arc<S>, Request) -> F,
    F: Future<Output = Result<Response, Error>> + Send + 'static,
{
    /// Polls a quick handler here; where it is not done at once, it goes on in a task of its own.
    fn run_in_place(&mut self, incoming: Incoming) -> Option<AbortHandle> {
        let method = incoming.method;
        let call = Call::new(&incoming, self.in_place.now());
        let polled = match self.serving.request(&call, incoming) {
            Ok(request) => self.poll_in_place(request),
            Err(error) => Poll::Ready(Err(error)),
        };
        let task = match polled {
            Poll::Ready(Ok(response)) => self.respond_in_place(&call, response),
            Poll::Ready(Err(error)) => {
                self.serving.fail(&call, &error);
                None
            }
            Poll::Pending => self.place.take().map(|place| self.spawn_rest(call, place)),
        };
        self.serving.placement.took(method, self.in_place.lap());
        task
    }

    /// Calls the service once; where that is not done, the call is in its place.
    fn poll_in_place(&mut self, request: Request) -> Poll<Result<Response, Error>> {
        let place = self.place.get_or_insert_with(|| Box::pin(None));
        let (service, start) = (self.serving.service.clone(), &self.call);
        // Its task polls it again before it waits for anything, so this poll needs no waker. After a panic nobody sees what is left half done.
        let poll = catch_unwind(AssertUnwindSafe(|| {
            place.set(Some(start(service, request)));
            poll_place(place, &mut Context::from_waker(Waker::noop()))
        }));
        let outcome = match poll {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(outcome)) => outcome,
            Err(_) => Err(panicked()),
        };
        place.set(None);
        Poll::Ready(outcome)
    }

    fn spawn_rest(&self, call: Call, mut place: Place<F>) -> AbortHandle {
        let service = async move { poll_fn(|cx| poll_place(&mut place, cx)).await };
        tokio::spawn(go_on(self.serving.clone(), call, service)).abort_handle()
    }

    /// Sends the result of a handler that was done at once.
    fn respond_in_place(&self, call: &Call, response: Response) -> Option<AbortHandle> {
        if self.serving.shared.takes_time(response.body()) {
            // That time is not the connection's.
            let work = go_on(self.serving.clone(), *call, std::future::ready(Ok(response)));
            return Some(tokio::spawn(work).abort_handle());
        }
        let items = self.serving.respond(call, response)?;
        let mut work = Box::pin(go_on_with_items(self.serving.clone(), *call, items));
        match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(()) => None,
            Poll::Pending => Some(tokio::spawn(work).abort_handle()),
        }
    }

    fn run_in_task(&mut self, incoming: Incoming) -> AbortHandle {
        let task = tokio::spawn(answer(self.serving.clone(), incoming)).abort_handle();
        self.in_place.lap();
        self.has_started_slow = true;
        task
    }

    /// Runs a handler that goes on without its caller, until the server ends.
    fn run_detached(&self, incoming: Incoming) -> Option<AbortHandle> {
        let Serving { shared, phase, oneway, task, .. } = &*self.serving;
        let Ok(permit) = oneway.clone().try_acquire_owned() else {
            tracing::warn!(peer = %shared.peer, "a oneway call was refused: as many run as the server allows (max_oneway_calls)");
            shared.with(|machine| machine.refuse(incoming.id));
            return None;
        };
        let (mut phase, task) = (phase.clone(), task.clone());
        let work = answer(self.serving.clone(), incoming);
        let work = async move {
            let _held = (permit, task);
            until(&mut phase, Phase::Stopping, work).await;
        };
        Some(tokio::spawn(work).abort_handle())
    }
}

fn poll_place<F: Future>(place: &mut Place<F>, cx: &mut Context<'_>) -> Poll<F::Output> {
    place.as_mut().as_pin_mut().map_or(Poll::Pending, |work| work.poll(cx))
}

impl<S, C, F> Answer for Answers<S, C, F>
where
    S: Service,
    C: Fn(Arc<S>, Request) -> F + Send,
    F: Future<Output = Result<Response, Error>> + Send + 'static,
{
    fn start_batch(&mut self) {
        self.in_place.resume();
        self.has_started_slow = false;
    }

    fn others_had_turn(&mut self) {
        self.in_place.start_over();
    }

    fn has_started_slow(&self) -> bool {
        self.has_started_slow
    }

    fn is_time_up(&self) -> bool {
        self.in_place.is_time_up()
    }

    fn start(&mut self, incoming: Incoming) -> Option<AbortHandle> {
        if incoming.oneway {
            return self.run_detached(incoming);
        }
        // Inflating arguments takes time, which is not the connection's.
        if self.serving.placement.is_quick(incoming.method) && !incoming.compressed {
            return self.run_in_place(incoming);
        }
        Some(self.run_in_task(incoming))
    }
}
