//! Calls of which the peer has said its last.

use super::stream::{ReplyState, Role, Stream};
use super::{Connection, Reply, StreamId};
use crate::Error;
use crate::wire::{ResetCode, TimedStatus};

impl Connection {
    /// A call that was opened here has its answer.
    pub(super) fn replied(&mut self, id: StreamId) {
        let Some(Stream { role: Role::Opened { reply, detached, .. }, inflow, .. }) = self.opened.get(id)
        else {
            return;
        };
        if let ReplyState::Here(Reply { items: false, .. }) = reply {
            inflow.outcome = Some(Ok(()));
            return self.end_opened(id);
        }
        let is_detached = *detached;
        let waker = inflow.waker.take();
        self.wake(waker);
        if is_detached {
            // Nobody will read the items, and the peer must not wait for that.
            self.cancel(id, ResetCode::Cancelled);
        }
    }

    /// The peer has sent its last: with it, a call that was opened here is over.
    pub(super) fn end_inflow(&mut self, id: StreamId, status: Option<TimedStatus>) {
        let Some(stream) = self.stream(id) else { return };
        if let Role::Opened { .. } = &stream.role {
            let failed = |(status, times)| Error::from(status).with_server_times(times);
            stream.inflow.outcome = Some(status.map(failed).map_or(Ok(()), Err));
            return self.end_opened(id);
        }
        stream.inflow.ended = true;
        let waker = stream.inflow.waker.take();
        self.wake(waker);
    }

    /// Lets those who wait for a call that was opened here see how it ended; nobody waits for one that is detached.
    pub(super) fn end_opened(&mut self, id: StreamId) {
        let Some(stream) = self.opened.get(id) else { return };
        stream.inflow.ended = true;
        stream.outflow.queue.clear();
        let (reader, writer) = (stream.inflow.waker.take(), stream.outflow.waker.take());
        let is_detached = matches!(stream.role, Role::Opened { detached: true, .. });
        let assembly = stream.inflow.assembly.take();
        self.wake(reader);
        self.wake(writer);
        if let Some(assembly) = assembly {
            self.end_assembly(&assembly);
        }
        if is_detached {
            self.remove(id);
        }
    }
}
