//! A call on a connection, from the calling side.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use rpc_core::connection::{OpenCall, OpenError, Reply};
use rpc_core::wire::{ResetCode, StreamId};
use rpc_core::{Body, CodecKind, Error, Fate, ItemStream, Request, Response, Status};
use tokio::sync::Notify;

use crate::clock::now;
use crate::coding::{Unpacking, unreadable};
use crate::connection::{ClientConnection, Shared};
use crate::items::{self, IncomingItems};

/// What became of a call.
pub(crate) enum Called {
    Answered(Response),
    /// It waits for a slot, and there are other connections now: it was not sent.
    Elsewhere,
    /// The connection takes no more calls, and the handler was not run.
    Ended,
}

/// Makes a call once there is a slot for it, or gives it back when `grown` says that there are other connections.
pub(crate) async fn call(
    connection: Arc<ClientConnection>,
    request: &mut Request,
    grown: &Notify,
) -> Result<Called, Error> {
    let packed = connection.shared.pack(request.body());
    let packed = packed.as_ref();
    let attempt = match open_and_watch(&connection.shared, request, packed).await {
        // Apart: most calls find a slot, and need no room for this.
        Err(OpenError::Full) => {
            match Box::pin(open_when_free(&connection.shared, request, packed, grown)).await {
                Some(attempt) => attempt,
                None => return Ok(Called::Elsewhere),
            }
        }
        attempt => attempt,
    };
    match attempt {
        Ok(id) => OpenedCall { connection, id, is_over: false }.run(request).await,
        Err(OpenError::Failed(error)) => Err(connection.shared.blame(error)),
        Err(_) => Ok(Called::Ended),
    }
}

/// Opens a call when a slot is free; none where there are other connections before that.
async fn open_when_free(
    shared: &Shared,
    request: &Request,
    packed: Option<&Bytes>,
    grown: &Notify,
) -> Option<Result<StreamId, OpenError>> {
    loop {
        let (mut slot_freed, mut grown) = (pin!(shared.slot_freed()), pin!(grown.notified()));
        slot_freed.as_mut().enable();
        grown.as_mut().enable();
        match open_and_watch(shared, request, packed).await {
            Err(OpenError::Full) => {}
            attempt => return Some(attempt),
        }
        let is_freed = poll_fn(|cx| match slot_freed.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(true),
            Poll::Pending => grown.as_mut().poll(cx).map(|()| false),
        });
        if !is_freed.await {
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
    async fn run(mut self, request: &mut Request) -> Result<Called, Error> {
        if is_oneway(request) {
            let sent = poll_fn(|cx| self.shared().with(|machine| machine.poll_sent(self.id, cx))).await;
            self.is_over = true;
            sent.map_err(|error| self.shared().blame(error))?;
            return Ok(Called::Answered(Response::new(request.codec(), Body::new(Bytes::new()))));
        }
        let items = request.take_items();
        let has_items = items.is_some();
        if let Some(items) = items {
            let items = self.shared().pack_items(items);
            tokio::spawn(items::send_request(self.connection.clone(), self.id, items));
        }
        match self.reply().await {
            Ok(reply) => self.respond(reply, request.codec()).map(Called::Answered),
            Err(error) => {
                self.is_over = true;
                // The server began to drain while the call was on its way, and did not take it up, or the connection ended before it was sent.
                let has_not_run = matches!(error.fate(), Fate::Refused | Fate::NeverSent);
                if has_not_run && !has_items && !self.connection.takes_calls() {
                    return Ok(Called::Ended);
                }
                Err(self.shared().blame(error))
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
        Ok(Response::new(codec, body).with_failed(reply.failed).with_metadata(reply.metadata))
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

async fn open_and_watch(
    shared: &Shared,
    request: &Request,
    packed: Option<&Bytes>,
) -> Result<StreamId, OpenError> {
    let open = |cx: &mut Context<'_>| {
        shared.with(|machine| {
            machine.ping_if_silent(now);
            machine.open_and_watch(describe(request, packed), cx)
        })
    };
    poll_fn(|cx| Poll::Ready(open(cx))).await
}

fn is_oneway(request: &Request) -> bool {
    request.descriptor().is_some_and(|method| method.is_oneway())
}

fn describe<'a>(request: &'a Request, packed: Option<&'a Bytes>) -> OpenCall<'a> {
    let (message, rest) = packed.map_or_else(|| request.body().message_parts(), |packed| (packed, &[]));
    let mut call = OpenCall::new(request.method(), request.codec().id(), message.clone(), request.metadata());
    call.rest = rest;
    call.compressed = packed.is_some();
    // Time that passed since the call was made has come off by now.
    call.timeout = request.deadline().map(|deadline| deadline.saturating_duration_since(now()));
    call.items = request.body().has_items();
    call.oneway = is_oneway(request);
    call
}
