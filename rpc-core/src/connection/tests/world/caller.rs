//! One call as its caller sees it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Poll, Waker};

use super::super::super::*;
use super::super::kit::{Woken, batches, left};
use super::{Answer, Callee, Fortune, Part, Plan, body, context};
use crate::{Code, Error, ErrorKind, Fate, ItemBatch, Metadata, MethodId};

#[derive(Debug)]
pub(in super::super) struct Caller {
    index: usize,
    plan: Plan,
    state: State,
    steps: usize,
    reply: Option<Reply>,
    items: usize,
    unsent: VecDeque<ItemBatch>,
    has_ended: bool,
    waits: [Wait; 3],
}

#[derive(Debug)]
enum State {
    /// It has no slot yet.
    Waiting,
    Open(StreamId),
    Done(Outcome),
}

#[derive(Debug)]
enum Outcome {
    Success,
    Failure(Error),
    NotOpened,
    GivenUp,
    /// Nobody looks.
    Detached(StreamId),
}

/// Somebody who waits: for a slot, to read, to send.
struct Wait {
    woken: Arc<Woken>,
    waker: Waker,
}

impl std::fmt::Debug for Wait {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wait")
    }
}

impl Wait {
    fn new() -> Self {
        let woken = Woken::new();
        Self { waker: woken.clone().into(), woken }
    }
}

