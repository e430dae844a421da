//! One connection of a server, from its opening to its end.

#[cfg(all(test, farcall_loom))]
mod model;

use std::future::poll_fn;
use std::sync::Arc;

use rpc_core::connection::{Connection, Fatal, Side};
use rpc_core::wire::{CloseCode, HelloError};
use rpc_core::{Code, Service, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::timeout;

use super::accept::Acceptor;
use super::answer::{Serving, answers};
use super::{Phase, until};
use crate::clock::now;
use crate::connection::{Driver, EndsWithTask, Events, FAREWELL_MAX, Input, Shared, flush};
use crate::limits::Limits;
use crate::link::Link;

/// Serves a connection until it ends; it keeps its place among the connections until then.
pub(super) async fn serve<S: Service>(mut link: Link, acceptor: Acceptor<S>, _slot: OwnedSemaphorePermit) {
    let (limits, mut phase) = (acceptor.limits.clone(), acceptor.phase.clone());
    let shared = Arc::new(Shared::new(Side::Server, &limits, link.peer.clone()));
    let handshake = timeout(limits.handshake_timeout, open(&mut link, &shared));
    let input = match until(&mut phase, Phase::Draining, handshake).await {
        Some(Ok(Ok(input))) => input,
        Some(Ok(Err(fatal))) => {
            tracing::debug!(peer = %link.peer, reason = fatal.reason, "turning a connection away");
            return Box::pin(turn_away(&mut link, &shared, &fatal, &limits)).await;
        }
        Some(Err(_)) => return tracing::debug!(peer = %link.peer, "a connection was not opened in time"),
        None => return,
    };
    let _ends = EndsWithTask(shared.clone());
    let (_listed, _task) = (acceptor.inspector.list(&shared), acceptor.task.clone());
    let answers = answers(Serving::new(acceptor, shared.clone()));
    let mut driver = Driver::new(shared.clone(), link, input, limits.write_timeout, Events::server(answers));
    if until(&mut phase, Phase::Draining, driver.run()).await.is_none() {
        Box::pin(drain(&shared, &mut driver, &mut phase)).await;
    }
    driver.cancel_handlers();
    Box::pin(say_goodbye(driver, &mut phase)).await;
}

/// Lets calls under way finish, until the server stops.
async fn drain(shared: &Shared, driver: &mut Driver, phase: &mut watch::Receiver<Phase>) {
    shared.with(|machine| machine.drain(GOODBYE));
    let idle = poll_fn(|cx| shared.with(|machine| machine.poll_idle(cx)));
    let done = until(phase, Phase::Stopping, first_of(driver.run(), idle)).await;
    driver.cancel_handlers();
    if done.is_none() {
        shared.with(|machine| machine.fail_all(&Status::new(Code::Unavailable, GOODBYE)));
    }
    shared.close(&Fatal::new(CloseCode::Shutdown, GOODBYE));
}

/// Writes what is left; a peer that reads slowly must not hold up the end of the server.
async fn say_goodbye(mut driver: Driver, phase: &mut watch::Receiver<Phase>) {
    if until(phase, Phase::Stopping, driver.finish()).await.is_none()
        && timeout(FAREWELL_MAX, driver.finish()).await.is_err()
    {
        return;
    }
    let _ = timeout(FAREWELL_MAX, driver.linger()).await;
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
async fn open(link: &mut Link, shared: &Shared) -> Result<Input, Fatal> {
    let mut input = Input::new();
    let is_open = |machine: &mut Connection| machine.peer_settings().is_some();
    while !shared.with(|machine| is_open(machine)) {
        match input.read_from(&mut link.stream).await {
            Ok(0) => {
                return Err(Fatal::new(
                    CloseCode::Protocol,
                    "the peer closed the connection before it was open",
                ));
            }
            Ok(_) => shared.with(|machine| machine.receive(&mut input.bytes, now()))?,
            Err(error) => {
                return Err(Fatal::new(CloseCode::Protocol, format!("the connection broke: {error}")));
            }
        }
    }
    Ok(input)
}

/// Tells a connection over the limit so, as far as it listens.
pub(super) async fn refuse(mut link: Link, limits: Limits, _refusal: OwnedSemaphorePermit) {
    let shared = Shared::new(Side::Server, &limits, link.peer.clone());
    let fatal = Fatal::new(
        CloseCode::TooManyConnections,
        "the server has as many connections as it takes (max_connections)",
    );
    tracing::debug!(peer = %link.peer, reason = fatal.reason, "turning a connection away");
    Box::pin(turn_away(&mut link, &shared, &fatal, &limits)).await;
}

/// Says why in the language of the peer where that can be told.
async fn turn_away(link: &mut Link, shared: &Shared, fatal: &Fatal, limits: &Limits) {
    const HTTP: &str = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n\
        This port speaks farcall, not HTTP. Put a gateway in front of it, or call it with a farcall client.\n";
    // An alert record of TLS 1.2: fatal, protocol_version.
    const TLS: &[u8] = &[0x15, 3, 3, 0, 2, 2, 70];
    let farewell = async {
        match &fatal.hello {
            Some(HelloError::Http) => link.stream.write_all(HTTP.as_bytes()).await?,
            Some(HelloError::Tls) => link.stream.write_all(TLS).await?,
            _ => {
                shared.close(fatal);
                flush(shared, link).await?;
            }
        }
        link.stream.shutdown().await?;
        // What the peer has sent and nobody read would make the system drop the farewell: read some of it.
        let mut rest = [0; 4096];
        for _ in 0..16 {
            if link.stream.read(&mut rest).await? == 0 {
                break;
            }
        }
        std::io::Result::Ok(())
    };
    // It is a courtesy: a peer that does not take it is closed all the same.
    let _ = timeout(limits.handshake_timeout.min(FAREWELL_MAX), farewell).await;
}
