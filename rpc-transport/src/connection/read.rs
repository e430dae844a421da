//! The task that reads: bytes to the machine, and what happened to whom it concerns.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::BytesMut;
use rpc_core::connection::{Event, Fatal, Incoming};
use rpc_core::wire::StreamId;
use rpc_core::{Error, ErrorKind};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::AbortHandle;
use tokio::time::{Sleep, sleep_until};

use super::Shared;
use crate::clock::now;

/// An idle connection keeps no more than this to read into.
pub(crate) const READ_BYTES_MIN: usize = 4 * 1024;
/// A busy one reads so much at once.
const READ_BYTES_MAX: usize = 256 * 1024;
/// Events of one read for which an idle connection keeps memory.
const EVENTS_KEPT: usize = 16;
/// A server with so much unwritten reads no further calls: their answers would pile up before a peer that does not read.
const UNSENT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How often a peer that sends no more is probed while it is owed answers.
const PROBE_INTERVAL: Duration = Duration::from_millis(100);

pub(crate) type Reader = Box<dyn AsyncRead + Send + Unpin>;

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
    /// The handlers under way, by slot; the handle of a handler that is done stays until its slot is taken again, or nothing was heard for long.
    handlers: Vec<Option<Handler>>,
}

struct Handler {
    id: StreamId,
    task: AbortHandle,
    /// It goes on without its connection.
    oneway: bool,
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
                let (id, oneway) = (incoming.id, incoming.oneway);
                let slot = usize::from(id.slot());
                if self.handlers.len() <= slot {
                    self.handlers.resize_with(slot + 1, || None);
                }
                self.handlers[slot] = answer.start(incoming).map(|task| Handler { id, task, oneway });
            }
            Event::Cancelled(id) => {
                let handler = self.handlers.get_mut(usize::from(id.slot()));
                if let Some(handler) = handler.and_then(|handler| handler.take_if(|known| known.id == id)) {
                    handler.task.abort();
                }
            }
            _ => {}
        }
    }

    /// Gives back the memory of handlers that are done.
    fn forget_done(&mut self) {
        for handler in &mut self.handlers {
            handler.take_if(|handler| handler.task.is_finished());
        }
        let used = self.handlers.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        self.handlers.truncate(used);
        self.handlers.shrink_to_fit();
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        for handler in self.handlers.drain(..).flatten().filter(|handler| !handler.oneway) {
            handler.task.abort();
        }
    }
}

enum Read {
    Bytes(std::io::Result<usize>),
    /// It is time to see whether the connection is idle.
    Timer,
    Silent(Fatal),
    Ended,
}

/// Reads until the connection ends; what is in the buffer was read while it opened.
pub(crate) async fn read_loop(
    shared: Arc<Shared>,
    reader: &mut Reader,
    mut buffer: BytesMut,
    mut events: Events,
) {
    let mut ended = pin!(shared.ended.notified());
    let mut timer = pin!(sleep_until(shared.with(|machine| machine.timer()).into()));
    let (mut pending, mut wakes) = (Vec::new(), Vec::new());
    loop {
        match receive(&shared, &mut buffer, &mut pending, &mut wakes) {
            Ok(Ahead::No) => {}
            Ok(Ahead::Writer) if wait_for_writer(&shared).await => {}
            Ok(Ahead::Writer) => return,
            Ok(Ahead::Ended) => return,
            Err(fatal) => {
                tracing::debug!(peer = %shared.peer, reason = fatal.reason, "closing a connection");
                return shared.close(&fatal);
            }
        }
        events.act_on(&mut pending);
        grow(&mut buffer);
        loop {
            let read = poll_fn(|cx| {
                if let Poll::Ready(read) = pin!(reader.read_buf(&mut buffer)).poll(cx) {
                    return Poll::Ready(Read::Bytes(read));
                }
                if ended.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Read::Ended);
                }
                poll_timer(&shared, timer.as_mut(), cx)
            });
            match read.await {
                Read::Bytes(Ok(0)) => return finish(&shared, events).await,
                Read::Bytes(Ok(_)) => break,
                Read::Bytes(Err(error)) => return shared.lost(&format!("the connection broke: {error}")),
                Read::Timer => {
                    shrink(&mut buffer);
                    events.forget_done();
                    pending.shrink_to(EVENTS_KEPT);
                }
                Read::Silent(fatal) => return shared.close(&fatal),
                Read::Ended => return,
            }
        }
    }
}

/// Reads once while a connection opens.
pub(crate) async fn once(shared: &Shared, reader: &mut Reader, buffer: &mut BytesMut) -> Result<(), Error> {
    let connect = |text: String| Error::new(ErrorKind::Connect, text);
    match reader.read_buf(buffer).await {
        Ok(0) => Err(connect("the peer closed the connection while it was opened".into())),
        Ok(_) => shared.with(|machine| machine.receive(buffer, now())).map_err(|fatal| connect(fatal.reason)),
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
    let now = now();
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
fn poll_timer(shared: &Shared, mut timer: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<Read> {
    ready!(timer.as_mut().poll(cx));
    let now = now();
    Poll::Ready(match shared.with(|machine| machine.on_timer(now).map(|()| machine.timer())) {
        Ok(due) => {
            timer.as_mut().reset(due.into());
            Read::Timer
        }
        Err(fatal) => Read::Silent(fatal),
    })
}

/// Makes room to read into: little at first, more when reads fill it.
fn grow(buffer: &mut BytesMut) {
    let room = buffer.capacity() - buffer.len();
    if room < READ_BYTES_MIN / 2 {
        buffer.reserve((2 * buffer.capacity()).clamp(READ_BYTES_MIN, READ_BYTES_MAX));
    }
}

/// Gives a buffer that has grown back; a busy connection, which comes here once in a while too, grows it again.
fn shrink(buffer: &mut BytesMut) {
    if buffer.is_empty() {
        *buffer = BytesMut::with_capacity(READ_BYTES_MIN);
    }
}

/// Waits until the peer has taken enough; false where the connection has ended instead.
async fn wait_for_writer(shared: &Shared) -> bool {
    loop {
        let written = shared.written.notified();
        let (is_closed, owes) =
            shared.with(|machine| (machine.is_closed(), machine.owes_answers(UNSENT_BYTES_MAX)));
        if is_closed || !owes {
            return !is_closed;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_idle_connection_keeps_no_memory_of_what_is_done() {
        let mut events = Events::client();
        let done = tokio::spawn(async {});
        let hanging = tokio::spawn(std::future::pending::<()>());
        for (sequence, task) in [(1, &hanging), (2, &done), (3, &done)] {
            let id = StreamId::new(sequence, 0, false);
            events.handlers.push(Some(Handler { id, task: task.abort_handle(), oneway: false }));
        }
        done.await.unwrap();
        events.forget_done();
        assert_eq!((events.handlers.len(), events.handlers.capacity()), (1, 1));
        drop(events);
        assert!(hanging.await.unwrap_err().is_cancelled());
    }

    #[test]
    fn a_buffer_that_has_grown_shrinks_but_keeps_what_was_read() {
        let mut buffer = BytesMut::with_capacity(READ_BYTES_MAX);
        buffer.extend_from_slice(b"half a frame");
        shrink(&mut buffer);
        assert_eq!(&buffer[..], b"half a frame");
        buffer.clear();
        shrink(&mut buffer);
        assert!(buffer.capacity() <= READ_BYTES_MIN);
    }
}
