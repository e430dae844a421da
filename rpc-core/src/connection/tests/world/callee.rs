//! One call as its handler sees it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Poll, Waker};

use super::super::super::*;
use super::super::kit::{Woken, batches, left};
use super::{Answer, Part, Plan, body, context};
use crate::{Code, ItemBatch, Status};

pub(in super::super) struct Callee {
    index: usize,
    plan: Plan,
    id: StreamId,
    state: State,
    /// How many of the caller's items have come, and whether that was all.
    read: usize,
    has_read_all: bool,
    unsent: VecDeque<ItemBatch>,
    status: Option<Code>,
    reading: (Arc<Woken>, Waker),
    sending: (Arc<Woken>, Waker),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Working,
    Sending,
    Done,
}

impl std::fmt::Debug for Callee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { plan, id, state, read, unsent, .. } = self;
        f.debug_struct("Callee")
            .field("id", id)
            .field("state", state)
            .field("read", read)
            .field("unsent", &unsent.len())
            .field("plan", plan)
            .finish()
    }
}

impl Callee {
    pub(super) fn new(index: usize, plan: Plan, incoming: &Incoming) -> Self {
        assert_eq!(incoming.message, body(index, Part::Arguments, plan.arguments));
        assert_eq!((incoming.items, incoming.oneway), (plan.request_items.is_some(), plan.oneway));
        let waker = || {
            let woken = Woken::new();
            (woken.clone(), Waker::from(woken))
        };
        let has_read_all = !incoming.items;
        let (id, reading, sending) = (incoming.id, waker(), waker());
        let (state, unsent) = (State::Working, VecDeque::new());
        Self { index, plan, id, state, read: 0, has_read_all, unsent, status: None, reading, sending }
    }

    pub(super) fn id(&self) -> StreamId {
        self.id
    }

    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    pub(super) fn cancel(&mut self) {
        self.state = State::Done;
    }

    pub(super) fn has_read_all(&self) -> bool {
        self.has_read_all
    }

    /// The code that the call was ended with, if it was.
    pub(super) fn status(&self) -> Option<Code> {
        self.status
    }

    pub(super) fn step(&mut self, machine: &mut Connection) -> bool {
        if self.is_done() {
            return false;
        }
        let read = self.plan.callee_reads && self.reading.0.take() && self.read(machine);
        read | match self.state {
            State::Working => self.answer(machine),
            State::Sending => self.sending.0.take() && self.send(machine),
            State::Done => false,
        }
    }

    fn read(&mut self, machine: &mut Connection) -> bool {
        if self.has_read_all {
            return false;
        }
        let mut items = VecDeque::new();
        let polled = machine.poll_items(self.id, &mut context(&self.reading.1), &mut items);
        let lengths = self.plan.request_items.as_ref().expect("items were announced");
        for item in items.into_iter().flatten() {
            assert_eq!(item, body(self.index, Part::RequestItem(self.read), lengths[self.read]));
            self.read += 1;
        }
        match polled {
            Poll::Pending => return false,
            Poll::Ready(Ok(true)) => self.reading.1.wake_by_ref(),
            Poll::Ready(Ok(false)) => {
                assert_eq!(self.read, lengths.len(), "items were lost");
                self.has_read_all = true;
            }
            Poll::Ready(Err(error)) => panic!("a handler that was not cancelled met {error}"),
        }
        true
    }

    fn answer(&mut self, machine: &mut Connection) -> bool {
        if self.plan.answers_last && !self.has_read_all {
            return false;
        }
        self.state = State::Done;
        match &self.plan.answer {
            Answer::Never => {
                self.state = State::Working;
                return false;
            }
            Answer::Refuse => machine.refuse(self.id),
            Answer::Status => self.fail(machine, Code::NotFound),
            Answer::Reply { result, items, .. } => {
                let message = body(self.index, Part::Result, *result);
                let is_too_long = message.len() > limit(machine);
                if is_too_long {
                    self.status = Some(Code::ResourceExhausted);
                } else if let Some(lengths) = items {
                    let body = |(item, len): (usize, &usize)| body(self.index, Part::ReplyItem(item), *len);
                    self.unsent = batches(lengths.iter().enumerate().map(body));
                    self.state = State::Sending;
                }
                machine.reply(self.id, &Reply { items: items.is_some(), ..Reply::new(1, message) });
            }
        }
        true
    }

    fn send(&mut self, machine: &mut Connection) -> bool {
        let Answer::Reply { then_status, .. } = self.plan.answer else { return false };
        let before = left(&self.unsent);
        match machine.poll_send_items(self.id, &mut context(&self.sending.1), &mut self.unsent) {
            Poll::Pending => return left(&self.unsent) < before,
            Poll::Ready(Ok(())) if then_status => self.fail(machine, Code::NotFound),
            Poll::Ready(Ok(())) => machine.end_items(self.id),
            Poll::Ready(Err(error)) => {
                assert!(
                    self.unsent.front().is_some_and(|batch| batch.next_bytes() > limit(machine)),
                    "{error}"
                );
                self.fail(machine, Code::ResourceExhausted);
            }
        }
        self.state = State::Done;
        true
    }

    fn fail(&mut self, machine: &mut Connection, code: Code) {
        self.status = Some(code);
        machine.fail(self.id, Status::new(code, "as planned"));
    }
}

fn limit(machine: &Connection) -> usize {
    machine.peer_settings().map_or(0, |settings| settings.message_bytes_max as usize)
}
