//! One connection of a server, and the calls on it.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Instant;

use bytes::BytesMut;
use rpc_core::connection::{Connection, Fatal, Incoming, Reply, Side};
use rpc_core::wire::{CloseCode, HelloError, StreamId};
use rpc_core::{Body, Code, CodecKind, Error, ErrorKind, Request, Response, Service, Status, deadline_after};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::accept::Acceptor;
use super::{Phase, until};
use crate::connection::{Events, READ_BYTES_MIN, Shared, flush, read_loop, write_loop};
use crate::items::{AcceptedCall, IncomingItems, Sent, send};
use crate::limits::Limits;
use crate::link::Link;
use crate::panics::{Caught, Panicked};

/// Serves a connection until it ends; it keeps its place among the connections until then.
pub(super) async fn serve<S: Service>(mut link: Link, acceptor: Acceptor<S>, _slot: OwnedSemaphorePermit) {
    let Acceptor { service, limits, mut phase, task: _task, .. } = acceptor;
    let shared = Arc::new(Shared::new(Side::Server, &limits, link.peer.clone()));
    let handshake = timeout(limits.handshake_timeout, open(&mut link, &shared));
    let buffer = match until(&mut phase, Phase::Draining, handshake).await {
        Some(Ok(Ok(buffer))) => buffer,
        Some(Ok(Err(fatal))) => {
            tracing::debug!(peer = %link.peer, reason = fatal.reason, "turning a connection away");
            return turn_away(&mut link, &shared, &fatal, &limits).await;
        }
        Some(Err(_)) => return tracing::debug!(peer = %link.peer, "a connection was not opened in time"),
        None => return,
    };
    let Link { reader, writer, .. } = link;
    let writing = tokio::spawn(write_loop(shared.clone(), writer, limits.write_timeout));
    let events = Events::server({
        let (shared, phase) = (shared.clone(), phase.clone());
        move |incoming| start(&service, &shared, &phase, incoming)
    });
    let mut reading = Box::pin(read_loop(shared.clone(), reader, buffer, events));
    if until(&mut phase, Phase::Draining, &mut reading).await.is_none() {
        shared.with(|machine| machine.drain(GOODBYE));
        let idle = poll_fn(|cx| shared.with(|machine| machine.poll_idle(cx)));
        let done = until(&mut phase, Phase::Stopping, first_of(&mut reading, idle)).await;
        // Dropping the reader drops the handlers.
        drop(reading);
        if done.is_none() {
            shared.with(|machine| machine.fail_all(&Status::new(Code::Unavailable, GOODBYE)));
        }
        shared.close(&Fatal::new(CloseCode::Shutdown, GOODBYE));
    }
    // It ends by itself: the connection is closed, and a write that stalls is given up.
    let _ = writing.await;
}

const GOODBYE: &str = "the server is shutting down";

async fn first_of(a: impl Future<Output = ()>, b: impl Future<Output = ()>) {
    let (mut a, mut b) = (std::pin::pin!(a), std::pin::pin!(b));
    poll_fn(|cx| match a.as_mut().poll(cx) {
        std::task::Poll::Ready(()) => std::task::Poll::Ready(()),
        std::task::Poll::Pending => b.as_mut().poll(cx),
    })
    .await;
}

/// Reads the peer's opening; this side answers only to one that is farcall's.
async fn open(link: &mut Link, shared: &Shared) -> Result<BytesMut, Fatal> {
    let mut buffer = BytesMut::with_capacity(READ_BYTES_MIN);
    let is_open = |machine: &mut Connection| machine.peer_settings().is_some();
    while !shared.with(|machine| is_open(machine)) {
        match link.reader.read_buf(&mut buffer).await {
            Ok(0) => {
                return Err(Fatal::new(
                    CloseCode::Protocol,
                    "the peer closed the connection before it was open",
                ));
            }
            Ok(_) => shared.with(|machine| machine.receive(&mut buffer, Instant::now()))?,
            Err(error) => {
                return Err(Fatal::new(CloseCode::Protocol, format!("the connection broke: {error}")));
            }
        }
    }
    Ok(buffer)
}

/// Tells a connection over the limit so, as far as it listens.
pub(super) async fn refuse(mut link: Link, limits: Limits, _refusal: OwnedSemaphorePermit) {
    let shared = Shared::new(Side::Server, &limits, link.peer.clone());
    let fatal = Fatal::new(CloseCode::TooManyConnections, "the server has as many connections as it takes");
    tracing::debug!(peer = %link.peer, reason = fatal.reason, "turning a connection away");
    turn_away(&mut link, &shared, &fatal, &limits).await;
}

/// Says why in the language of the peer where that can be told.
async fn turn_away(link: &mut Link, shared: &Shared, fatal: &Fatal, limits: &Limits) {
    const HTTP: &str = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n\
        This port speaks farcall, not HTTP. Put a gateway in front of it, or call it with a farcall client.\n";
    // An alert record of TLS 1.2: fatal, protocol_version.
    const TLS: &[u8] = &[0x15, 3, 3, 0, 2, 2, 70];
    let farewell = async {
        match &fatal.hello {
            Some(HelloError::Http) => link.writer.write_all(HTTP.as_bytes()).await?,
            Some(HelloError::Tls) => link.writer.write_all(TLS).await?,
            _ => {
                shared.close(fatal);
                flush(shared, &mut link.writer).await?;
            }
        }
        link.writer.shutdown().await?;
        // What the peer has sent and nobody read would make the system drop the farewell: read some of it.
        let mut rest = [0; 4096];
        for _ in 0..16 {
            if link.reader.read(&mut rest).await? == 0 {
                break;
            }
        }
        std::io::Result::Ok(())
    };
    // It is a courtesy: a peer that does not take it is closed all the same.
    let _ = timeout(limits.handshake_timeout.min(std::time::Duration::from_secs(1)), farewell).await;
}

/// Starts the task that answers a call; gives what cancels it, unless the caller waits for nothing: then it goes on without the caller.
fn start<S: Service>(
    service: &Arc<S>,
    shared: &Arc<Shared>,
    phase: &watch::Receiver<Phase>,
    incoming: Incoming,
) -> Option<AbortHandle> {
    let oneway = incoming.oneway;
    let answer = answer(service.clone(), shared.clone(), incoming);
    if oneway {
        let mut phase = phase.clone();
        tokio::spawn(async move { until(&mut phase, Phase::Stopping, answer).await });
        return None;
    }
    Some(tokio::spawn(answer).abort_handle())
}

async fn answer<S: Service>(service: Arc<S>, shared: Arc<Shared>, incoming: Incoming) {
    let (id, oneway) = (incoming.id, incoming.oneway);
    let deadline = incoming.timeout.map(|timeout| deadline_after(Instant::now(), timeout));
    let work = Caught::new(async {
        let request = request(&shared, incoming, deadline)?;
        let response = service.call(request).await?;
        if oneway { Ok(()) } else { respond(&shared, id, response).await }
    });
    let outcome = match deadline {
        None => work.await,
        Some(deadline) => match tokio::time::timeout_at(deadline.into(), work).await {
            Ok(outcome) => outcome,
            Err(_) => Ok(Err(too_late("the deadline passed while the handler ran").into())),
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

fn request(shared: &Arc<Shared>, incoming: Incoming, deadline: Option<Instant>) -> Result<Request, Error> {
    // A call that waited too long for its turn is not worth running.
    if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
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
