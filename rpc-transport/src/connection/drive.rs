//! The task of a connection: bytes from the link to the machine, and from the machine to the link.
//!
//! One task does both, so that the answers to the calls of one read leave in one write, made right after the last of them, and so that an
//! idle connection costs one task.

mod ending;
mod timer;
mod turns;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use bytes::Buf;
use rpc_core::connection::{Event, Fatal, Transmit};
use rpc_core::{deadline_after, trim_buffers};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::{Sleep, sleep_until};

use super::Shared;
use super::events::{Events, forget_cancelled};
use super::input::Input;
use super::wakes::Wakes;
use crate::clock::now;
#[cfg(feature = "quic")]
use crate::link::quic::Rejected;
use crate::link::{ByteStream, Link};
use timer::stalled;
use turns::READS_MAX;

/// Events and wakers of one read for which an idle connection keeps memory.
const KEPT: usize = 16;
/// A server with so much unwritten reads no further calls: their answers would pile up before a peer that does not read.
const UNSENT_BYTES_MAX: usize = 512 * 1024;
/// How often a peer that sends no more is probed while it is owed answers.
const PROBE_INTERVAL: Duration = Duration::from_millis(100);

/// Moves the bytes of a connection.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    stream: Box<dyn ByteStream>,
    input: Input,
    output: Transmit,
    is_flushed: bool,
    /// What there is to write is written now: those who are about to add to it have had their turn.
    may_take: bool,
    /// The peer owes it to take some of what is written before more of it is read.
    held_back: bool,
    /// The peer sends no more.
    input_ended: bool,
    /// The machine's timer, where that has come nearer than the sleep.
    sooner_timer: Option<Instant>,
    /// Since when the peer has taken nothing of what is to be written.
    stalled_at: Option<Instant>,
    write_timeout: Duration,
    events: Events,
    /// What is to be acted on before more is read.
    pending: VecDeque<Event>,
    /// Tasks were woken or started that this thread runs next, and no other thread may take: they wait while this task goes on.
    others_wait: bool,
    /// How often was read since.
    reads: u32,
    /// Those whose answers have been read.
    wakes: Wakes,
}

/// What a driver goes on with.
enum Step {
    Received,
    /// There is more to act on, and others have had their turn.
    Pending,
    InputEnded,
    Timer,
    Ended,
}

/// What a driver has done with its output.
enum Written {
    /// There may be more.
    Batch,
    /// The connection has ended.
    Ended,
}

impl Driver {
    /// Drives a connection that is open; what is in `input` was read while it opened.
    pub(crate) fn new(
        shared: Arc<Shared>,
        link: Link,
        input: Input,
        write_timeout: Duration,
        events: Events,
    ) -> Self {
        Self {
            shared,
            stream: link.stream,
            input,
            output: Transmit::new(),
            is_flushed: true,
            may_take: false,
            held_back: false,
            input_ended: false,
            sooner_timer: None,
            stalled_at: None,
            write_timeout,
            events,
            pending: VecDeque::with_capacity(1),
            others_wait: false,
            reads: 0,
            wakes: Wakes::default(),
        }
    }

    /// Reads and writes until the connection ends.
    ///
    /// # Cancel safety
    /// It can be dropped and called again; nothing is lost.
    pub(crate) async fn run(&mut self) {
        self.run_to_end().await;
        self.wakes.wake_all();
        // Oneway calls that came before the end go on without the connection.
        while !self.pending.is_empty() {
            self.events.others_had_turn();
            self.events.act_on(&mut self.pending);
        }
        trim_buffers(now());
    }

    async fn run_to_end(&mut self) {
        let mut timer = pin!(sleep_until(self.due().into()));
        let mut step = Ok(Step::Received);
        loop {
            let done = match step {
                Ok(Step::Received) => self.receive(),
                Ok(Step::Pending) => self.act(),
                Ok(Step::InputEnded) => self.end_input(),
                Ok(Step::Timer) => self.on_timer(),
                Ok(Step::Ended) => return,
                #[cfg(feature = "quic")]
                Err(error) if Rejected::is_why(&error) => {
                    // The calls are made again elsewhere.
                    return self.shared.with(|machine| machine.lost_unread(&error.to_string()));
                }
                Err(error) => return self.lost(&format!("the connection broke: {error}")),
            };
            if let Err(fatal) = done {
                tracing::debug!(peer = %self.shared.peer, reason = fatal.reason, "closing a connection");
                return self.shared.close(&fatal);
            }
            if let Ok(Step::InputEnded | Step::Timer) = step {
                timer.as_mut().reset(self.due().into());
            }
            step = poll_fn(|cx| self.poll(cx, timer.as_mut())).await;
        }
    }

