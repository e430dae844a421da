//! A connection at work: the state machine behind a lock, one task that reads, one that writes.

mod read;
mod write;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use bytes::BytesMut;
use rpc_core::connection::{Connection, Fatal, Side};
use rpc_core::wire::CloseCode;
use rpc_core::{Error, ErrorKind, Peer};
use tokio::sync::Notify;

use crate::clock::now;
use crate::limits::Limits;
use crate::link::Link;

pub(crate) use read::{Answer, Events, READ_BYTES_MIN, Reader, read_loop};
pub(crate) use write::{flush, write_loop};

/// The state machine, shared by the tasks of its connection and by all calls on it.
pub(crate) struct Shared {
    machine: Mutex<Connection>,
    /// A call has ended while others waited for its slot.
    slot_freed: Notify,
    /// The connection has ended; wakes its reader.
    ended: Notify,
    /// What was to be written has been taken; wakes a reader that waits for that.
    written: Notify,
    pub(crate) peer: Peer,
}

impl Shared {
    pub(crate) fn new(side: Side, limits: &Limits, peer: Peer) -> Self {
        Self {
            machine: Mutex::new(Connection::new(side, limits.config.clone(), now())),
            slot_freed: Notify::new(),
            ended: Notify::new(),
            written: Notify::new(),
            peer,
        }
    }

    /// Acts on the machine, then wakes whom that concerns, without the lock.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut Connection) -> R) -> R {
        let mut machine = self.lock();
        let result = act(&mut machine);
        // Most acts wake nobody, or the writer alone.
        let wake = machine.pop_wake();
        let wakes = machine.take_wakes();
        let freed = machine.take_freed_slots();
        drop(machine);
        wake.into_iter().chain(wakes).for_each(Waker::wake);
        self.announce(freed);
        result
    }

    /// Like [`with`](Self::with), for acts that wake many: `wakes` is empty, and its memory serves again.
    pub(crate) fn with_many<R>(&self, wakes: &mut Vec<Waker>, act: impl FnOnce(&mut Connection) -> R) -> R {
        let mut machine = self.lock();
        let result = act(&mut machine);
        machine.move_wakes(wakes);
        let freed = machine.take_freed_slots();
        drop(machine);
        wakes.drain(..).for_each(Waker::wake);
        self.announce(freed);
        result
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn announce(&self, freed_slots: usize) {
        match freed_slots {
            0 => {}
            usize::MAX => self.slot_freed.notify_waiters(),
            freed => (0..freed).for_each(|_| self.slot_freed.notify_one()),
        }
    }

    /// Waits until a slot may be free; made before the attempt that finds none, so that no slot is missed.
    pub(crate) fn slot_freed(&self) -> tokio::sync::futures::Notified<'_> {
        self.slot_freed.notified()
    }

    /// Ends all calls because the link is gone.
    pub(crate) fn lost(&self, reason: &str) {
        self.with(|machine| machine.lost(reason));
        self.announce_end();
    }

    /// Ends all calls for a reason that the peer is told.
    pub(crate) fn close(&self, fatal: &Fatal) {
        self.with(|machine| machine.close(fatal));
        self.announce_end();
    }

    fn announce_end(&self) {
        self.ended.notify_waiters();
        // A reader that waits for the writer waits no longer: the writer may be gone.
        self.written.notify_waiters();
    }

    /// Names the peer in an error.
    pub(crate) fn blame(&self, error: Error) -> Error {
        error.with_peer(self.peer.uri())
    }
}

/// Ends a connection when the task that holds this goes away, be it with its runtime: nobody would answer the calls on it.
pub(crate) struct EndsWithTask(pub(crate) Arc<Shared>);

impl Drop for EndsWithTask {
    fn drop(&mut self) {
        self.0.lost("a task of the connection was stopped");
    }
}

/// The calling side's hold on a connection; dropping it closes the connection.
pub(crate) struct ClientConnection {
    pub(crate) shared: Arc<Shared>,
}

impl ClientConnection {
    /// Opens a connection over a link: sends the opening, waits for the peer's, and starts the two tasks.
    pub(crate) async fn open(link: Link, limits: &Limits) -> Result<Self, Error> {
        let Link { mut reader, mut writer, peer } = link;
        let shared = Arc::new(Shared::new(Side::Client, limits, peer));
        let mut buffer = BytesMut::with_capacity(READ_BYTES_MIN);
        let handshake = async {
            flush(&shared, &mut writer).await.map_err(|error| link_error(&error))?;
            while shared.with(|machine| machine.peer_settings().is_none()) {
                read::once(&shared, &mut reader, &mut buffer).await?;
            }
            // A server that is full says so right after its opening.
            match shared.with(|machine| machine.closed_reason().map(str::to_owned)) {
                Some(reason) => Err(Error::new(ErrorKind::Connect, reason)),
                None => Ok(()),
            }
        };
        let opened = tokio::time::timeout(limits.handshake_timeout, handshake).await;
        opened.unwrap_or_else(|_| Err(silent(limits)))?;
        let events = Events::client();
        let (writing, reading) = (EndsWithTask(shared.clone()), EndsWithTask(shared.clone()));
        let write_timeout = limits.write_timeout;
        tokio::spawn(async move { write_loop(writing.0.clone(), writer, write_timeout).await });
        tokio::spawn(async move { read_loop(reading.0.clone(), &mut reader, buffer, events).await });
        Ok(Self { shared })
    }

    pub(crate) fn takes_calls(&self) -> bool {
        self.shared.with(|machine| machine.takes_calls())
    }
}

impl Drop for ClientConnection {
    fn drop(&mut self) {
        self.shared.close(&Fatal::new(CloseCode::Shutdown, "the client is done"));
    }
}

fn silent(limits: &Limits) -> Error {
    let text = format!(
        "the peer did not answer the opening within {:?}: it may not be a farcall server",
        limits.handshake_timeout
    );
    Error::new(ErrorKind::Connect, text)
}

fn link_error(error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Connect, format!("the link failed while the connection was opened: {error}"))
}
