//! What a side does with the calls that come in.

use std::collections::{HashMap, HashSet, VecDeque};

use rpc_core::connection::{Event, Incoming};
use rpc_core::wire::StreamId;
use tokio::task::AbortHandle;

use super::wakes::portion;

/// Answers the calls that a server reads.
pub(crate) trait Answer: Send {
    /// Calls come, some of which may be answered before their `start` returns.
    fn start_batch(&mut self);

    /// Other tasks have had their turn.
    fn others_had_turn(&mut self);

    /// Tells whether others should have their turn before the next call.
    fn is_time_up(&self) -> bool;

    /// Tells whether handlers of the batch run elsewhere that may hold a thread for long.
    fn has_started_slow(&self) -> bool;

    /// Starts answering a call, and gives what cancels that if it is not done at once.
    fn start(&mut self, incoming: Incoming) -> Option<AbortHandle>;
}

/// What a side does with the calls that come in; dropping it cancels the handlers under way.
pub(crate) struct Events {
    answer: Option<Box<dyn Answer>>,
    /// The handlers in tasks, by slot; that of a handler that is done stays until another one comes in its slot, or nothing was heard for long.
    handlers: HashMap<u16, Handler>,
    /// Hears that the peer has opened.
    opened: Option<Box<dyn FnOnce() + Send>>,
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
        Self { answer: None, handlers: HashMap::new(), opened: None }
    }

    /// Has each call answered: a server.
    pub(crate) fn server(answer: impl Answer + 'static) -> Self {
        Self { answer: Some(Box::new(answer)), handlers: HashMap::new(), opened: None }
    }

    /// Tells somebody when the peer has opened.
    #[cfg(feature = "quic")]
    pub(crate) fn on_opened(mut self, opened: impl FnOnce() + Send + 'static) -> Self {
        self.opened = Some(Box::new(opened));
        self
    }

    pub(super) fn is_server(&self) -> bool {
        self.answer.is_some()
    }

    /// Acts on a portion of the events, or on fewer where it is time for others; what is left is to be acted on later. Tells whether others
    /// should have their turn: handlers have run here for long, or were started elsewhere and may hold a thread for long.
    pub(super) fn act_on(&mut self, events: &mut VecDeque<Event>) -> bool {
        if events.is_empty() {
            return false;
        }
        if let Some(answer) = &mut self.answer {
            answer.start_batch();
        }
        for _ in 0..portion(events.len()) {
            if self.is_time_up() {
                break;
            }
            let Some(event) = events.pop_front() else { break };
            self.act(event);
        }
        self.is_time_up() || self.answer.as_ref().is_some_and(|answer| answer.has_started_slow())
    }

    fn is_time_up(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.is_time_up())
    }

    /// Other tasks have had their turn.
    pub(super) fn others_had_turn(&mut self) {
        if let Some(answer) = &mut self.answer {
            answer.others_had_turn();
        }
    }

    fn act(&mut self, event: Event) {
        match event {
            Event::Call(incoming) => {
                let Some(answer) = &mut self.answer else { return };
                let (id, oneway) = (incoming.id, incoming.oneway);
                if let Some(task) = answer.start(incoming) {
                    self.handlers.insert(id.slot(), Handler { id, task, oneway });
                }
            }
            Event::Opened => {
                if let Some(opened) = self.opened.take() {
                    opened();
                }
            }
            Event::Cancelled(id) => {
                if let Some(handler) = self.handlers.get(&id.slot()).filter(|handler| handler.id == id) {
                    handler.task.abort();
                }
            }
            _ => {}
        }
    }

    /// Gives back the memory of handlers that are done.
    pub(super) fn forget_done(&mut self) {
        self.handlers.retain(|_, handler| !handler.task.is_finished());
        self.handlers.shrink_to_fit();
    }
}

/// Drops the calls that were given up before their turn: their handlers would be made to be dropped, and a peer can have that done to thousands
/// with one read.
#[cold]
pub(super) fn forget_cancelled(events: &mut VecDeque<Event>) {
    let id = |event: &Event| match event {
        Event::Cancelled(id) => Some(*id),
        _ => None,
    };
    let cancelled: HashSet<_> = events.iter().filter_map(id).collect();
    events.retain(|event| !matches!(event, Event::Call(call) if cancelled.contains(&call.id)));
}

impl Drop for Events {
    fn drop(&mut self) {
        for handler in self.handlers.values().filter(|handler| !handler.oneway) {
            handler.task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};
    use std::time::Instant;

    use bytes::{Buf, Bytes, BytesMut};
    use rpc_core::connection::{Config, Connection, OpenCall, Side, Transmit};
    use rpc_core::wire::ResetCode;
    use rpc_core::{Metadata, MethodId};

    use super::*;

    fn deliver(from: &mut Connection, to: &mut Connection) {
        let mut written = Transmit::new();
        assert!(from.poll_transmit(&mut Context::from_waker(Waker::noop()), &mut written).is_ready());
        let mut bytes = BytesMut::from(&*written.copy_to_bytes(written.remaining()));
        to.receive(&mut bytes, Instant::now()).unwrap();
    }

    /// Fault 20.
    #[test]
    fn calls_that_are_given_up_before_their_turn_are_forgotten() {
        let [mut client, mut server] =
            [Side::Client, Side::Server].map(|side| Connection::new(side, Config::default(), Instant::now()));
        deliver(&mut client, &mut server);
        deliver(&mut server, &mut client);
        let mut events = VecDeque::new();
        assert!(!server.move_events(&mut events), "nothing was given up");

        let metadata = Metadata::new();
        let ids = [(); 3]
            .map(|()| client.open(&OpenCall::new(MethodId::new(7), 1, Bytes::new(), &metadata)).unwrap());
        client.cancel(ids[0], ResetCode::Cancelled);
        client.cancel(ids[2], ResetCode::Cancelled);
        deliver(&mut client, &mut server);
        assert!(server.move_events(&mut events));
        assert!(!server.move_events(&mut VecDeque::new()), "that was said");
        forget_cancelled(&mut events);
        let calls = events.iter().filter_map(|event| match event {
            Event::Call(call) => Some(call.id),
            _ => None,
        });
        assert_eq!(calls.collect::<Vec<_>>(), [ids[1]]);
    }

    #[tokio::test]
    async fn an_idle_connection_keeps_no_memory_of_what_is_done() {
        let mut events = Events::client();
        let done = tokio::spawn(async {});
        let hanging = tokio::spawn(std::future::pending::<()>());
        for (slot, task) in [(1, &hanging), (2, &done), (3, &done)] {
            let id = StreamId::new(1, slot, false);
            events.handlers.insert(id.slot(), Handler { id, task: task.abort_handle(), oneway: false });
        }
        done.await.unwrap();
        events.forget_done();
        assert_eq!(events.handlers.len(), 1);
        drop(events);
        assert!(hanging.await.unwrap_err().is_cancelled());
    }
}
