//! The calls of one connection of a server.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use rpc_core::connection::{Incoming, Reply};
use rpc_core::wire::StreamId;
use rpc_core::{
    Body, Code, CodecKind, Error, ErrorKind, MethodId, Request, Response, Service, Status, deadline_after,
};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use super::placement::{InPlace, Placement};
use super::{Phase, until};
use crate::clock::now;
use crate::connection::{Answer, Shared};
use crate::items::{AcceptedCall, IncomingItems, Sent, send};
use crate::panics::{Caught, Panicked};

/// Answers the calls of one connection.
pub(super) struct Answers<S> {
    service: Arc<S>,
    shared: Arc<Shared>,
    phase: watch::Receiver<Phase>,
    placement: Arc<Placement>,
    in_place: InPlace,
    /// Held by oneway calls too: the server waits for them.
    task: mpsc::Sender<()>,
}

impl<S: Service> Answers<S> {
    pub(super) fn new(
        service: Arc<S>,
        shared: Arc<Shared>,
        phase: watch::Receiver<Phase>,
        placement: Arc<Placement>,
        task: mpsc::Sender<()>,
    ) -> Self {
        Self { service, shared, phase, placement, in_place: InPlace::new(), task }
    }

    /// Polls a quick handler here; where it is not done at once, it goes on in a task of its own.
    fn run_in_place(&self, method: MethodId, started_at: Instant, incoming: Incoming) -> Option<AbortHandle> {
        let mut work = Box::pin(answer(self.service.clone(), self.shared.clone(), incoming));
        // Its task polls it again before it waits for anything, so this poll needs no waker.
        let poll = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.placement.took(method, started_at.elapsed());
        match poll {
            Poll::Ready(()) => None,
            Poll::Pending => Some(tokio::spawn(work).abort_handle()),
        }
    }

    fn run_in_task(&self, method: MethodId, incoming: Incoming) -> AbortHandle {
        let (service, shared, placement) =
            (self.service.clone(), self.shared.clone(), self.placement.clone());
        let work = async move {
            let mut work = pin!(answer(service, shared, incoming));
            let started_at = Instant::now();
            let first = poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await;
            placement.took(method, started_at.elapsed());
            if first.is_pending() {
                work.await;
            }
        };
        tokio::spawn(work).abort_handle()
    }
}

impl<S: Service> Answer for Answers<S> {
    fn start_batch(&mut self) {
        self.in_place.restart(Instant::now());
    }

    fn start(&mut self, incoming: Incoming) -> Option<AbortHandle> {
        let method = incoming.method;
        if incoming.oneway {
            // It goes on without its caller, until the server ends.
            let answer = answer(self.service.clone(), self.shared.clone(), incoming);
            let (mut phase, task) = (self.phase.clone(), self.task.clone());
            let work = async move {
                let _task = task;
                until(&mut phase, Phase::Stopping, answer).await;
            };
            return Some(tokio::spawn(work).abort_handle());
        }
        let now = Instant::now();
        if self.placement.is_quick(method) && self.in_place.has_time(now) {
            self.run_in_place(method, now, incoming)
        } else {
            Some(self.run_in_task(method, incoming))
        }
    }
}

async fn answer<S: Service>(service: Arc<S>, shared: Arc<Shared>, incoming: Incoming) {
    let (id, oneway) = (incoming.id, incoming.oneway);
    let deadline = incoming.timeout.map(|timeout| deadline_after(now(), timeout));
    let work = Caught::new(async {
        let request = request(&shared, incoming, deadline)?;
        let response = service.call(request).await?;
        if oneway { Ok(()) } else { respond(&shared, id, response).await }
    });
    let outcome = match deadline {
        None => work.await,
        Some(deadline) => match before(deadline, work).await {
            Some(outcome) => outcome,
            None => Ok(Err(too_late("the deadline passed while the handler ran").into())),
        },
    };
    let error = match outcome {
        Ok(Ok(())) if oneway => return shared.with(|machine| machine.end_items(id)),
        Ok(Ok(())) => return,
        Ok(Err(error)) => error,
        Err(Panicked) => Status::new(Code::Internal, "the handler panicked; see the server's log").into(),
    };
    if oneway {
        tracing::debug!(peer = %shared.peer, %error, "a oneway call failed");
    }
    if error.kind() == ErrorKind::Refused {
        shared.with(|machine| machine.refuse(id));
    } else {
        shared.with(|machine| machine.fail(id, into_status(&error)));
    }
}

/// Waits for a future until a deadline; past it the future is not polled again, even if it is woken by the same deadline further on.
async fn before<F: Future>(deadline: Instant, future: F) -> Option<F::Output> {
    let mut sleep = pin!(tokio::time::sleep_until(deadline.into()));
    let mut future = pin!(future);
    poll_fn(|cx| match sleep.as_mut().poll(cx) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => future.as_mut().poll(cx).map(Some),
    })
    .await
}

fn request(shared: &Arc<Shared>, incoming: Incoming, deadline: Option<Instant>) -> Result<Request, Error> {
    // A call that waited too long for its turn is not worth running.
    if deadline.is_some_and(|deadline| deadline <= now()) {
        return Err(too_late("the deadline had passed before the handler was run").into());
    }
    let codec = CodecKind::from_id(incoming.codec).ok_or_else(|| CodecKind::unsupported(incoming.codec))?;
    let mut body = Body::new(incoming.message);
    if incoming.items {
        let call = AcceptedCall { shared: shared.clone(), id: incoming.id };
        body = body.with_items(Box::pin(IncomingItems::new(call)));
    }
    let mut request = Request::by_id(incoming.method, codec, body);
    request.set_deadline(deadline);
    request.set_peer(shared.peer.clone());
    *request.metadata_mut() = incoming.metadata;
    Ok(request)
}

fn too_late(text: &str) -> Status {
    Status::new(Code::DeadlineExceeded, text)
}

async fn respond(shared: &Shared, id: StreamId, response: Response) -> Result<(), Error> {
    let mut reply = Reply::new(response.codec().id(), response.body().message().clone());
    reply.failed = response.is_failed();
    let (metadata, body) = response.into_parts();
    let (_, items) = body.into_parts();
    reply.metadata = metadata;
    reply.items = items.is_some();
    shared.with(|machine| machine.reply(id, reply));
    let Some(items) = items else { return Ok(()) };
    match send(shared, id, items).await {
        Sent::All => shared.with(|machine| machine.end_items(id)),
        Sent::Failed(error) => return Err(error),
        Sent::Over => {}
    }
    Ok(())
}

/// What the peer is told of an error: what was answered, or, where the handler's own calls failed, that.
fn into_status(error: &Error) -> Status {
    match error.status() {
        Some(status) => status.clone(),
        None => Status::new(error.code(), error.to_string()),
    }
}
