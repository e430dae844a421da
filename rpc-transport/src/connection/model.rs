//! Every order in which tasks can meet on a connection, tried by loom: the real driver and the real calls, around a peer that is a machine.
//!
//! `RUSTFLAGS="--cfg farcall_loom" cargo test -p rpc-transport --release --lib model`

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes, BytesMut};
use loom::future::block_on;
use loom::thread;
use rpc_core::connection::{Connection, Event, Fatal, Reply, Side, Transmit};
use rpc_core::wire::CloseCode;
use rpc_core::{Body, CodecKind, Fate, MethodId, Peer, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{ClientConnection, Driver, Events, Input, Shared};
use crate::call::{self, Called, Calling, Chosen};
use crate::clock::now;
use crate::limits::Limits;
use crate::link::Link;
use crate::waits::Waits;

/// Tries all orders with at most so many preemptions: nearly all faults of this kind show with two, and more take hours.
pub(crate) fn check(preemptions_max: usize, model: impl Fn() + Sync + Send + 'static) {
    // All threads of a model are one of the system's, so they share the clock that the driver asks for.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions_max);
    builder.check(model);
}

/// A link whose other end is a machine that answers each call with the arguments, when it reads it.
pub(crate) struct Echo {
    machine: Connection,
    input: BytesMut,
    output: BytesMut,
    reader: Option<Waker>,
    ended: bool,
    /// How many calls have come.
    ran: Arc<AtomicUsize>,
}

impl Echo {
    fn new(limits: &Limits) -> Self {
        Self {
            machine: Connection::new(Side::Server, limits.config.clone(), now()),
            input: BytesMut::new(),
            output: BytesMut::new(),
            reader: None,
            ended: false,
            ran: Arc::default(),
        }
    }

    fn answer(&mut self) {
        self.machine.receive(&mut self.input, now()).expect("the client keeps to the protocol");
        while let Some(event) = self.machine.poll_event() {
            if let Event::Call(incoming) = event {
                self.ran.fetch_add(1, Ordering::Relaxed);
                self.machine.reply(incoming.id, &Reply::new(incoming.codec, incoming.message));
            }
        }
        drain_into(&mut self.machine, &mut self.output);
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

pub(crate) fn drain_into(machine: &mut Connection, out: &mut BytesMut) {
    let mut transmit = Transmit::new();
    while machine.poll_transmit(&mut Context::from_waker(Waker::noop()), &mut transmit).is_ready() {
        out.extend_from_slice(&transmit.copy_to_bytes(transmit.remaining()));
    }
}

impl AsyncRead for Echo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.output.is_empty() && !self.ended {
            self.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let bytes = self.output.len().min(buf.remaining());
        buf.put_slice(&self.output.split_to(bytes));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Echo {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.input.extend_from_slice(buf);
        self.answer();
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.ended = true;
        Poll::Ready(Ok(()))
    }
}

/// A client whose connection is open, what drives it, and how many calls its peer has run.
fn client(calls_max: u32) -> (Arc<ClientConnection>, Driver, Arc<AtomicUsize>) {
    let limits = Limits::default().calls_in_flight(calls_max);
    let shared = Arc::new(Shared::new(Side::Client, &limits, Peer::new("model")));
    let mut echo = Echo::new(&limits);
    shared.with(|machine| drain_into(machine, &mut echo.input));
    echo.answer();
    shared.with(|machine| machine.receive(&mut echo.output, now())).expect("the peer opens as agreed");
    let ran = echo.ran.clone();
    let link = Link { stream: Box::new(echo), peer: Peer::new("model") };
    let driver = Driver::new(shared.clone(), link, Input::new(), limits.write_timeout, Events::client());
    (Arc::new(ClientConnection { shared }), driver, ran)
}

fn drive(mut driver: Driver) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        block_on(async {
            driver.run().await;
            // What is left is written, as by the task of a real connection.
            let _ = driver.finish().await;
        });
    })
}

fn request(byte: u8) -> Request {
    Request::by_id(MethodId::new(1), CodecKind::default(), Body::new(Bytes::from(vec![byte])))
}