    /// Cancels the handlers under way, except those that nobody waits for.
    pub(crate) fn cancel_handlers(&mut self) {
        self.events = Events::client();
    }

    fn poll(&mut self, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>) -> Poll<io::Result<Step>> {
        // In turn: a peer that takes all that is written must not keep what it sends from being read.
        loop {
            let written = match self.poll_write(cx) {
                Poll::Ready(Ok(Written::Ended)) => return Poll::Ready(Ok(Step::Ended)),
                Poll::Ready(Ok(Written::Batch)) => Poll::Ready(()),
                Poll::Ready(Err(error)) => return self.poll_last_input(cx, error),
                Poll::Pending => Poll::Pending,
            };
            // Asked here too: a peer that sends without end would keep the timer from being asked.
            if self.stalled_at.is_some_and(|at| now().duration_since(at) >= self.write_timeout) {
                return Poll::Ready(Err(stalled(self.write_timeout)));
            }
            if self.wakes_more(cx) || self.gives_turn(cx) {
                return Poll::Pending;
            }
            if let Poll::Ready(step) = self.poll_read(cx)? {
                return Poll::Ready(Ok(step));
            }
            if written.is_pending() {
                break;
            }
        }
        self.others_had_turn();
        let stalled = self.stalled_at.map(|stalled_at| deadline_after(stalled_at, self.write_timeout));
        for due in [stalled, self.sooner_timer.take()].into_iter().flatten() {
            if due < timer.deadline().into_std() {
                timer.as_mut().reset(due.into());
            }
        }
        ready!(timer.poll(cx));
        Poll::Ready(Ok(Step::Timer))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Step>> {
        if !self.pending.is_empty() {
            return Poll::Ready(Ok(Step::Pending));
        }
        if self.input_ended || self.is_held_back() {
            return Poll::Pending;
        }
        let bytes = ready!(pin!(self.input.read_from(&mut self.stream)).poll(cx))?;
        self.reads = self.reads.saturating_add(1);
        Poll::Ready(Ok(if bytes == 0 { Step::InputEnded } else { Step::Received }))
    }

    /// The link is broken; what has arrived before that is still read, within the limits on what is not written: the peer may have closed one
    /// direction only, and send on without end.
    fn poll_last_input(&mut self, cx: &mut Context<'_>, error: io::Error) -> Poll<io::Result<Step>> {
        let stalled_at = *self.stalled_at.get_or_insert_with(now);
        if self.is_held_back() || now().duration_since(stalled_at) >= self.write_timeout {
            return Poll::Ready(Err(error));
        }
        if !self.pending.is_empty() {
            return Poll::Ready(Ok(Step::Pending));
        }
        match pin!(self.input.read_from(&mut self.stream)).poll(cx) {
            Poll::Ready(Ok(1..)) => Poll::Ready(Ok(Step::Received)),
            _ => Poll::Ready(Err(error)),
        }
    }

    /// Writes what there is, one batch at a time.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Written>> {
        loop {
            if self.output.has_remaining() || !self.is_flushed {
                if self.poll_output(cx)?.is_pending() {
                    self.stall();
                    return Poll::Pending;
                }
                if self.stalled_at.take().is_some() {
                    self.shared.note(|machine| machine.write_went_on(now()));
                }
                if !self.output.has_remaining() && self.is_flushed {
                    return Poll::Ready(Ok(Written::Batch));
                }
            } else if self.may_take {
                self.may_take = false;
                if self.take() {
                    return Poll::Ready(Ok(Written::Ended));
                }
            } else if self.is_done() {
                self.lost("the peer closed the connection");
                return Poll::Ready(Ok(Written::Ended));
            } else {
                let (unsent, calls) =
                    self.shared.with(|machine| (machine.poll_unsent(cx), machine.calls_in_flight()));
                ready!(unsent);
                self.may_take = true;
                if calls > 1 {
                    // The others may add to it: one write serves them all. Not tokio's `yield_now`: that parks the task with the worker thread,
                    // where it would wait for a handler that blocks the thread. A task that wakes itself goes to the end of the queue, from which
                    // other threads take it.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
        }
    }

    /// The peer takes no more for now: calls that are not written yet wait from here on.
    fn stall(&mut self) {
        if self.stalled_at.is_none() {
            self.stalled_at = Some(now());
            let unwritten = self.output.remaining();
            self.shared.note(|machine| machine.write_stalled(unwritten));
        }
    }

    /// Writes a part of what was taken; after the last part, all is flushed.
    fn poll_output(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.output.has_remaining() {
            self.is_flushed = false;
            if ready!(self.poll_write_some(cx))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        } else {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.is_flushed = true;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_some(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let chunk = self.output.chunk();
        if chunk.len() < self.output.remaining() {
            return pin!(self.stream.write_buf(&mut self.output)).poll(cx);
        }
        // As most writes are: the system has less to do for one piece.
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, chunk))?;
        self.output.advance(written);
        Poll::Ready(Ok(written))
    }

    /// Takes what there is to write, and tells whether the connection has ended.
    fn take(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.shared.with(|machine| {
            let _ = machine.poll_transmit(&mut cx, &mut self.output);
            self.sooner_timer = machine.take_sooner_timer().or(self.sooner_timer);
            machine.is_closed()
        })
    }

    /// Hands what was read to the machine, and acts on what that means.
    fn receive(&mut self) -> Result<(), Fatal> {
        let now = now();
        let unsent_max = self.unsent_bytes_max();
        let Self { shared, input, wakes, pending, sooner_timer, .. } = self;
        let mut has_cancelled = false;
        let received = shared.with_many(&mut wakes.0, |machine| {
            // Answers that are made here are written by this task without its being woken.
            machine.forget_writer();
            let received = machine.receive(&mut input.bytes, now);
            input.missing_bytes = machine.missing_bytes();
            has_cancelled = machine.move_events(pending);
            *sooner_timer = machine.take_sooner_timer().or(*sooner_timer);
            received.map(|()| machine.owes_answers(unsent_max))
        });
        if has_cancelled {
            forget_cancelled(pending);
        }
        self.others_wait |= !self.wakes.0.is_empty();
        self.wakes.wake_portion();
        self.held_back = received?;
        self.act()
    }

    /// Acts on what came, as far as there is time; what is answered at once is written at once.
    fn act(&mut self) -> Result<(), Fatal> {
        if self.events.act_on(&mut self.pending) {
            (self.others_wait, self.reads) = (true, READS_MAX);
        }
        self.may_take |= self.events.is_server();
        Ok(())
    }

    /// The peer sends no more. A server still answers what it was asked; a peer that is gone altogether is found out by writing to it.
    fn end_input(&mut self) -> Result<(), Fatal> {
        self.input_ended = true;
        if !self.events.is_server() {
            self.lost("the peer closed the connection");
        }
        Ok(())
    }

    /// Tells whether a peer that sends no more has all its answers.
    fn is_done(&self) -> bool {
        self.input_ended && self.shared.with(|machine| machine.is_idle() && machine.unsent_bytes() == 0)
    }

    fn is_held_back(&mut self) -> bool {
        let unsent_max = self.unsent_bytes_max();
        self.held_back = self.held_back && self.shared.with(|machine| machine.owes_answers(unsent_max));
        self.held_back
    }

    /// How much the machine may have to write beside what was taken of it.
    fn unsent_bytes_max(&self) -> usize {
        UNSENT_BYTES_MAX.saturating_sub(self.output.remaining())
    }

    /// There is nobody left to write to.
    fn lost(&mut self, reason: &str) {
        self.shared.lost(reason);
        self.output = Transmit::new();
        self.take();
        self.output = Transmit::new();
    }
}
