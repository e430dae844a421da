//! One call as its callee sees it.

use std::collections::VecDeque;
use std::task::Poll;

use rpc_core::connection::{Connection, Incoming, Reply};
use rpc_core::wire::StreamId;
use rpc_core::{Code, ErrorKind, ItemBatch, Status};

use super::caller::Caller;
use crate::machine::content::{Part, body, left, length, queue};
use crate::machine::context;
use crate::source::Source;

#[derive(Debug)]
pub(super) struct Callee {
    index: usize,
    id: StreamId,
    is_reading: bool,
    /// Items were announced, and their end has come.
    pub(super) has_read_all: bool,
    /// The lengths of the items that came.
    pub(super) read: Vec<usize>,
    pub(super) answer: Option<Answer>,
    /// The lengths of the items that were handed over to be sent.
    pub(super) items: Vec<usize>,
    unsent: VecDeque<ItemBatch>,
    /// The code of the status that the call was ended with, if it was.
    pub(super) code: Option<Code>,
    is_done: bool,
}

#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    Reply { bytes: usize, has_items: bool },
    Status,
    Refused,
}

impl Callee {
    pub(super) fn new(caller: &Caller, call: Incoming) -> Self {
        let index = usize::try_from(call.method.as_u64()).expect("methods are numbered");
        assert_eq!(call.message, body(index, Part::Arguments, caller.arguments));
        assert_eq!((call.items, call.oneway), (caller.has_items, caller.is_oneway));
        Self {
            index,
            id: call.id,
            is_reading: call.items,
            has_read_all: false,
            read: Vec::new(),
            answer: None,
            items: Vec::new(),
            unsent: VecDeque::new(),
            code: None,
            is_done: false,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    pub(super) fn cancelled(&mut self, id: StreamId) {
        self.is_done |= self.id == id;
    }

    pub(super) fn act(&mut self, machine: &mut Connection, source: &mut Source<'_>) {
        let choice = source.byte() % 16;
        if self.is_done {
            return;
        }
        match choice {
            0..4 => drop(self.read(machine)),
            4..8 if self.answer.is_none() => self.reply(machine, length(source), source.flag()),
            4..12 if self.answer.is_some() => {
                let batch = (0..=source.byte() % 4).map(|_| {
                    self.items.push(length(source));
                    body(self.index, Part::ReplyItem(self.items.len() - 1), self.items[self.items.len() - 1])
                });
                let batch = batch.collect();
                queue(batch, source.flag(), &mut self.unsent);
                self.send(machine);
            }
            12 => drop(self.end_sending(machine)),
            13 => self.fail(machine, Code::NotFound),
            14 if self.answer.is_none() => {
                machine.refuse(self.id);
                (self.answer, self.is_done) = (Some(Answer::Refused), true);
            }
            _ => {}
        }
    }

    /// Does what brings the call to its end; tells whether anything was done.
    pub(super) fn end(&mut self, machine: &mut Connection) -> bool {
        if self.is_done {
            return false;
        }
        if self.read(machine) {
            return true;
        }
        match self.answer {
            // In time all that the caller sends is read.
            None if self.is_reading => false,
            None => {
                self.reply(machine, 1, true);
                true
            }
            Some(_) => self.end_sending(machine),
        }
    }

    fn reply(&mut self, machine: &mut Connection, bytes: usize, has_items: bool) {
        let mut reply = Reply::new(1, body(self.index, Part::Result, bytes));
        reply.items = has_items;
        machine.reply(self.id, &reply);
        let limit = machine.peer_settings().map_or(0, |peer| peer.message_bytes_max as usize);
        if bytes > limit {
            (self.answer, self.code) = (Some(Answer::Status), Some(Code::ResourceExhausted));
        } else {
            self.answer = Some(Answer::Reply { bytes, has_items });
        }
        self.is_done = bytes > limit || !has_items;
    }

    fn read(&mut self, machine: &mut Connection) -> bool {
        if !self.is_reading {
            return false;
        }
        let mut items = VecDeque::new();
        let polled = machine.poll_items(self.id, &mut context(), &mut items);
        for item in items.into_iter().flatten() {
            assert_eq!(item, body(self.index, Part::RequestItem(self.read.len()), item.len()));
            self.read.push(item.len());
        }
        match polled {
            Poll::Pending => return false,
            Poll::Ready(Ok(more)) => (self.is_reading, self.has_read_all) = (more, !more),
            Poll::Ready(Err(error)) => panic!("a handler that was not cancelled met {error}"),
        }
        true
    }

    fn send(&mut self, machine: &mut Connection) -> bool {
        let before = left(&self.unsent);
        match machine.poll_send_items(self.id, &mut context(), &mut self.unsent) {
            Poll::Ready(Err(error)) => {
                assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
                self.fail(machine, Code::ResourceExhausted);
            }
            Poll::Ready(Ok(())) => assert!(self.unsent.is_empty()),
            Poll::Pending => {}
        }
        left(&self.unsent) < before
    }

    fn end_sending(&mut self, machine: &mut Connection) -> bool {
        if self.answer.is_none() {
            return false;
        }
        let has_sent = self.send(machine);
        if self.is_done || !self.unsent.is_empty() {
            return has_sent || self.is_done;
        }
        machine.end_items(self.id);
        self.is_done = true;
        true
    }

    fn fail(&mut self, machine: &mut Connection, code: Code) {
        machine.fail(self.id, Status::new(code, "as the callee likes"));
        self.answer.get_or_insert(Answer::Status);
        (self.code, self.is_done) = (Some(code), true);
    }
}
