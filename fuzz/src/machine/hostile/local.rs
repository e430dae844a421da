//! What the owner of the machine does by its own choice.

use std::collections::VecDeque;
use std::task::Poll;
use std::time::Duration;

use rpc_core::connection::{OpenCall, OpenError, Reply, Side};
use rpc_core::wire::{ResetCode, StreamId};
use rpc_core::{Code, Error, ErrorKind, Metadata, MethodId, Status};

use super::Lone;
use crate::machine::content::{Part, body, length, queue};
use crate::machine::context;
use crate::source::Source;

impl Lone {
    pub(super) fn act(&mut self, source: &mut Source<'_>) {
        match self.side {
            Side::Client => self.call(source),
            Side::Server => self.answer(source),
        }
    }

    fn call(&mut self, source: &mut Source<'_>) {
        let action = source.byte() % 8;
        let Some(id) = pick(&self.opened, source) else { return self.open(source) };
        match action {
            0 | 1 => self.open(source),
            2 => match self.machine.poll_reply(id, &mut context()) {
                Poll::Ready(Ok(reply)) if reply.items => {}
                Poll::Ready(_) => self.forget(id),
                Poll::Pending => {}
            },
            3 => {
                if matches!(
                    self.machine.poll_items(id, &mut context(), &mut VecDeque::new()),
                    Poll::Ready(Ok(false) | Err(_))
                ) {
                    self.forget(id);
                }
            }
            4 => self.send_items(id, source),
            5 => self.machine.end_items(id),
            6 => {
                self.machine.cancel(id, ResetCode::Cancelled);
                self.forget(id);
            }
            _ => {
                let error = Error::new(ErrorKind::DeadlineExceeded, "the time is up");
                self.machine.cancel_with(id, ResetCode::DeadlineExceeded, error);
            }
        }
    }

    fn open(&mut self, source: &mut Source<'_>) {
        let metadata = metadata(source);
        let message = body(0, Part::Arguments, length(source));
        let mut call = OpenCall::new(MethodId::new(7), 1, message, &metadata);
        let flags = source.byte();
        (call.items, call.oneway) = (flags & 1 != 0, flags & 6 == 6);
        call.timeout = (flags & 8 != 0).then_some(Duration::MAX);
        // Rule K8: these wait for a sign of life that was asked for.
        let waits = (call.items || call.oneway) && self.machine.awaits_sign_of_life();
        let is_oneway = call.oneway;
        match self.machine.open(&call) {
            Ok(id) if is_oneway => self.detached.push(id),
            Ok(id) => self.opened.push(id),
            Err(OpenError::Full) => assert!(self.is_full() || waits, "a slot is lost"),
            Err(_) => {}
        }
    }

    /// Tells whether a further call has to wait: for a slot, or for what is written to be taken.
    fn is_full(&self) -> bool {
        let calls_max = self.machine.peer_settings().map_or(0, |peer| peer.calls_max);
        let calls_max = calls_max.min(self.config.settings.calls_max) as usize;
        self.machine.calls_in_flight() >= calls_max || self.machine.unsent_bytes() > 128 << 10
    }

    fn answer(&mut self, source: &mut Source<'_>) {
        let action = source.byte() % 8;
        let Some((id, has_items)) = pick(&self.handlers, source) else { return };
        match action {
            0 | 1 if !has_items => {
                let mut reply = Reply::new(1, body(0, Part::Result, length(source)));
                reply.metadata = metadata(source);
                reply.items = source.flag();
                let streams = reply.items && self.fits(&reply);
                self.machine.reply(id, &reply);
                if streams { self.starts_items(id) } else { self.forget(id) }
            }
            2 => {
                let items = self.machine.poll_items(id, &mut context(), &mut VecDeque::new());
                assert!(
                    !matches!(items, Poll::Ready(Err(_))),
                    "a handler was not told that its call is over"
                );
            }
            3 | 4 if has_items => self.send_items(id, source),
            5 if has_items => {
                self.machine.end_items(id);
                self.forget(id);
            }
            6 if !has_items => {
                self.machine.refuse(id);
                self.forget(id);
            }
            7 => {
                self.machine.fail(id, Status::new(Code::Internal, "x".repeat(length(source))));
                self.forget(id);
            }
            _ => {}
        }
    }

    /// Tells whether an answer goes out as such; another one becomes a status.
    fn fits(&self, reply: &Reply) -> bool {
        let Some(peer) = self.machine.peer_settings() else { return false };
        let metadata: usize = reply.metadata.iter().map(|entry| 7 + entry.key().len() + 4).sum();
        reply.message.len() <= peer.message_bytes_max as usize && metadata <= peer.metadata_bytes_max as usize
    }

    fn send_items(&mut self, id: StreamId, source: &mut Source<'_>) {
        let batch =
            (0..=source.byte() % 4).map(|index| body(0, Part::ReplyItem(index.into()), length(source)));
        let batch = batch.collect();
        let mut items = VecDeque::new();
        queue(batch, source.flag(), &mut items);
        let _ = self.machine.poll_send_items(id, &mut context(), &mut items);
    }

    fn starts_items(&mut self, id: StreamId) {
        self.handlers
            .iter_mut()
            .filter(|(handled, _)| *handled == id)
            .for_each(|(_, has_items)| *has_items = true);
    }

    /// The owner has learnt that a call is over, or has ended it.
    fn forget(&mut self, id: StreamId) {
        self.opened.retain(|opened| *opened != id);
        self.handlers.retain(|(handled, _)| *handled != id);
    }
}

fn metadata(source: &mut Source<'_>) -> Metadata {
    let mut metadata = Metadata::new();
    (0..source.byte() % 4).for_each(|index| metadata.insert(&"k".repeat(1 + usize::from(index)), "text"));
    metadata
}

fn pick<T: Copy>(all: &[T], source: &mut Source<'_>) -> Option<T> {
    (!all.is_empty()).then(|| source.choose(all))
}
