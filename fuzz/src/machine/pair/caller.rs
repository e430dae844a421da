//! One call as its caller sees it.

use std::collections::VecDeque;
use std::task::Poll;

use rpc_core::connection::{Connection, OpenCall, OpenError, Reply};
use rpc_core::wire::{ResetCode, StreamId};
use rpc_core::{Error, ErrorKind, Fate, ItemBatch, Metadata, MethodId};

use super::callee::{Answer, Callee};
use crate::machine::content::{Part, body, left, length, queue};
use crate::machine::context;
use crate::source::Source;

#[derive(Debug)]
pub(super) struct Caller {
    index: usize,
    id: StreamId,
    pub(super) arguments: usize,
    pub(super) has_items: bool,
    pub(super) is_oneway: bool,
    /// The lengths of the items that were handed over to be sent.
    pub(super) items: Vec<usize>,
    unsent: VecDeque<ItemBatch>,
    is_sending: bool,
    reply: Option<Reply>,
    /// The lengths of the items that came.
    read: Vec<usize>,
    outcome: Option<Outcome>,
}

#[derive(Debug)]
enum Outcome {
    Success,
    Failure(Error),
    GivenUp,
    /// Nobody looks.
    Detached,
}

impl Caller {
    /// Opens a call, where one can be opened.
    pub(super) fn open(index: usize, machine: &mut Connection, source: &mut Source<'_>) -> Option<Self> {
        let flags = source.byte();
        let (has_items, is_oneway) = (flags & 1 != 0, flags & 14 == 14);
        let (arguments, metadata) = (length(source), Metadata::new());
        let message = body(index, Part::Arguments, arguments);
        let mut call = OpenCall::new(MethodId::new(index as u64), 1, message, &metadata);
        (call.items, call.oneway) = (has_items, is_oneway);
        let id = match machine.open(&call) {
            Ok(id) => id,
            Err(OpenError::Failed(error)) => {
                let limit = machine.peer_settings().map_or(0, |peer| peer.message_bytes_max as usize);
                assert!(arguments > limit && error.fate() == Fate::NeverSent, "{error}");
                return None;
            }
            Err(_) => return None,
        };
        Some(Self {
            index,
            id,
            arguments,
            has_items,
            is_oneway,
            items: Vec::new(),
            unsent: VecDeque::new(),
            is_sending: has_items,
            reply: None,
            read: Vec::new(),
            outcome: is_oneway.then_some(Outcome::Detached),
        })
    }

    pub(super) fn has_given_up(&self) -> bool {
        matches!(self.outcome, Some(Outcome::GivenUp))
    }

    pub(super) fn act(&mut self, machine: &mut Connection, source: &mut Source<'_>) {
        match source.byte() % 16 {
            0..7 => drop(self.read(machine)),
            7..12 if self.is_sending => {
                let batch = (0..=source.byte() % 4).map(|_| {
                    self.items.push(length(source));
                    body(
                        self.index,
                        Part::RequestItem(self.items.len() - 1),
                        self.items[self.items.len() - 1],
                    )
                });
                let batch = batch.collect();
                queue(batch, source.flag(), &mut self.unsent);
                self.send(machine);
            }
            12..14 => drop(self.end_sending(machine)),
            14 => self.give_up(machine),
            _ => {}
        }
    }

    /// Does what brings the call to its end; tells whether anything was done.
    pub(super) fn end(&mut self, machine: &mut Connection) -> bool {
        self.end_sending(machine) | self.read(machine)
    }

    fn give_up(&mut self, machine: &mut Connection) {
        if matches!(self.outcome, None | Some(Outcome::Detached)) {
            machine.cancel(self.id, ResetCode::Cancelled);
            self.outcome = Some(Outcome::GivenUp);
            self.is_sending = false;
        }
    }

