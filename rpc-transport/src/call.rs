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
use rpc_core::{Body, CodecKind, Error, Fate, ItemStream, Request, Response, Status};
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

/// Makes a call once there is a slot for it, or gives it back when there are other connections.
pub(crate) async fn call(
    connection: Arc<ClientConnection>,
    request: &mut Request,
    calling: &Calling,
    waits: &mut Waits,
) -> Result<Called, Error> {
    let packed = connection.shared.pack(request.body());
    let packed = packed.as_ref();
    // Compressing has taken its time.
    let mut opened_at = Reading::current().filter(|_| packed.is_none()).unwrap_or_else(now);
    let attempt = match open_and_watch(&connection.shared, request, packed, opened_at, calling).await {
        // Apart: most calls find a slot, and need no room for this.
        Err(OpenError::Full) => {
            let opening = open_when_free(&connection.shared, request, packed, &mut opened_at, calling, waits);
            match Box::pin(opening).await {
                Some(attempt) => attempt,
                None => return Ok(Called::Elsewhere),
            }
        }
        attempt => attempt,
    };
    match attempt {
        Ok(id) => OpenedCall { connection, id, is_over: false }.run(request, waits, opened_at).await,
        Err(OpenError::Failed(error)) => Err(connection.shared.blame(error.with_timeline(waits.in_vain()))),
        Err(_) => Ok(Called::Ended),
    }
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
        match open_and_watch(shared, request, packed, *opened_at, calling).await {
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
    /// Sends what follows the request, and waits for the answer.
    async fn run(
        mut self,
        request: &mut Request,
        waits: &Waits,
        opened_at: Instant,
    ) -> Result<Called, Error> {
        let timed = |error: Error| {
            let timeline = waits.timeline(opened_at).opened(opened_at, Sent::Unknown).ended(now());
            error.with_timeline(timeline)
        };
        if is_oneway(request) {
            let sent = poll_fn(|cx| self.shared().with(|machine| machine.poll_sent(self.id, cx))).await;
            self.is_over = true;
            sent.map_err(|error| self.shared().blame(timed(error)))?;
            return Ok(Called::Answered(Response::new(request.codec(), Body::new(Bytes::new()))));
        }
        let items = request.take_items();
        let has_items = items.is_some();
        if let Some(items) = items {
            let items = self.shared().pack_items(items);
            tokio::spawn(items::send_request(self.connection.clone(), self.id, items));
        }
        let awaited = Awaited { call: &self, request, waits, opened_at, is_over: false };
        match awaited.reply().await {
            Ok(reply) => self.respond(reply, request.codec()).map(Called::Answered).map_err(timed),
            Err(error) => {
                self.is_over = true;
                // The server began to drain while the call was on its way, and did not take it up, or the connection ended before it was sent.
                let has_not_run = matches!(error.fate(), Fate::Refused | Fate::NeverSent);
                if has_not_run && !has_items && !self.connection.takes_calls() {
                    return Ok(Called::Ended);
                }
                Err(self.shared().blame(timed(error)))
            }
        }
    }

    async fn reply(&self) -> Result<Reply, Error> {
        // The task is watching since the call was opened, in this same poll: there is nothing to ask for yet.
        let mut is_first = true;
        poll_fn(|cx| {
            if std::mem::take(&mut is_first) {
                return Poll::Pending;
            }
            self.shared().with(|machine| machine.poll_reply(self.id, cx))
        })
        .await
    }

    fn respond(mut self, reply: Reply, asked: CodecKind) -> Result<Response, Error> {
        // An answer without items has ended the call; one with items is cancelled by dropping them.
        self.is_over = !reply.items;
        // Rule P15: it is the codec of the call, which need not be one that calls may come in here.
        let coding = &self.connection.shared.coding;
        let codec = if reply.codec == asked.id() { Ok(asked) } else { coding.codec(reply.codec) };
        let message = match reply.compressed {
            true => coding.unpack(&reply.message),
            false => Ok(reply.message),
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
        let response = Response::new(codec, body).with_failed(reply.failed).with_metadata(reply.metadata);
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

/// A call whose answer is awaited; one that is given up meanwhile says how far it got.
struct Awaited<'a> {
    call: &'a OpenedCall,
    request: &'a Request,
    waits: &'a Waits,
    opened_at: Instant,
    is_over: bool,
}

impl Awaited<'_> {
    async fn reply(mut self) -> Result<Reply, Error> {
        let reply = self.call.reply().await;
        self.is_over = true;
        reply
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        abandon(|| {
            let OpenedCall { connection, id, .. } = self.call;
            let sent = connection.shared.note(|machine| machine.sent(*id));
            let timeline = self.waits.timeline(self.opened_at).opened(self.opened_at, sent).ended(now());
            let (peer, method) = (connection.shared.peer.uri().to_owned(), self.request.descriptor());
            Abandoned { peer, method, timeline }
        });
    }
}

async fn open_and_watch(
    shared: &Shared,
    request: &Request,
    packed: Option<&Bytes>,
    opened_at: Instant,
    calling: &Calling,
) -> Result<StreamId, OpenError> {
    let open = |cx: &mut Context<'_>| {
        shared.with(|machine| {
            machine.ping_if_silent(now);
            machine.open_and_watch(describe(request, packed, opened_at, calling), cx)
        })
    };
    poll_fn(|cx| Poll::Ready(open(cx))).await
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
    let (message, rest) = packed.map_or_else(|| request.body().message_parts(), |packed| (packed, &[]));
    let mut call = OpenCall::new(request.method(), request.codec().id(), message.clone(), request.metadata());
    call.rest = rest;
    call.compressed = packed.is_some();
    call.items = request.body().has_items();
    call.oneway = is_oneway(request);
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
