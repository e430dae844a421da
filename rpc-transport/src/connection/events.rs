//! What a side does with the calls that come in.

use std::collections::{HashMap, VecDeque};

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

impl Drop for Events {
    fn drop(&mut self) {
        for handler in self.handlers.values().filter(|handler| !handler.oneway) {
            handler.task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
