//! Where the calls of one connection of a server are answered: in place, or in tasks.

mod serving;

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use rpc_core::connection::Incoming;
use rpc_core::timeline::Reading;
use rpc_core::{Error, ItemStream, Request, Response, ServerTimes, Service};
use tokio::task::AbortHandle;

use super::placement::InPlace;
use super::{Phase, until};
use crate::connection::Answer;
pub(super) use serving::Serving;
use serving::{Call, answer, go_on, go_on_with, go_on_with_items, panicked};

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

/// What is left to do of a call that was not done in place.
enum Rest<F> {
    /// The service has not answered.
    Call(Place<F>),
    /// The result is to be compressed first.
    Response(Response, Option<ServerTimes>),
    /// There are more items to come, or to be sent.
    Items(Pin<Box<dyn Future<Output = ()> + Send>>),
}

impl<S, C, F> Answers<S, C, F>
where
    S: Service,
    C: Fn(Arc<S>, Request) -> F,
    F: Future<Output = Result<Response, Error>> + Send + 'static,
{
    /// Polls a quick handler here; where it is not done at once, it goes on in a task of its own.
    fn run_in_place(&mut self, mut incoming: Incoming) -> Option<AbortHandle> {
        let method = incoming.method;
        let call = self.serving.begin(&incoming, self.in_place.now());
        // Nobody sees what a panic leaves half done: the call is over with it, and its place is not used again.
        let answered = catch_unwind(AssertUnwindSafe(|| self.answer_in_place(&call, &mut incoming)));
        // Starting a task is what is saved here, and not a part of what the handler takes.
        self.serving.placement.took(method, self.in_place.lap());
        match answered.unwrap_or_else(|_| Err(self.clear_place())) {
            Ok(None) => None,
            Ok(Some(rest)) => Some(self.spawn_rest(call, rest)),
            Err(error) => {
                self.serving.fail(&call, &error);
                None
            }
        }
    }

    /// Calls the service once, and sends the result where that is done; gives what is left to do otherwise.
    fn answer_in_place(&mut self, call: &Call, incoming: &mut Incoming) -> Result<Option<Rest<F>>, Error> {
        let request = self.serving.request(call, incoming)?;
        // Who wants to know when the call began is spared a look at the clock.
        let _shared = Reading::share(Some(call.started_at()));
        let place = self.place.get_or_insert_with(|| Box::pin(None));
        place.set(Some((self.call)(self.serving.service.clone(), request)));
        // Its task polls it again before it waits for anything, so this poll needs no waker.
        // The response stays where it is: to move what was just written takes as long as to make it.
        let mut polled = poll_place(place, &mut Context::from_waker(Waker::noop()));
        if polled.is_pending() {
            return Ok(self.place.take().map(Rest::Call));
        }
        place.set(None);
        let times = self.serving.times(call);
        if let Poll::Ready(Ok(response)) = &mut polled
            && !self.serving.shared.takes_time(response.body())
        {
            let items = self.serving.respond(call, response, times);
            return Ok(items.and_then(|items| self.send_in_place(call, items)));
        }
        match polled {
            // That time is not the connection's.
            Poll::Ready(response) => Ok(Some(Rest::Response(response?, times))),
            Poll::Pending => Ok(None),
        }
    }

    /// Sends the items that are ready.
    fn send_in_place(&self, call: &Call, items: ItemStream) -> Option<Rest<F>> {
        let mut work = Box::pin(go_on_with_items(self.serving.clone(), *call, items));
        let poll = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        poll.is_pending().then_some(Rest::Items(work))
    }

    fn spawn_rest(&self, call: Call, rest: Rest<F>) -> AbortHandle {
        let serving = self.serving.clone();
        match rest {
            Rest::Call(mut place) => {
                let service = async move { poll_fn(|cx| poll_place(&mut place, cx)).await };
                tokio::spawn(go_on(serving, call, service)).abort_handle()
            }
            Rest::Response(response, times) => {
                tokio::spawn(go_on_with(serving, call, response, times)).abort_handle()
            }
            Rest::Items(work) => tokio::spawn(work).abort_handle(),
        }
    }

    /// Drops what has panicked, which may do so again.
    fn clear_place(&mut self) -> Error {
        let place = self.place.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(place)));
        panicked()
    }

    fn run_in_task(&mut self, incoming: Incoming, is_quick: bool) -> AbortHandle {
        let task = tokio::spawn(answer(self.serving.clone(), incoming)).abort_handle();
        self.in_place.lap();
        self.has_started_slow |= !is_quick;
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
        let is_quick = self.serving.placement.is_quick(incoming.method);
        // Inflating arguments takes time, which is not the connection's.
        if is_quick && !incoming.compressed {
            return self.run_in_place(incoming);
        }
        Some(self.run_in_task(incoming, is_quick))
    }
}
