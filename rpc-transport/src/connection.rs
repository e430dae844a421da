//! A connection at work: the state machine behind a lock, and the task that drives it.

mod drive;
mod events;
mod input;
mod load;
#[cfg(all(test, farcall_loom))]
pub(crate) mod model;
mod wakes;

use std::sync::{Arc, PoisonError};
#[cfg(not(all(test, farcall_loom)))]
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Waker};
use std::time::Duration;

#[cfg(all(test, farcall_loom))]
use loom::sync::{Mutex, MutexGuard};
use rpc_core::connection::{Connection, Fatal, Side, Transmit};
use rpc_core::wire::CloseCode;
#[cfg(feature = "quic")]
use rpc_core::wire::Settings;
use rpc_core::{Error, ErrorKind, Peer};
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::clock::now;
use crate::coding::Coding;
use crate::limits::Limits;
use crate::link::Link;

pub(crate) use drive::Driver;
pub(crate) use events::{Answer, Events};
pub(crate) use input::Input;
pub(crate) use load::Load;
use load::LoadCell;

/// The state machine, shared by the task of its connection and all calls on it.
pub(crate) struct Shared {
    machine: Mutex<Connection>,
    /// A call has ended while others waited for its slot.
    slot_freed: Notify,
    load: LoadCell,
    pub(crate) coding: Coding,
    pub(crate) peer: Peer,
}

impl Shared {
    pub(crate) fn new(side: Side, limits: &Limits, peer: Peer) -> Self {
        Self {
            machine: Mutex::new(Connection::new(side, limits.config(&peer), now())),
            slot_freed: Notify::new(),
            load: LoadCell::default(),
            coding: Coding::new(limits),
            peer,
        }
    }

    /// Acts on the machine, then wakes whom that concerns, without the lock.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut Connection) -> R) -> R {
        let mut machine = self.lock();
        let result = act(&mut machine);
        self.load.set(&machine);
        // Most acts wake nobody, or the writer alone.
        let wake = machine.pop_wake();
        let more = machine.owes_more().then(|| More::of(&mut machine));
        drop(machine);
        if let Some(waker) = wake {
            waker.wake();
        }
        if let Some(more) = more {
            self.settle(more);
        }
        result
    }

    /// Like [`with`](Self::with), for acts that wake many: those that are to be woken now are moved to `wakes`.
    pub(crate) fn with_many<R>(&self, wakes: &mut Vec<Waker>, act: impl FnOnce(&mut Connection) -> R) -> R {
        let mut machine = self.lock();
        let result = act(&mut machine);
        self.load.set(&machine);
        machine.move_wakes(wakes);
        let more = machine.owes_more().then(|| More::of(&mut machine));
        drop(machine);
        if let Some(more) = more {
            self.settle(more);
        }
        result
    }

    /// Returns how the peer has opened.
    #[cfg(feature = "quic")]
    pub(crate) fn peer_settings(&self) -> Option<Settings> {
        self.note(|machine| machine.peer_settings().cloned())
    }

    /// Looks, or notes what wakes nobody and changes nothing of the load: for what happens seldom.
    #[cold]
    pub(crate) fn note<R>(&self, act: impl FnOnce(&mut Connection) -> R) -> R {
        act(&mut self.lock())
    }

    #[inline]
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what an act on the machine seldom leaves to do.
    #[cold]
    fn settle(&self, more: More) {
        let More { wakes, freed_slots, discarded } = more;
        drop(discarded);
        wakes.into_iter().for_each(Waker::wake);
        match freed_slots {
            0 => {}
            usize::MAX => self.slot_freed.notify_waiters(),
            freed => (0..freed).for_each(|_| self.slot_freed.notify_one()),
        }
    }

    /// Returns what it had to do when somebody last acted on the machine, without a lock.
    pub(crate) fn load(&self) -> Load {
        self.load.get()
    }

    /// Waits until a slot may be free; made before the attempt that finds none, so that no slot is missed.
    pub(crate) fn slot_freed(&self) -> tokio::sync::futures::Notified<'_> {
        self.slot_freed.notified()
    }

    /// Ends all calls because the link is gone.
    pub(crate) fn lost(&self, reason: &str) {
        self.with(|machine| machine.lost(reason));
    }

    /// Ends all calls for a reason that the peer is told.
    pub(crate) fn close(&self, fatal: &Fatal) {
        self.with(|machine| machine.close(fatal));
    }

    /// Names the peer in an error.
    pub(crate) fn blame(&self, error: Error) -> Error {
        error.with_peer(self.peer.uri())
    }
}

