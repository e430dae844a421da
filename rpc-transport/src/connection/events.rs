//! What a side does with the calls that come in.

use std::collections::VecDeque;

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
        let mut left = portion(events.len());
        while left > 0
            && !self.is_time_up()
            && let Some(event) = events.pop_front()
        {
            self.act(event);
            left -= 1;
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
    pub(super) fn forget_done(&mut self) {
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
}
