//! A call on a connection, from the calling side.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rpc_core::connection::{OpenCall, OpenError, Reply, Times};
use rpc_core::timeline::{Abandoned, Reading, Sent, abandon};
use rpc_core::wire::{ResetCode, StreamId};
use rpc_core::{
    Body, CodecKind, Error, Fate, ItemStream, MethodDescriptor, Request, Response, Status, Timeline,
};
use tokio::sync::Notify;

use crate::clock::now;
use crate::coding::{Unpacking, unreadable};
use crate::connection::{ClientConnection, Shared};
use crate::items::{self, IncomingItems};
use crate::waits::{Stage, Waiting, Waits};

/// What became of a call.
pub(crate) enum Called {
    Answered(Response),
    /// It waits for a slot, and there are other connections now: it was not sent.
    Elsewhere,
    /// The connection takes no more calls, and the handler was not run.
    Ended,
}

/// How a channel has its calls made.
#[derive(Default)]
pub(crate) struct Calling {
    /// There are more connections to choose from.
    pub(crate) grown: Notify,
    /// Servers are asked how long they take where no call asks.
    pub(crate) times: bool,
    /// Servers are told to have so much less time than there is.
    pub(crate) deadline_margin: Duration,
}

/// Tells whether a call is one message there and one back: nothing follows the first, and an answer is awaited.
pub(crate) fn is_plain(request: &Request) -> bool {
    !request.body().has_items() && !is_oneway(request)
}

/// A connection that was chosen for a call, and its message as it is packed for that connection.
pub(crate) struct Chosen {
    connection: Arc<ClientConnection>,
    packed: Option<Bytes>,
}

impl Chosen {
    /// Packs the message of a request.
    pub(crate) fn new(connection: Arc<ClientConnection>, request: &Request) -> Self {
        let packed = connection.shared.pack(request.body());
        Self { connection, packed }
    }
}

/// Opens a plain call, whose answer will wake the task.
///
/// # Errors
/// It was not opened. What was chosen comes back, so that the call can wait for its turn there.
pub(crate) fn begin(
    connection: Arc<ClientConnection>,
    request: &Request,
    calling: &Calling,
    cx: &Context<'_>,
) -> Result<Awaited, (OpenError, Chosen)> {
    let packed = connection.shared.pack(request.body());
    let opened_at = opened_at(packed.as_ref());
    match open_and_watch(&connection.shared, request, packed.as_ref(), opened_at, calling, cx) {
        Ok(id) => Ok(Awaited::new(OpenedCall::new(connection, id), request, None, opened_at)),
        Err(error) => Err((error, Chosen { connection, packed })),
    }
}

/// Returns the time at which a call is opened now.
fn opened_at(packed: Option<&Bytes>) -> Instant {
    // Compressing has taken its time.
    Reading::current().filter(|_| packed.is_none()).unwrap_or_else(now)
}

/// Makes a call once there is a slot for it, or gives it back when there are other connections.
pub(crate) async fn call(
    chosen: Chosen,
    request: &mut Request,
    calling: &Calling,
    waits: &mut Waits,
) -> Result<Called, Error> {
    let Chosen { connection, packed } = &chosen;
    let packed = packed.as_ref();
    let mut opened_at = opened_at(packed);
    let shared = &connection.shared;
    let open =
        |cx: &mut Context<'_>| Poll::Ready(open_and_watch(shared, request, packed, opened_at, calling, cx));
    let attempt = match poll_fn(open).await {
        Err(OpenError::Full) => {
            match open_when_free(shared, request, packed, &mut opened_at, calling, waits).await {
                Some(attempt) => attempt,
                None => return Ok(Called::Elsewhere),
            }
        }
        attempt => attempt,
    };
    match attempt {
        Ok(id) => OpenedCall::new(chosen.connection, id).run(request, waits, opened_at).await,
        Err(OpenError::Failed(error)) => Err(in_vain(&chosen, error, waits)),
        Err(_) => Ok(Called::Ended),
    }
}

/// Says of a call that cannot be made at all where, and what it has waited for.
pub(crate) fn in_vain(chosen: &Chosen, error: Error, waits: &Waits) -> Error {
    chosen.connection.shared.blame(error.with_timeline(waits.in_vain()))
}

