//! A call on a connection, from the calling side.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rpc_core::connection::{OpenCall, OpenError, Reply};
use rpc_core::wire::{ResetCode, StreamId};
use rpc_core::{Body, CodecKind, Error, ErrorKind, Fate, Request, Response};

use crate::clock::now;
use crate::connection::{ClientConnection, Shared};
use crate::items::{self, IncomingItems};

/// Makes a call once there is a slot for it; none where the connection takes no more calls, and the handler was not run.
pub(crate) async fn call(
    connection: Arc<ClientConnection>,
    request: &mut Request,
) -> Result<Option<Response>, Error> {
    let Some(call) = OpenedCall::open(connection, request).await? else { return Ok(None) };
    call.run(request).await
}

/// A call under way; dropping it before it is over cancels it.
pub(crate) struct OpenedCall {
    connection: Arc<ClientConnection>,
    id: StreamId,
    is_over: bool,
}

impl OpenedCall {
    async fn open(connection: Arc<ClientConnection>, request: &Request) -> Result<Option<Self>, Error> {
        let shared = &connection.shared;
        let mut attempt = open_and_watch(shared, request).await;
        while let Err(OpenError::Full) = attempt {
            let mut slot_freed = pin!(shared.slot_freed());
            slot_freed.as_mut().enable();
            attempt = open_and_watch(shared, request).await;
            if let Err(OpenError::Full) = attempt {
                slot_freed.await;
            }
        }
        match attempt {
            Ok(id) => Ok(Some(Self { connection, id, is_over: false })),
            Err(OpenError::Failed(error)) => Err(shared.blame(error)),
            Err(_) => Ok(None),
        }
    }

    /// Sends what follows the request, and waits for the answer.
    async fn run(mut self, request: &mut Request) -> Result<Option<Response>, Error> {
        if is_oneway(request) {
            let sent = poll_fn(|cx| self.shared().with(|machine| machine.poll_sent(self.id, cx))).await;
            self.is_over = true;
            sent.map_err(|error| self.shared().blame(error))?;
            return Ok(Some(Response::new(request.codec(), Body::new(bytes::Bytes::new()))));
        }
        let items = request.take_items();
        let has_items = items.is_some();
        if let Some(items) = items {
            tokio::spawn(items::send_request(self.connection.clone(), self.id, items));
        }
        match self.reply().await {
            Ok(reply) => self.respond(reply).map(Some),
            Err(error) => {
                self.is_over = true;
                // The server began to drain while the call was on its way, and did not take it up, or the connection ended before it was sent.
                let has_not_run = matches!(error.fate(), Fate::Refused | Fate::NeverSent);
                if has_not_run && !has_items && !self.connection.takes_calls() {
                    return Ok(None);
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

    fn respond(mut self, reply: Reply) -> Result<Response, Error> {
        // An answer without items has ended the call; one with items is cancelled by dropping them.
        self.is_over = !reply.items;
        let codec = CodecKind::from_id(reply.codec).ok_or_else(|| {
            let text = format!("the answer is in codec {}, which is not known here", reply.codec);
            self.shared().blame(Error::new(ErrorKind::Decode, text).with_fate(Fate::Failed))
        })?;
        let mut body = Body::new(reply.message);
        if reply.items {
            body = body.with_items(IncomingItems::stream(self));
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

async fn open_and_watch(shared: &Shared, request: &Request) -> Result<StreamId, OpenError> {
    let open = |cx: &mut Context<'_>| {
        shared.with(|machine| {
            machine.ping_if_silent(now);
            machine.open_and_watch(describe(request), cx)
        })
    };
    poll_fn(|cx| Poll::Ready(open(cx))).await
}

fn is_oneway(request: &Request) -> bool {
    request.descriptor().is_some_and(|method| method.is_oneway())
}

fn describe(request: &Request) -> OpenCall<'_> {
    let body = request.body();
    let mut call =
        OpenCall::new(request.method(), request.codec().id(), body.message().clone(), request.metadata());
    // Time that passed since the call was made has come off by now.
    call.timeout = request.deadline().map(|deadline| deadline.saturating_duration_since(now()));
    call.items = body.has_items();
    call.oneway = is_oneway(request);
    call
}
