//! Answering a call: from the request to the result, and what becomes of one that fails.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use rpc_core::connection::{Incoming, Reply, Times};
use rpc_core::timeline::Abandoned;
use rpc_core::wire::StreamId;
use rpc_core::{
    Body, Code, Error, ErrorKind, ItemStream, MethodId, Request, Response, ServerTimes, Service, Status,
    deadline_after,
};
use tokio::sync::{Semaphore, mpsc, watch};

use crate::clock::now;
use crate::coding::Unpacking;
use crate::connection::Shared;
use crate::items::{AcceptedCall, IncomingItems, Sent, send};
use crate::panics::{Caught, Panicked};
use crate::server::accept::Acceptor;
use crate::server::deadline::{TooLate, in_time};
use crate::server::placement::{Placement, measure};
use crate::server::{Inspector, Phase};

/// What answering the calls of a connection needs.
pub(in crate::server) struct Serving<S> {
    pub(super) service: Arc<S>,
    pub(super) shared: Arc<Shared>,
    pub(super) placement: Arc<Placement>,
    pub(super) phase: watch::Receiver<Phase>,
    pub(super) oneway: Arc<Semaphore>,
    /// Held by oneway calls too: the server waits for them.
    pub(super) task: mpsc::Sender<()>,
    inspector: Inspector,
    /// Callers are told no more than they have to know.
    discreet: bool,
    #[cfg(feature = "metrics")]
    queue: crate::server::queue::Queue,
}

/// What is known of a call beside its request.
#[derive(Clone, Copy)]
pub(super) struct Call {
    id: StreamId,
    method: MethodId,
    oneway: bool,
    deadline: Option<Instant>,
    /// When its caller wants to know how long it took.
    times_wanted: Times,
    came_at: Instant,
    started_at: Instant,
}

impl Call {
    /// Returns when its turn came.
    pub(super) fn started_at(&self) -> Instant {
        self.started_at
    }

    /// Returns how long the call waited, and how long it has taken since.
    fn times(&self) -> ServerTimes {
        let queue = self.started_at.saturating_duration_since(self.came_at);
        ServerTimes::new(queue, now().saturating_duration_since(self.started_at))
    }
}