    fn send(&mut self, machine: &mut Connection) -> bool {
        let before = left(&self.unsent);
        match machine.poll_send_items(self.id, &mut context(), &mut self.unsent) {
            Poll::Ready(Err(error)) if error.kind() == ErrorKind::LimitExceeded => self.give_up(machine),
            // It is over; reading tells how.
            Poll::Ready(Err(_)) => self.is_sending = false,
            Poll::Ready(Ok(())) => assert!(self.unsent.is_empty()),
            Poll::Pending => {}
        }
        left(&self.unsent) < before
    }

    fn end_sending(&mut self, machine: &mut Connection) -> bool {
        if !self.is_sending {
            return false;
        }
        let has_sent = self.send(machine);
        if !self.is_sending || !self.unsent.is_empty() {
            return has_sent || !self.is_sending;
        }
        machine.end_items(self.id);
        self.is_sending = false;
        true
    }

    fn read(&mut self, machine: &mut Connection) -> bool {
        if self.outcome.is_some() {
            return false;
        }
        if self.reply.is_some() { self.read_items(machine) } else { self.read_reply(machine) }
    }

    fn read_reply(&mut self, machine: &mut Connection) -> bool {
        match machine.poll_reply(self.id, &mut context()) {
            Poll::Pending => return false,
            Poll::Ready(Ok(reply)) => {
                self.outcome = (!reply.items).then_some(Outcome::Success);
                self.reply = Some(reply);
            }
            Poll::Ready(Err(error)) => self.outcome = Some(Outcome::Failure(error)),
        }
        true
    }

    fn read_items(&mut self, machine: &mut Connection) -> bool {
        let mut items = VecDeque::new();
        let polled = machine.poll_items(self.id, &mut context(), &mut items);
        for item in items.into_iter().flatten() {
            assert_eq!(item, body(self.index, Part::ReplyItem(self.read.len()), item.len()));
            self.read.push(item.len());
        }
        match polled {
            Poll::Pending => return false,
            Poll::Ready(Ok(true)) => {}
            Poll::Ready(Ok(false)) => self.outcome = Some(Outcome::Success),
            Poll::Ready(Err(error)) => self.outcome = Some(Outcome::Failure(error)),
        }
        true
    }

    /// Holds how the call ended against what its callee did.
    pub(super) fn check(&self, callee: Option<&Callee>, is_cut: bool, has_drained: bool) {
        if let Some(reply) = &self.reply {
            assert_eq!(reply.message, body(self.index, Part::Result, reply.message.len()));
            let answer = callee.and_then(|callee| callee.answer.as_ref());
            let expected = Answer::Reply { bytes: reply.message.len(), has_items: reply.items };
            assert_eq!(answer, Some(&expected), "{self:?}");
        }
        if let Some(callee) = callee {
            assert!(callee.items.starts_with(&self.read), "{self:?}\n{callee:?}");
            assert!(self.items.starts_with(&callee.read), "{self:?}\n{callee:?}");
            assert!(!callee.has_read_all || callee.read == self.items, "{self:?}\n{callee:?}");
        }
        match self.outcome.as_ref().expect("every call ends") {
            Outcome::Success => {
                let callee = callee.expect("who answered was called");
                assert_eq!((&self.read, callee.code), (&callee.items, None), "items were lost: {self:?}");
            }
            Outcome::Failure(error) => self.check_failure(error, callee, is_cut, has_drained),
            Outcome::Detached => assert!(callee.is_some() || is_cut || has_drained, "a call did not arrive"),
            Outcome::GivenUp => {}
        }
    }

    fn check_failure(&self, error: &Error, callee: Option<&Callee>, is_cut: bool, has_drained: bool) {
        let code = error.status().map(rpc_core::Status::code);
        let was_refused = callee.is_some_and(|callee| callee.answer == Some(Answer::Refused));
        let is_right = match error.kind() {
            ErrorKind::Status => callee.is_some_and(|callee| callee.code == code),
            ErrorKind::Refused => was_refused || (has_drained && callee.is_none()),
            ErrorKind::ConnectionLost => is_cut && (error.fate() != Fate::NeverSent || callee.is_none()),
            _ => false,
        };
        assert!(is_right, "{error:?}\n{self:?}\n{callee:?}");
    }
}
