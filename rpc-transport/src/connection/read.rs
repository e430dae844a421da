//! The task that reads: bytes to the machine, and what happened to whom it concerns.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rpc_core::connection::{Event, Fatal, Incoming};
use rpc_core::wire::StreamId;
use rpc_core::{Error, ErrorKind};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::AbortHandle;
use tokio::time::{Sleep, sleep_until};

use super::Shared;

/// An idle connection keeps no more than this to read into.
pub(crate) const READ_BYTES_MIN: usize = 4 * 1024;
/// A busy one reads so much at once.
const READ_BYTES_MAX: usize = 256 * 1024;
/// A server with so much unwritten reads no further calls: their answers would pile up before a peer that does not read.
const UNSENT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How often a peer that sends no more is probed while it is owed answers.
const PROBE_INTERVAL: Duration = Duration::from_millis(100);

type Reader = Box<dyn AsyncRead + Send + Unpin>;

/// Answers the calls that a server reads.
pub(crate) trait Answer: Send {
    /// Calls come that one read has brought.
    fn start_batch(&mut self);

    /// Starts answering a call, and gives what cancels that if it is not done at once.
    fn start(&mut self, incoming: Incoming) -> Option<AbortHandle>;
}

/// What a side does with the calls that come in.
pub(crate) struct Events {
    answer: Option<Box<dyn Answer>>,
    /// The handlers under way, by slot; the handle of a handler that is done stays until its slot is taken again.
    handlers: Vec<Option<(StreamId, AbortHandle)>>,
}

impl Events {
    /// Takes no calls: a client.
    pub(crate) fn client() -> Self {
        Self { answer: None, handlers: Vec::new() }
    }

    /// Has each call answered: a server.
    pub(crate) fn server(answer: impl Answer + 'static) -> Self {
        Self { answer: Some(Box::new(answer)), handlers: Vec::new() }
    }

    fn act_on(&mut self, events: &mut Vec<Event>) {
        if let Some(answer) = &mut self.answer
            && !events.is_empty()
        {
            answer.start_batch();
        }
        events.drain(..).for_each(|event| self.act(event));
    }

    fn act(&mut self, event: Event) {
        match event {
            Event::Call(incoming) => {
                let Some(answer) = &mut self.answer else { return };
                let id = incoming.id;
                let slot = usize::from(id.slot());
                if self.handlers.len() <= slot {
                    self.handlers.resize_with(slot + 1, || None);
                }
                self.handlers[slot] = answer.start(incoming).map(|task| (id, task));
            }
            Event::Cancelled(id) => {
                let handler = self.handlers.get_mut(usize::from(id.slot()));
                if let Some((_, task)) =
                    handler.and_then(|handler| handler.take_if(|(known, _)| *known == id))
                {
                    task.abort();
                }
            }
            _ => {}
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        for (_, task) in self.handlers.drain(..).flatten() {
            task.abort();
        }
    }
}

enum Read {
    Bytes(std::io::Result<usize>),
    Silent(Fatal),
    Ended,
}

/// Reads until the connection ends; what is in the buffer was read while it opened.
pub(crate) async fn read_loop(
    shared: Arc<Shared>,
    mut reader: Reader,
    mut buffer: BytesMut,
    mut events: Events,
) {
    let mut ended = pin!(shared.ended.notified());
    let mut timer = pin!(sleep_until(shared.with(|machine| machine.timer()).into()));
    let (mut pending, mut wakes) = (Vec::new(), Vec::new());
    loop {
        match receive(&shared, &mut buffer, &mut pending, &mut wakes) {
            Ok(Ahead::No) => {}
            Ok(Ahead::Writer) => wait_for_writer(&shared).await,
            Ok(Ahead::Ended) => return,
            Err(fatal) => {
                tracing::debug!(peer = %shared.peer, reason = fatal.reason, "closing a connection");
                return shared.close(&fatal);
            }
        }
        events.act_on(&mut pending);
        grow(&mut buffer);
        let read = poll_fn(|cx| {
            if let Poll::Ready(read) = pin!(reader.read_buf(&mut buffer)).poll(cx) {
                return Poll::Ready(Read::Bytes(read));
            }
            if ended.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Read::Ended);
            }
            poll_timer(&shared, timer.as_mut(), cx).map(Read::Silent)
        });
        match read.await {
            Read::Bytes(Ok(0)) => return finish(&shared, events).await,
            Read::Bytes(Ok(_)) => {}
            Read::Bytes(Err(error)) => return shared.lost(&format!("the connection broke: {error}")),
            Read::Silent(fatal) => return shared.close(&fatal),
            Read::Ended => return,
        }
    }
}

/// Reads once while a connection opens.
pub(crate) async fn once(shared: &Shared, reader: &mut Reader, buffer: &mut BytesMut) -> Result<(), Error> {
    let connect = |text: String| Error::new(ErrorKind::Connect, text);
    match reader.read_buf(buffer).await {
        Ok(0) => Err(connect("the peer closed the connection while it was opened".into())),
        Ok(_) => shared
            .with(|machine| machine.receive(buffer, Instant::now()))
            .map_err(|fatal| connect(fatal.reason)),
        Err(error) => Err(super::link_error(&error)),
    }
}

/// What stands before the next read.
enum Ahead {
    No,
    /// A server owes its peer so much that it reads no further calls until the peer has taken some of it.
    Writer,
    Ended,
}

fn receive(
    shared: &Shared,
    buffer: &mut BytesMut,
    pending: &mut Vec<Event>,
    wakes: &mut Vec<Waker>,
) -> Result<Ahead, Fatal> {
    let now = Instant::now();
    shared.with_many(wakes, |machine| {
        let result = machine.receive(buffer, now);
        pending.extend(std::iter::from_fn(|| machine.poll_event()));
        result.map(|()| match () {
            () if machine.is_closed() => Ahead::Ended,
            () if machine.owes_answers(UNSENT_BYTES_MAX) => Ahead::Writer,
            () => Ahead::No,
        })
    })
}

/// Looks at the machine's timer when it may be due; that moves with each read, so the sleep is set anew only when it fires.
fn poll_timer(shared: &Shared, mut timer: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<Fatal> {
    while timer.as_mut().poll(cx).is_ready() {
        let now = Instant::now();
        match shared.with(|machine| machine.on_timer(now).map(|()| machine.timer())) {
            Ok(due) => timer.as_mut().reset(due.into()),
            Err(fatal) => return Poll::Ready(fatal),
        }
    }
    Poll::Pending
}

/// Makes room to read into: little at first, more when reads fill it.
fn grow(buffer: &mut BytesMut) {
    let room = buffer.capacity() - buffer.len();
    if room < READ_BYTES_MIN / 2 {
        buffer.reserve((2 * buffer.capacity()).clamp(READ_BYTES_MIN, READ_BYTES_MAX));
    }
}

async fn wait_for_writer(shared: &Shared) {
    loop {
        let written = shared.written.notified();
        if !shared.with(|machine| machine.owes_answers(UNSENT_BYTES_MAX)) {
            return;
        }
        written.await;
    }
}

/// The peer sends no more. A server still answers what it was asked; a peer that is gone altogether is found out by writing to it.
async fn finish(shared: &Shared, events: Events) {
    if events.answer.is_some() {
        loop {
            let ended = shared.ended.notified();
            if shared.with(|machine| machine.is_closed() || machine.is_idle()) {
                break;
            }
            shared.with(|machine| machine.probe());
            // There is no event for the last answer: the next probe finds it sent.
            let _ = tokio::time::timeout(PROBE_INTERVAL, ended).await;
        }
    }
    shared.lost("the peer closed the connection");
}