/// Makes a call where there is no other connection; none where the handler was not run.
async fn call(
    connection: Arc<ClientConnection>,
    request: &mut Request,
) -> Result<Option<Response>, rpc_core::Error> {
    match call::call(Chosen::new(connection, request), request, &Calling::default(), &mut Waits::default())
        .await?
    {
        Called::Answered(response) => Ok(Some(response)),
        Called::Ended | Called::Elsewhere => Ok(None),
    }
}

fn expect_answer(response: Option<Response>, byte: u8) {
    assert_eq!(&response.expect("the connection takes calls").body().message()[..], [byte]);
}

fn expect_at_rest(connection: &ClientConnection) {
    connection.shared.with(|machine| assert!(machine.is_idle(), "a call is left"));
}

#[test]
fn the_writer_sees_what_callers_append_and_each_gets_its_answer() {
    check(2, || {
        let (connection, driver, ran) = client(2);
        let driver = drive(driver);
        let caller = {
            let connection = connection.clone();
            thread::spawn(move || {
                expect_answer(block_on(call(connection, &mut request(1))).expect("it is answered"), 1);
            })
        };
        expect_answer(block_on(call(connection.clone(), &mut request(2))).expect("it is answered"), 2);
        caller.join().unwrap();
        expect_at_rest(&connection);
        drop(connection);
        driver.join().unwrap();
        assert_eq!(ran.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn whoever_waits_for_a_slot_gets_it() {
    // With two preemptions it takes many minutes: there are four threads.
    check(1, || {
        let (connection, driver, _) = client(1);
        let driver = drive(driver);
        let callers = [1, 2].map(|byte| {
            let connection = connection.clone();
            thread::spawn(move || {
                expect_answer(block_on(call(connection, &mut request(byte))).expect("it is answered"), byte);
            })
        });
        expect_answer(block_on(call(connection.clone(), &mut request(3))).expect("it is answered"), 3);
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        drop(connection);
        driver.join().unwrap();
    });
}

#[test]
fn a_call_that_is_cancelled_while_its_answer_comes_leaves_its_slot_to_the_next() {
    check(2, || {
        let (connection, driver, _) = client(1);
        let driver = drive(driver);
        block_on(async {
            let mut request = request(1);
            let mut call = pin!(call(connection.clone(), &mut request));
            poll_fn(|cx| {
                let _ = call.as_mut().poll(cx);
                Poll::Ready(())
            })
            .await;
        });
        expect_answer(block_on(call(connection.clone(), &mut request(2))).expect("it is answered"), 2);
        expect_at_rest(&connection);
        drop(connection);
        driver.join().unwrap();
    });
}

/// Ends the connection while a call is made, and holds what the call says of itself against what the peer has seen.
fn check_end(end: impl Fn(&Shared) + Copy + Sync + Send + 'static) {
    check(2, move || {
        let (connection, driver, ran) = client(1);
        let driver = drive(driver);
        let ender = {
            let connection = connection.clone();
            thread::spawn(move || end(&connection.shared))
        };
        let result = block_on(call(connection.clone(), &mut request(1)));
        ender.join().unwrap();
        expect_at_rest(&connection);
        drop(connection);
        driver.join().unwrap();
        let ran = ran.load(Ordering::Relaxed);
        match result {
            Ok(Some(response)) => {
                expect_answer(Some(response), 1);
                assert_eq!(ran, 1);
            }
            Ok(None) => assert_eq!(ran, 0, "a call that may go to another connection was run"),
            Err(error) if matches!(error.fate(), Fate::NeverSent | Fate::Refused) => {
                assert_eq!(ran, 0, "{error}, and it was run");
            }
            Err(error) => assert_eq!(error.fate(), Fate::MaybeExecuted, "{error}"),
        }
    });
}

#[test]
fn a_call_on_a_connection_that_closes_says_truly_whether_it_may_have_run() {
    check_end(|shared| shared.close(&Fatal::new(CloseCode::Shutdown, "the client is done")));
}

#[test]
fn a_call_on_a_connection_that_is_lost_says_truly_whether_it_may_have_run() {
    check_end(|shared| shared.lost("the link is gone"));
}