impl Caller {
    pub(super) fn new(index: usize, plan: Plan) -> Self {
        let lengths = plan.request_items.iter().flatten().enumerate();
        let unsent = batches(lengths.map(|(item, len)| body(index, Part::RequestItem(item), *len)));
        let waits = [Wait::new(), Wait::new(), Wait::new()];
        Self {
            index,
            plan,
            state: State::Waiting,
            steps: 0,
            reply: None,
            items: 0,
            unsent,
            has_ended: false,
            waits,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self.state, State::Done(_))
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    pub(super) fn slot_freed(&self) {
        self.waits[0].waker.wake_by_ref();
    }

    /// Cancels the call where it is still under way, be it that nobody waits for it.
    pub(super) fn give_up(&mut self, machine: &mut Connection) {
        match self.state {
            State::Open(id) => {
                machine.cancel(id, ResetCode::Cancelled);
                self.state = State::Done(Outcome::GivenUp);
            }
            State::Done(Outcome::Detached(id)) if self.plan.may_hang() => {
                machine.cancel(id, ResetCode::Cancelled);
            }
            _ => {}
        }
    }

    /// Does what can be done now; false where that is nothing.
    pub(super) fn step(&mut self, machine: &mut Connection) -> bool {
        match self.state {
            State::Waiting => self.waits[0].woken.take() && self.open(machine),
            State::Done(_) => false,
            State::Open(id) => {
                self.steps += 1;
                if self.plan.cancel_after.is_some_and(|after| self.steps > after) {
                    self.give_up(machine);
                    return true;
                }
                let sent = self.waits[2].woken.take() && self.send(machine, id);
                let read = self.is_open() && self.waits[1].woken.take() && self.read(machine, id);
                sent || read
            }
        }
    }

    fn open(&mut self, machine: &mut Connection) -> bool {
        let metadata = Metadata::new();
        let arguments = body(self.index, Part::Arguments, self.plan.arguments);
        let call = OpenCall {
            items: self.plan.request_items.is_some(),
            oneway: self.plan.oneway,
            ..OpenCall::new(MethodId::new(self.index as u64), 1, arguments, &metadata)
        };
        self.state = match machine.open(&call) {
            Ok(id) if self.plan.oneway => State::Done(Outcome::Detached(id)),
            Ok(id) => State::Open(id),
            Err(OpenError::Full) => return false,
            Err(OpenError::Closed) => State::Done(Outcome::NotOpened),
            Err(OpenError::Failed(error)) => State::Done(Outcome::Failure(error)),
        };
        true
    }

    fn send(&mut self, machine: &mut Connection, id: StreamId) -> bool {
        if self.has_ended || self.plan.request_items.is_none() {
            return false;
        }
        let before = left(&self.unsent);
        match machine.poll_send_items(id, &mut context(&self.waits[2].waker), &mut self.unsent) {
            Poll::Pending => return left(&self.unsent) < before,
            Poll::Ready(Ok(())) => machine.end_items(id),
            Poll::Ready(Err(error)) if error.kind() == ErrorKind::LimitExceeded => {
                machine.cancel(id, ResetCode::Cancelled);
                self.state = State::Done(Outcome::Failure(error));
            }
            // The call has ended from the other side; reading tells how.
            Poll::Ready(Err(_)) => {}
        }
        self.has_ended = true;
        true
    }

    fn read(&mut self, machine: &mut Connection, id: StreamId) -> bool {
        let mut cx = context(&self.waits[1].waker);
        if self.reply.is_none() {
            match machine.poll_reply(id, &mut cx) {
                Poll::Pending => return false,
                Poll::Ready(Ok(reply)) => {
                    let is_last = !reply.items;
                    self.reply = Some(reply);
                    if is_last {
                        self.state = State::Done(Outcome::Success);
                    }
                    self.waits[1].waker.wake_by_ref();
                }
                Poll::Ready(Err(error)) => self.state = State::Done(Outcome::Failure(error)),
            }
            return true;
        }
        if !self.plan.caller_reads {
            return false;
        }
        let mut items = VecDeque::new();
        let polled = machine.poll_items(id, &mut cx, &mut items);
        for item in items.into_iter().flatten() {
            let Answer::Reply { items: Some(lengths), .. } = &self.plan.answer else {
                panic!("an item came")
            };
            assert_eq!(item, body(self.index, Part::ReplyItem(self.items), lengths[self.items]));
            self.items += 1;
        }
        match polled {
            Poll::Pending => return false,
            Poll::Ready(Ok(true)) => self.waits[1].waker.wake_by_ref(),
            Poll::Ready(Ok(false)) => self.state = State::Done(Outcome::Success),
            Poll::Ready(Err(error)) => self.state = State::Done(Outcome::Failure(error)),
        }
        true
    }

    /// Holds how the call ended against what both sides were to do.
    pub(super) fn check(&self, callee: Option<&Callee>, fortune: Fortune) {
        let State::Done(outcome) = &self.state else { panic!("the call never ended: {self:#?}") };
        self.check_reply();
        match outcome {
            Outcome::Success => self.check_success(callee),
            Outcome::Failure(error) => self.check_failure(error, callee, fortune),
            Outcome::NotOpened => assert!(!matches!(fortune, Fortune::Quiet), "a call was not taken"),
            Outcome::GivenUp => {}
            Outcome::Detached(_) => {
                let excused = !matches!(fortune, Fortune::Quiet) || self.plan.may_hang();
                assert!(callee.is_some() || excused, "a oneway call did not arrive");
            }
        }
    }

    fn check_reply(&self) {
        let Some(reply) = &self.reply else { return };
        let Answer::Reply { result, items, .. } = &self.plan.answer else { panic!("there was an answer") };
        assert_eq!(reply.message, body(self.index, Part::Result, *result));
        assert_eq!(reply.items, items.is_some());
    }

    fn check_success(&self, callee: Option<&Callee>) {
        let Answer::Reply { items, then_status, .. } = &self.plan.answer else {
            panic!("the call succeeded")
        };
        assert!(self.reply.is_some() && !(*then_status && items.is_some()), "{self:#?}");
        assert_eq!(self.items, items.as_ref().map_or(0, Vec::len), "items were lost");
        let callee = callee.expect("who answered was called");
        assert!(!self.plan.answers_last || callee.has_read_all(), "the callee missed items");
    }

    fn check_failure(&self, error: &Error, callee: Option<&Callee>, fortune: Fortune) {
        match error.kind() {
            ErrorKind::Status => {
                let code = error.status().expect("a status is there").code();
                let callee = callee.expect("who answers was called");
                assert_eq!(Some(code), callee.status(), "{self:#?}");
            }
            ErrorKind::Refused => {
                let was_refused = matches!(self.plan.answer, Answer::Refuse);
                assert!(was_refused || matches!(fortune, Fortune::DrainAt(_)));
                assert!(was_refused || callee.is_none(), "a refused call ran");
            }
            ErrorKind::ConnectionLost => {
                assert!(matches!(fortune, Fortune::CutAt(_)));
                assert!(
                    error.fate() != Fate::NeverSent || callee.is_none(),
                    "a call ran that was never sent"
                );
                assert_eq!(
                    error.fate() == Fate::Failed,
                    self.reply.is_some() || error.fate() == Fate::Failed
                );
            }
            ErrorKind::LimitExceeded => assert_ne!(error.fate(), Fate::MaybeExecuted),
            kind => panic!("a call failed with {kind:?}: {self:#?}"),
        }
        assert_ne!(error.status().map(crate::Status::code), Some(Code::Internal));
    }
}
