//! The calls of one connection of a server.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use rpc_core::connection::{Incoming, Reply, Times};
use rpc_core::timeline::Abandoned;
use rpc_core::wire::StreamId;
use rpc_core::{
    Body, Code, Error, ErrorKind, ItemStream, Request, Response, ServerTimes, Service, Status, deadline_after,
};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::{AbortHandle, yield_now};

use super::accept::Acceptor;
use super::deadline::{TooLate, in_time};
use super::placement::{InPlace, Placement, measure};
use super::{Inspector, Phase, until};
use crate::clock::now;
use crate::coding::Unpacking;
use crate::connection::{Answer, Shared};
use crate::items::{AcceptedCall, IncomingItems, Sent, send};
use crate::panics::{Caught, Panicked};

/// Answers the calls of one connection.
struct Answers<S, W, F> {
    serving: Arc<Serving<S>>,
    /// Makes the work of answering a call.
    work: W,
    in_place: InPlace,
    has_started_slow: bool,
    /// The memory for work in place: most is done at once and leaves it to the next.
    place: Option<Pin<Box<Option<F>>>>,
}

/// What answering a call needs.
pub(super) struct Serving<S> {
    service: Arc<S>,
    shared: Arc<Shared>,
    placement: Arc<Placement>,
    phase: watch::Receiver<Phase>,
    oneway: Arc<Semaphore>,
    /// Held by oneway calls too: the server waits for them.
    task: mpsc::Sender<()>,
    inspector: Inspector,
    /// Callers are told no more than they have to know.
    discreet: bool,
    #[cfg(feature = "metrics")]
    queue: super::queue::Queue,
}

impl<S> Serving<S> {
    pub(super) fn new(acceptor: Acceptor<S>, shared: Arc<Shared>) -> Self {
        let Acceptor { service, phase, placement, oneway, task, inspector, discreet, .. } = acceptor;
        Self {
            service,
            shared,
            placement,
            phase,
            oneway,
            task,
            inspector,
            discreet,
            #[cfg(feature = "metrics")]
            queue: super::queue::Queue::new(),
        }
    }
}

/// Makes what answers the calls of a connection.
pub(super) fn answers<S: Service>(serving: Serving<S>) -> impl Answer {
    let serving = Arc::new(serving);
    Answers { serving, work: answer, in_place: InPlace::new(), has_started_slow: false, place: None }
}

impl<S, W, F> Answers<S, W, F>
where
    S: Service,
    W: Fn(Arc<Serving<S>>, Incoming, Measured) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    /// Polls a quick handler here; where it is not done at once, it goes on in a task of its own.
    fn run_in_place(&mut self, incoming: Incoming) -> Option<AbortHandle> {
        let method = incoming.method;
        let mut place = self.place.take().unwrap_or_else(|| Box::pin(None));
        let measured = Measured::ByCaller(self.in_place.now());
        // Made where it is moved to the heap at once: it is large.
        place.set(Some((self.work)(self.serving.clone(), incoming, measured)));
        // Its task polls it again before it waits for anything, so this poll needs no waker.
        let poll = poll_place(place.as_mut(), &mut Context::from_waker(Waker::noop()));
        self.serving.placement.took(method, self.in_place.lap());
        match poll {
            Poll::Ready(()) => {
                place.set(None);
                self.place = Some(place);
                None
            }
            Poll::Pending => {
                let work = async move { poll_fn(|cx| poll_place(place.as_mut(), cx)).await };
                Some(tokio::spawn(work).abort_handle())
            }
        }
    }

    /// Runs a handler that goes on without its caller, until the server ends.
    fn run_detached(&self, id: StreamId, work: F) -> Option<AbortHandle> {
        let Serving { shared, phase, oneway, task, .. } = &*self.serving;
        let Ok(permit) = oneway.clone().try_acquire_owned() else {
            tracing::warn!(peer = %shared.peer, "a oneway call was refused: as many run as the server allows (max_oneway_calls)");
            shared.with(|machine| machine.refuse(id));
            return None;
        };
        let (mut phase, task) = (phase.clone(), task.clone());
        let work = async move {
            let _held = (permit, task);
            until(&mut phase, Phase::Stopping, work).await;
        };
        Some(tokio::spawn(work).abort_handle())
    }

    fn run_in_task(&mut self, work: F) -> AbortHandle {
        let task = tokio::spawn(work).abort_handle();
        self.in_place.lap();
        self.has_started_slow = true;
        task
    }
}