/// What is to be done without the lock.
struct More {
    wakes: Vec<Waker>,
    freed_slots: usize,
    /// What will not be written: it may hold users' bytes, whose code is not to run under the lock.
    discarded: Vec<Transmit>,
}

impl More {
    #[cold]
    fn of(machine: &mut Connection) -> Self {
        Self {
            wakes: machine.take_wakes(),
            freed_slots: machine.take_freed_slots(),
            discarded: machine.take_discarded(),
        }
    }
}

/// How long a peer may take to hear that its connection has ended.
pub(crate) const FAREWELL_MAX: Duration = Duration::from_secs(1);

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
    /// Opens a connection over a link: sends the opening, waits for the peer's, and starts the task.
    pub(crate) async fn open(mut link: Link, limits: &Limits) -> Result<Self, Error> {
        let shared = Arc::new(Shared::new(Side::Client, limits, link.peer.clone()));
        let mut input = Input::new();
        let handshake = async {
            flush(&shared, &mut link).await.map_err(|error| link_error(&error))?;
            while shared.with(|machine| machine.peer_settings().is_none()) {
                let refused = |fatal: Fatal| Error::new(ErrorKind::Connect, fatal.reason);
                match input.read_from(&mut link.stream).await {
                    Ok(0) => {
                        return Err(Error::new(
                            ErrorKind::Connect,
                            "the peer closed the connection while it was opened: it may be full, going away, or no farcall server",
                        ));
                    }
                    Ok(_) => {
                        shared.with(|machine| machine.receive(&mut input.bytes, now())).map_err(refused)?
                    }
                    Err(error) => return Err(link_error(&error)),
                }
            }
            // A server that is full says so right after its opening.
            match shared.with(|machine| machine.closed_reason().map(str::to_owned)) {
                Some(reason) => Err(Error::new(ErrorKind::Connect, reason)),
                None => Ok(()),
            }
        };
        let opened = timeout(limits.handshake_timeout, handshake).await;
        opened.unwrap_or_else(|_| Err(silent(limits)))?;
        Ok(Self::start(shared, link, input, limits, Events::client()))
    }

    /// Opens a connection whose peer is taken to open as it did another time; `opened` is told how it has.
    #[cfg(feature = "quic")]
    pub(crate) fn open_early(
        link: Link,
        limits: &Limits,
        assumed: Settings,
        opened: impl FnOnce(&Settings) + Send + 'static,
    ) -> Self {
        let shared = Arc::new(Shared::new(Side::Client, limits, link.peer.clone()));
        shared.with(|machine| machine.assume(assumed));
        let known = shared.clone();
        let events = Events::client().on_opened(move || {
            if let Some(settings) = known.peer_settings() {
                opened(&settings);
            }
        });
        Self::start(shared, link, Input::new(), limits, events)
    }

    /// Starts the task of a connection.
    fn start(shared: Arc<Shared>, link: Link, input: Input, limits: &Limits, events: Events) -> Self {
        let ends = EndsWithTask(shared.clone());
        let mut driver = Driver::new(shared.clone(), link, input, limits.write_timeout, events);
        tokio::spawn(async move {
            let _ends = ends;
            driver.run().await;
            // Where that fails, nobody is left to be told. What is closed with bytes unread drops what the peer has not read yet.
            if driver.finish().await.is_ok() {
                let _ = timeout(FAREWELL_MAX, driver.linger()).await;
            }
        });
        Self { shared }
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

/// Writes what there is, for a connection that has no task yet.
pub(crate) async fn flush(shared: &Shared, link: &mut Link) -> std::io::Result<()> {
    let mut transmit = Transmit::new();
    let _ =
        shared.with(|machine| machine.poll_transmit(&mut Context::from_waker(Waker::noop()), &mut transmit));
    link.stream.write_all_buf(&mut transmit).await?;
    link.stream.flush().await
}

fn silent(limits: &Limits) -> Error {
    let text = format!(
        "the peer did not answer the opening within this side's handshake_timeout of {:?}: it may not be a farcall server",
        limits.handshake_timeout
    );
    Error::new(ErrorKind::Connect, text)
}

fn link_error(error: &std::io::Error) -> Error {
    Error::new(
        ErrorKind::Connect,
        format!(
            "the link failed while the connection was opened: {error}; check the address, and what lies between"
        ),
    )
}