/// Opens a call when a slot is free, and notes when; none where there are other connections before that.
async fn open_when_free(
    shared: &Shared,
    request: &Request,
    packed: Option<&Bytes>,
    opened_at: &mut Instant,
    calling: &Calling,
    waits: &mut Waits,
) -> Option<Result<StreamId, OpenError>> {
    let waiting = Waiting::begin(waits, Stage::Queue, &shared.peer, request.descriptor());
    loop {
        let (mut slot_freed, mut grown) = (pin!(shared.slot_freed()), pin!(calling.grown.notified()));
        slot_freed.as_mut().enable();
        grown.as_mut().enable();
        *opened_at = now();
        let open = |cx: &mut Context<'_>| {
            Poll::Ready(open_and_watch(shared, request, packed, *opened_at, calling, cx))
        };
        match poll_fn(open).await {
            Err(OpenError::Full) => {}
            attempt => {
                waiting.end();
                return Some(attempt);
            }
        }
        let is_freed = poll_fn(|cx| match slot_freed.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(true),
            Poll::Pending => grown.as_mut().poll(cx).map(|()| false),
        });
        if !is_freed.await {
            waiting.end();
            return None;
        }
    }
}

/// A call under way; dropping it before it is over cancels it.
pub(crate) struct OpenedCall {
    connection: Arc<ClientConnection>,
    id: StreamId,
    is_over: bool,
}

impl OpenedCall {
    fn new(connection: Arc<ClientConnection>, id: StreamId) -> Self {
        Self { connection, id, is_over: false }
    }

    /// Sends what follows the request, and waits for the answer.
    async fn run(
        mut self,
        request: &mut Request,
        waits: &Waits,
        opened_at: Instant,
    ) -> Result<Called, Error> {
        if is_oneway(request) {
            let sent = poll_fn(|cx| self.shared().with(|machine| machine.poll_sent(self.id, cx))).await;
            self.is_over = true;
            let timed = |error: Error| error.with_timeline(timeline(waits, opened_at));
            sent.map_err(|error| self.shared().blame(timed(error)))?;
            return Ok(Called::Answered(Response::new(request.codec(), Body::new(Bytes::new()))));
        }
        let items = request.take_items();
        let has_items = items.is_some();
        if let Some(items) = items {
            let items = self.shared().pack_items(items);
            tokio::spawn(items::send_request(self.connection.clone(), self.id, items));
        }
        let mut awaited = Awaited::new(self, request, waits.noted(), opened_at);
        awaited.is_final = has_items;
        // The task is watching since the call was opened, in this same poll: there is nothing to ask for yet.
        let mut is_first = true;
        poll_fn(|cx| if std::mem::take(&mut is_first) { Poll::Pending } else { awaited.poll(request, cx) })
            .await
    }

    fn respond(mut self, reply: &mut Reply, asked: CodecKind) -> Result<Response, Error> {
        // An answer without items has ended the call; one with items is cancelled by dropping them.
        self.is_over = !reply.items;
        // Rule P15: it is the codec of the call, which need not be one that calls may come in here.
        let coding = &self.connection.shared.coding;
        let codec = if reply.codec == asked.id() { Ok(asked) } else { coding.codec(reply.codec) };
        let message = match reply.compressed {
            true => coding.unpack(&reply.message),
            false => Ok(std::mem::take(&mut reply.message)),
        };
        let blame = |status: Status| self.connection.shared.blame(unreadable(&status));
        let (codec, mut body) = (codec.map_err(blame)?, Body::new(message.map_err(blame)?));
        if reply.items {
            let shared = reply.compressed.then(|| self.connection.shared.clone());
            let mut items = IncomingItems::stream(self);
            if let Some(shared) = shared {
                let unpack = move |item: &_| {
                    shared.coding.unpack(item).map_err(|status| shared.blame(unreadable(&status)))
                };
                items = ItemStream::of_batches(Unpacking::new(items, unpack));
            }
            body = body.with_items(items);
        }
        let metadata = std::mem::take(&mut reply.metadata);
        let response = Response::new(codec, body).with_failed(reply.failed).with_metadata(metadata);
        Ok(response.with_server_times(reply.times))
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.connection.shared
    }

    pub(crate) fn id(&self) -> StreamId {
        self.id
    }

    pub(crate) fn end(&mut self) {
        self.is_over = true;
    }
}

impl Drop for OpenedCall {
    fn drop(&mut self) {
        if !self.is_over {
            self.shared().with(|machine| machine.cancel(self.id, ResetCode::Cancelled));
        }
    }
}