fn poll_place<F: Future<Output = ()>>(place: Pin<&mut Option<F>>, cx: &mut Context<'_>) -> Poll<()> {
    place.as_pin_mut().map_or(Poll::Ready(()), |work| work.poll(cx))
}

impl<S, W, F> Answer for Answers<S, W, F>
where
    S: Service,
    W: Fn(Arc<Serving<S>>, Incoming, Measured) -> F + Send,
    F: Future<Output = ()> + Send + 'static,
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
        let (method, oneway) = (incoming.method, incoming.oneway);
        if !oneway && self.serving.placement.is_quick(method) {
            return self.run_in_place(incoming);
        }
        let id = incoming.id;
        let work = (self.work)(self.serving.clone(), incoming, Measured::ByItself);
        if oneway { self.run_detached(id, work) } else { Some(self.run_in_task(work)) }
    }
}

/// Who sees to how long the first poll of a call takes.
enum Measured {
    /// It has looked at the clock.
    ByCaller(Instant),
    ByItself,
}

/// When a call came, when its turn was, and whether its caller wants to know.
#[derive(Clone, Copy)]
struct Turn {
    wanted: Times,
    came_at: Instant,
    started_at: Instant,
}

impl Turn {
    /// Returns how long the call waited, and how long it has taken since.
    fn times(self) -> ServerTimes {
        let Self { came_at, started_at, .. } = self;
        let queue = started_at.saturating_duration_since(came_at);
        ServerTimes::new(queue, now().saturating_duration_since(started_at))
    }
}