impl<S> Serving<S> {
    pub(in crate::server) fn new(acceptor: Acceptor<S>, shared: Arc<Shared>) -> Self {
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
            queue: crate::server::queue::Queue::new(),
        }
    }

    /// Begins with a call, whose turn is now.
    pub(super) fn begin(&self, incoming: &Incoming, started_at: Instant) -> Call {
        let Incoming { id, method, oneway, times, came_at, timeout, .. } = *incoming;
        #[cfg(feature = "metrics")]
        self.queue.left(came_at, started_at);
        let deadline = timeout.map(|timeout| deadline_after(came_at, timeout));
        Call { id, method, oneway, deadline, times_wanted: times, came_at, started_at }
    }

    /// Makes the request of a call, of what is taken out of it as it came in.
    pub(super) fn request(&self, call: &Call, incoming: &mut Incoming) -> Result<Request, Error> {
        // A call that waited too long for its turn is not worth running.
        if call.deadline.is_some_and(|deadline| deadline <= now()) {
            return Err(not_run().into());
        }
        let shared = &self.shared;
        let codec = shared.coding.codec(incoming.codec)?;
        let mut body = Body::new(std::mem::take(&mut incoming.message));
        if incoming.items {
            let items = IncomingItems::stream(AcceptedCall { shared: shared.clone(), id: call.id });
            body =
                body.with_items(if incoming.compressed { unpacked(shared, call.id, items) } else { items });
        }
        let mut request = Request::by_id(call.method, codec, body);
        request.set_deadline(call.deadline);
        request.set_peer(shared.peer.clone());
        *request.metadata_mut() = std::mem::take(&mut incoming.metadata);
        Ok(request)
    }

    /// Returns how long a call has taken whose service has just answered, where its caller is told.
    pub(super) fn times(&self, call: &Call) -> Option<ServerTimes> {
        (call.times_wanted == Times::Always && !self.discreet).then(|| call.times())
    }

    /// Sends the result, and gives the items that are to follow it.
    pub(super) fn respond(
        &self,
        call: &Call,
        response: &mut Response,
        times: Option<ServerTimes>,
    ) -> Option<ItemStream> {
        let packed = self.shared.pack(response.body());
        let items = response.take_items();
        let mut reply = Reply::new(response.codec().id(), Bytes::new());
        reply.metadata = std::mem::take(response.metadata_mut());
        (reply.failed, reply.compressed) = (response.is_failed(), packed.is_some());
        (reply.times, reply.items) = (times, items.is_some());
        let parts = packed.as_ref().map_or_else(|| response.body().message_parts(), std::slice::from_ref);
        self.shared.with(|machine| machine.reply_in_parts(call.id, &reply, parts));
        items.map(|items| self.shared.pack_items(items))
    }

    async fn respond_items(&self, call: &Call, items: ItemStream) -> Result<(), Error> {
        match send(&self.shared, call.id, items).await {
            Sent::All => self.shared.with(|machine| machine.end_items(call.id)),
            Sent::Failed(error) => return Err(error),
            Sent::Over => {}
        }
        Ok(())
    }

    /// Sends the result, where one is awaited, and all that follows it.
    async fn finish(
        &self,
        call: &Call,
        response: &mut Response,
        times: Option<ServerTimes>,
    ) -> Result<(), Error> {
        if call.oneway {
            return Ok(());
        }
        match self.respond(call, response, times) {
            None => Ok(()),
            // Apart: most calls have no items, and their futures need no room for this.
            Some(items) => Box::pin(self.respond_items(call, items)).await,
        }
    }

    /// Says what became of a call.
    fn ended(&self, call: &Call, outcome: Result<Result<Result<(), Error>, Panicked>, TooLate>) {
        let error = match outcome {
            Ok(Ok(Ok(()))) if call.oneway => return self.shared.with(|machine| machine.end_items(call.id)),
            Ok(Ok(Ok(()))) => return,
            Ok(Ok(Err(error))) => error,
            Ok(Err(Panicked)) => panicked(),
            Err(_) if call.deadline.is_some_and(|deadline| deadline <= call.started_at) => not_run().into(),
            Err(TooLate(listener)) => too_late(listener.heard().filter(|_| !self.discreet)).into(),
        };
        self.fail(call, &error);
    }

    /// Tells the caller, as far as it may know, and who looks into the server.
    pub(super) fn fail(&self, call: &Call, error: &Error) {
        let Self { shared, .. } = self;
        if call.oneway {
            tracing::debug!(peer = %shared.peer, %error, "a oneway call failed");
        }
        self.inspector.note_failure(shared, call.id, call.method, error);
        if error.kind() == ErrorKind::Refused {
            return shared.with(|machine| machine.refuse(call.id));
        }
        // Who is not let in is not told how long the looking took either, nor whom it asked.
        let is_stranger = matches!(error.code(), Code::Unauthenticated | Code::PermissionDenied);
        let discreet = self.discreet || is_stranger;
        let times = (call.times_wanted != Times::Never && !discreet).then(|| call.times());
        let status = if discreet { error.to_discreet_status() } else { error.to_status() };
        shared.with(|machine| machine.fail_after(call.id, status, times));
    }
}

/// Answers a call in a task of its own.
pub(super) async fn answer<S: Service>(serving: Arc<Serving<S>>, mut incoming: Incoming) {
    let Serving { service, shared, placement, .. } = &*serving;
    let call = serving.begin(&incoming, now());
    let work = Caught::new(async {
        let (mut _room, mut polled_at) = (None, call.started_at);
        if incoming.compressed {
            (incoming.message, _room) = Box::pin(shared.coding.unpack_arguments(&incoming.message)).await?;
            polled_at = now();
        }
        let request = serving.request(&call, &mut incoming)?;
        let mut response = measure(placement, call.method, polled_at, service.call(request)).await?;
        serving.finish(&call, &mut response, serving.times(&call)).await
    });
    serving.ended(&call, in_time(call.deadline, work).await);
}

/// Goes on with a call that the service has not answered yet.
pub(super) async fn go_on<S: Service>(
    serving: Arc<Serving<S>>,
    call: Call,
    service: impl Future<Output = Result<Response, Error>> + Send,
) {
    let work = Caught::new(async {
        let mut response = service.await?;
        serving.finish(&call, &mut response, serving.times(&call)).await
    });
    serving.ended(&call, in_time(call.deadline, work).await);
}

/// Goes on with a call that the service has answered.
pub(super) async fn go_on_with<S: Service>(
    serving: Arc<Serving<S>>,
    call: Call,
    mut response: Response,
    times: Option<ServerTimes>,
) {
    let work = Caught::new(serving.finish(&call, &mut response, times));
    serving.ended(&call, in_time(call.deadline, work).await);
}

/// Goes on with a call whose result is on its way, and is followed by items.
pub(super) async fn go_on_with_items<S: Service>(serving: Arc<Serving<S>>, call: Call, items: ItemStream) {
    let work = Caught::new(serving.respond_items(&call, items));
    serving.ended(&call, in_time(call.deadline, work).await);
}

/// What is said of a handler that panicked.
pub(super) fn panicked() -> Error {
    Status::new(Code::Internal, "the handler panicked; see the server's log").into()
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