/// Says what became of the time of a call that ends now, and that it was opened.
fn timeline(waits: &Waits, opened_at: Instant) -> Timeline {
    waits.timeline(opened_at).opened(opened_at, Sent::Unknown).ended(now())
}

/// A call whose answer is awaited; dropping it cancels the call, and says how far it got.
pub(crate) struct Awaited {
    /// None once it is over.
    call: Option<OpenedCall>,
    method: Option<&'static MethodDescriptor>,
    waits: Option<Box<Waits>>,
    opened_at: Instant,
    /// It cannot be made again, even where it did not run.
    is_final: bool,
}

impl Awaited {
    fn new(call: OpenedCall, request: &Request, waits: Option<Box<Waits>>, opened_at: Instant) -> Self {
        Self { call: Some(call), method: request.descriptor(), waits, opened_at, is_final: false }
    }

    /// Waits for the answer to a request, which the call was opened with.
    pub(crate) fn poll(&mut self, request: &Request, cx: &mut Context<'_>) -> Poll<Result<Called, Error>> {
        let Some(mut call) = self.call.take() else { return Poll::Pending };
        let error = match call.shared().with(|machine| machine.poll_reply(call.id, cx)) {
            Poll::Pending => {
                self.call = Some(call);
                return Poll::Pending;
            }
            // It stays where it is: to move what was just written takes as long as to make it.
            Poll::Ready(Ok(ref mut reply)) => match call.respond(reply, request.codec()) {
                Ok(response) => return Poll::Ready(Ok(Called::Answered(response))),
                Err(error) => error,
            },
            Poll::Ready(Err(error)) => {
                call.is_over = true;
                // The server began to drain while the call was on its way, and did not take it up, or the connection ended before it was sent.
                let has_not_run = matches!(error.fate(), Fate::Refused | Fate::NeverSent);
                if has_not_run && !self.is_final && !call.connection.takes_calls() {
                    return Poll::Ready(Ok(Called::Ended));
                }
                call.shared().blame(error)
            }
        };
        Poll::Ready(Err(error.with_timeline(timeline(&self.waits(), self.opened_at))))
    }

    fn waits(&self) -> Waits {
        self.waits.as_deref().copied().unwrap_or_default()
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        let Some(OpenedCall { connection, id, .. }) = &self.call else { return };
        abandon(|| {
            let sent = connection.shared.note(|machine| machine.sent(*id));
            let timeline = self.waits().timeline(self.opened_at).opened(self.opened_at, sent).ended(now());
            let peer = connection.shared.peer.uri().to_owned();
            Abandoned { peer, method: self.method, timeline }
        });
    }
}

fn open_and_watch(
    shared: &Shared,
    request: &Request,
    packed: Option<&Bytes>,
    opened_at: Instant,
    calling: &Calling,
    cx: &Context<'_>,
) -> Result<StreamId, OpenError> {
    shared.with(|machine| {
        machine.ping_if_silent(now);
        machine.open_and_watch(&describe(request, packed, opened_at, calling), cx)
    })
}

fn is_oneway(request: &Request) -> bool {
    request.descriptor().is_some_and(|method| method.is_oneway())
}

fn describe<'a>(
    request: &'a Request,
    packed: Option<&'a Bytes>,
    now: Instant,
    calling: &Calling,
) -> OpenCall<'a> {
    let mut call = OpenCall::new(request.method(), request.codec().id(), Bytes::new(), request.metadata());
    call.rest = packed.map_or_else(|| request.body().message_parts(), std::slice::from_ref);
    call.compressed = packed.is_some();
    call.items = request.body().has_items();
    call.oneway = is_oneway(request);
    call.early =
        !call.items && !call.oneway && request.descriptor().is_some_and(|method| method.is_idempotent());
    // Time that passed since the call was made has come off by now.
    let left = request.deadline().map(|deadline| deadline.saturating_duration_since(now));
    // Of a oneway call no answer is awaited.
    let margin = if call.oneway { Duration::ZERO } else { calling.deadline_margin };
    call.timeout = left.map(|left| left.saturating_sub(margin.min(left.checked_div(2).unwrap_or_default())));
    call.times = match calling.times || request.wants_server_times() {
        // Nothing is heard of it.
        _ if call.oneway => Times::Never,
        true => Times::Always,
        false => Times::OfFailures,
    };
    call
}
