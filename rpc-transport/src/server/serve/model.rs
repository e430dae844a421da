//! A connection of a server that drains while a call comes and its handler answers, in every order.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use loom::future::block_on;
use loom::sync::mpsc;
use loom::thread;
use rpc_core::connection::{Connection, Incoming, OpenCall, Reply, Side};
use rpc_core::wire::StreamId;
use rpc_core::{CodecKind, Error, Fate, Metadata, MethodId, Peer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::{drain, until};
use crate::clock::now;
use crate::connection::model::{check, drain_into};
use crate::connection::{Answer, Driver, Events, Input, Shared};
use crate::limits::Limits;
use crate::link::Link;
use crate::server::Phase;

/// A link from whose other end one call comes.
struct Caller {
    machine: Arc<Mutex<Connection>>,
    /// What the server is to read: the call.
    output: BytesMut,
    input: BytesMut,
}

impl AsyncRead for Caller {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.output.is_empty() {
            // It has no more to say, and does not hang up.
            return Poll::Pending;
        }
        let bytes = self.output.len().min(buf.remaining());
        buf.put_slice(&self.output.split_to(bytes));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Caller {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let Self { machine, input, .. } = &mut *self;
        input.extend_from_slice(buf);
        machine.lock().unwrap().receive(input, now()).expect("the server keeps to the protocol");
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Leaves calls to a thread, and tells it when there will be none.
struct Elsewhere(mpsc::Sender<Option<Incoming>>);

// loom's channel does not end with its sender.
impl Drop for Elsewhere {
    fn drop(&mut self) {
        let _ = self.0.send(None);
    }
}

impl Answer for Elsewhere {
    fn start_batch(&mut self) {}

    fn others_had_turn(&mut self) {}

    fn is_time_up(&self) -> bool {
        false
    }

    fn has_started_slow(&self) -> bool {
        true
    }

    fn start(&mut self, incoming: Incoming) -> Option<AbortHandle> {
        self.0.send(Some(incoming)).expect("the handler's thread waits for calls");
        None
    }
}

/// A server's connection that is open, whose peer has sent a call.
fn server() -> (Arc<Shared>, Link, Arc<Mutex<Connection>>, StreamId) {
    let limits = Limits::default();
    let shared = Arc::new(Shared::new(Side::Server, &limits, Peer::new("model")));
    let mut machine = Connection::new(Side::Client, limits.config.clone(), now());
    let (mut to_server, mut to_client) = (BytesMut::new(), BytesMut::new());
    drain_into(&mut machine, &mut to_server);
    shared.with(|server| {
        server.receive(&mut to_server, now()).expect("the client opens as agreed");
        drain_into(server, &mut to_client);
        let _ = server.poll_event();
    });
    machine.receive(&mut to_client, now()).expect("the server opens as agreed");
    let metadata = Metadata::new();
    let call =
        OpenCall::new(MethodId::new(1), CodecKind::default().id(), Bytes::from_static(b"?"), &metadata);
    let id = machine.open(&call).expect("the connection takes calls");
    drain_into(&mut machine, &mut to_server);
    let machine = Arc::new(Mutex::new(machine));
    let caller = Caller { machine: machine.clone(), output: to_server, input: BytesMut::new() };
    (shared, Link { stream: Box::new(caller), peer: Peer::new("model") }, machine, id)
}

fn outcome(machine: &Mutex<Connection>, id: StreamId) -> Poll<Result<Reply, Error>> {
    machine.lock().unwrap().poll_reply(id, &mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_call_that_comes_while_the_server_drains_is_answered_or_refused_and_the_drain_ends() {
    check(2, || {
        let (shared, link, caller, id) = server();
        let (calls, incoming) = mpsc::channel::<Option<Incoming>>();
        let (phase, mut phases) = watch::channel(Phase::Running);
        let handler = {
            let shared = shared.clone();
            thread::spawn(move || {
                let mut ran = false;
                while let Ok(Some(call)) = incoming.recv() {
                    shared.with(|machine| machine.reply(call.id, &Reply::new(call.codec, call.message)));
                    ran = true;
                }
                ran
            })
        };
        let connection = shared.clone();
        let connection = thread::spawn(move || {
            let shared = connection;
            let limits = Limits::default();
            let events = Events::server(Elsewhere(calls));
            let mut driver = Driver::new(shared.clone(), link, Input::new(), limits.write_timeout, events);
            block_on(async {
                if until(&mut phases, Phase::Draining, driver.run()).await.is_none() {
                    drain(&shared, &mut driver, &mut phases).await;
                }
                driver.finish().await.expect("the link takes all");
            });
        });
        // The channel is none of loom's: the lock is where this thread may come before or after the others.
        shared.with(|machine| machine.is_idle());
        phase.send_replace(Phase::Draining);
        connection.join().unwrap();
        let ran = handler.join().unwrap();
        match outcome(&caller, id) {
            Poll::Ready(Ok(reply)) => assert!(ran && &reply.message[..] == b"?"),
            Poll::Ready(Err(error)) => assert!(!ran && error.fate() == Fate::Refused, "{error}"),
            Poll::Pending => panic!("the caller was left without an answer"),
        }
    });
}