async fn answer<S: Service>(serving: Arc<Serving<S>>, mut incoming: Incoming, measured: Measured) {
    let Serving { service, shared, placement, inspector, .. } = &*serving;
    let (id, oneway, method) = (incoming.id, incoming.oneway, incoming.method);
    let (in_place, started_at) = match measured {
        Measured::ByCaller(now) => (true, now),
        Measured::ByItself => (false, now()),
    };
    let turn = Turn { wanted: incoming.times, came_at: incoming.came_at, started_at };
    #[cfg(feature = "metrics")]
    serving.queue.left(turn.came_at, started_at);
    let placement = (!in_place).then_some((&**placement, method, started_at));
    let deadline = incoming.timeout.map(|timeout| deadline_after(incoming.came_at, timeout));
    let work = Caught::new(async {
        let mut _room = None;
        if incoming.compressed {
            if in_place {
                // Inflating takes time, which is not the connection's: in a task of its own.
                yield_now().await;
            }
            (incoming.message, _room) = Box::pin(shared.coding.unpack_arguments(&incoming.message)).await?;
        }
        let request = request(shared, incoming, deadline)?;
        let response = measure(placement, service.call(request)).await?;
        if oneway {
            return Ok(());
        }
        let times = (turn.wanted == Times::Always && !serving.discreet).then(|| turn.times());
        if in_place && shared.takes_time(response.body()) {
            yield_now().await;
        }
        match respond(shared, id, response, times) {
            None => Ok(()),
            // Apart: most calls have no items, and their futures need no room for this.
            Some(items) => Box::pin(respond_items(shared, id, items)).await,
        }
    });
    let outcome = match in_time(deadline, work).await {
        Ok(outcome) => outcome,
        Err(_) if deadline.is_some_and(|deadline| deadline <= started_at) => Ok(Err(not_run().into())),
        Err(TooLate(listener)) => Ok(Err(too_late(listener.heard().filter(|_| !serving.discreet)).into())),
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
    inspector.note_failure(shared, id, method, &error);
    fail(&serving, id, turn, &error);
}

/// Tells the caller, as far as it may know.
fn fail<S>(serving: &Serving<S>, id: StreamId, turn: Turn, error: &Error) {
    let Serving { shared, discreet, .. } = serving;
    if error.kind() == ErrorKind::Refused {
        return shared.with(|machine| machine.refuse(id));
    }
    // Who is not let in is not told how long the looking took either, nor whom it asked.
    let is_stranger = matches!(error.code(), Code::Unauthenticated | Code::PermissionDenied);
    let discreet = *discreet || is_stranger;
    let times = (turn.wanted != Times::Never && !discreet).then(|| turn.times());
    let status = if discreet { error.to_discreet_status() } else { error.to_status() };
    shared.with(|machine| machine.fail_after(id, status, times));
}

fn request(shared: &Arc<Shared>, incoming: Incoming, deadline: Option<Instant>) -> Result<Request, Error> {
    // A call that waited too long for its turn is not worth running.
    if deadline.is_some_and(|deadline| deadline <= now()) {
        return Err(not_run().into());
    }
    let codec = shared.coding.codec(incoming.codec)?;
    let mut body = Body::new(incoming.message);
    if incoming.items {
        let call = AcceptedCall { shared: shared.clone(), id: incoming.id };
        let items = IncomingItems::stream(call);
        body =
            body.with_items(if incoming.compressed { unpacked(shared, incoming.id, items) } else { items });
    }
    let mut request = Request::by_id(incoming.method, codec, body);
    request.set_deadline(deadline);
    request.set_peer(shared.peer.clone());
    *request.metadata_mut() = incoming.metadata;
    Ok(request)
}

/// Inflates the items of a request; one that cannot be ends the call, as one over a limit does.
fn unpacked(shared: &Arc<Shared>, id: StreamId, items: ItemStream) -> ItemStream {
    let shared = shared.clone();
    ItemStream::of_batches(Unpacking::new(items, move |item| {
        shared.coding.unpack(item).map_err(|status| {
            shared.with(|machine| machine.fail(id, status.clone()));
            status.into()
        })
    }))
}

/// The deadline passed after the handler had started, which may have waited for a call of its own.
fn too_late(waited_for: Option<Abandoned>) -> Status {
    let text = "the deadline passed at the server while the handler";
    let text = match waited_for {
        Some(call) => format!("{text} waited for {call}"),
        None => format!("{text} ran: allow more time, or find what is slow there"),
    };
    Status::new(Code::DeadlineExceeded, text)
}

fn not_run() -> Status {
    Status::new(
        Code::DeadlineExceeded,
        "the deadline had passed at the server before the handler was run: allow more time, or find what keeps the server busy",
    )
}

/// Sends the result, and gives the items that are to follow it.
fn respond(
    shared: &Shared,
    id: StreamId,
    response: Response,
    times: Option<ServerTimes>,
) -> Option<ItemStream> {
    let (codec, failed) = (response.codec().id(), response.is_failed());
    let (metadata, mut body) = response.into_parts();
    let packed = shared.pack(&body);
    let compressed = packed.is_some();
    let items = body.take_items();
    let (message, rest) = packed.as_ref().map_or_else(|| body.message_parts(), |packed| (packed, &[]));
    let mut reply = Reply::new(codec, message.clone());
    (reply.metadata, reply.failed, reply.compressed, reply.times) = (metadata, failed, compressed, times);
    reply.items = items.is_some();
    shared.with(|machine| machine.reply_in_parts(id, reply, rest));
    items.map(|items| shared.pack_items(items))
}

async fn respond_items(shared: &Shared, id: StreamId, items: ItemStream) -> Result<(), Error> {
    match send(shared, id, items).await {
        Sent::All => shared.with(|machine| machine.end_items(id)),
        Sent::Failed(error) => return Err(error),
        Sent::Over => {}
    }
    Ok(())
}
