//! The protocol's state machine: one side of a connection, without a socket, a task or a clock.
//!
//! Bytes go in through [`Connection::receive`] and come out through [`Connection::poll_transmit`]; time is an argument. Local actions
//! open calls, answer them and end them; polls register a waker where there is nothing yet. Wakers are collected, not woken: take them
//! with [`Connection::take_wakes`] once no lock is held.

mod allowed;
mod assembly;
mod begun;
mod budget;
mod calls;
mod close;
mod config;
mod credit;
mod ended;
mod event;
mod head;
mod items;
mod line;
mod look;
mod opening;
mod outbox;
mod pace;
mod payload;
mod receive;
mod sent;
mod stream;
mod table;
#[cfg(test)]
mod tests;
mod times;
mod transmit;

use std::collections::VecDeque;
use std::task::Waker;
use std::time::Instant;

use crate::Error;
use crate::wire::{CloseCode, FrameHeader, FrameKind, Hello, HelloError, ResetCode, Settings, StreamId};
use begun::Begun;
use budget::Budget;
use credit::{Held, Window};
use outbox::Outbox;
use pace::Pace;
use sent::Writing;
use stream::Stream;
use table::Table;

pub use calls::{OpenCall, OpenError};
pub use config::Config;
pub use event::{Event, Incoming, Reply};
pub use look::{CallView, View, WaitsFor};
pub use outbox::Transmit;
pub use times::Times;

/// Which end of the connection this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums)] // a connection has two ends
pub enum Side {
    /// It made the connection, and calls.
    Client,
    /// It accepted the connection, and answers.
    Server,
}

/// The connection cannot go on; close it with [`Connection::close`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Fatal {
    /// What the peer is told.
    pub code: CloseCode,
    /// The same in words.
    pub reason: String,
    /// What the peer opened with, where that was the fault.
    pub hello: Option<HelloError>,
}

impl Fatal {
    /// Says why a connection cannot go on.
    pub fn new(code: CloseCode, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), hello: None }
    }
}

/// One side of a connection; see the [module](self).
#[derive(Debug)]
pub struct Connection {
    side: Side,
    config: Config,
    peer: Option<Hello>,
    /// That is what the peer has opened with another time: it has not opened yet.
    is_assumed: bool,
    outbox: Outbox,
    writing: Writing,
    opened: Table,
    accepted: Table,
    last_opened: u64,
    last_accepted: StreamId,
    ready: VecDeque<StreamId>,
    pace: Pace,
    /// What all calls together may still send.
    granted_out: u64,
    inflow: Window,
    /// Messages that wait until there is room to put them together.
    waiting: VecDeque<StreamId>,
    events: VecDeque<Event>,
    /// Some of the events say that a call was given up.
    has_cancelled: bool,
    wakes: Vec<Waker>,
    writer: Option<Waker>,
    idle: Option<Waker>,
    draining: bool,
    peer_draining: bool,
    /// Why the peer has closed the connection, if it has.
    peer_close_code: Option<CloseCode>,
    closed: Option<Closed>,
    wants_slot: bool,
    /// Somebody was told to wait because too much is unsent.
    wants_outbox: bool,
    slots_freed: usize,
    resets: Budget,
    pings: Budget,
    heard_at: Instant,
    pinged_at: Option<Instant>,
    /// Nothing was heard for so long that a call asks for a sign of life first.
    silent: bool,
    /// The timer is due sooner than it was.
    timer_is_sooner: bool,
    late_frames: u64,
    received_bytes: u64,
    begun: Begun,
}

#[derive(Debug)]
struct Closed {
    kind: crate::ErrorKind,
    reason: String,
    /// Up to where all that is ever sent was written, or still will be.
    written: u64,
}

impl Connection {
    /// Creates a side of a new connection; its opening is ready to be sent.
    pub fn new(side: Side, config: Config, now: Instant) -> Self {
        let mut outbox = Outbox::default();
        outbox.raw(|out| Hello::new(config.settings.clone()).encode(out));
        // A burst may cancel all calls twice over; deadlines that pass under load are no attack.
        let resets_rate = config.settings.calls_max.max(100);
        let resets = Budget::new(resets_rate.saturating_mul(2), resets_rate.into(), now);
        let pings = Budget::new(10, 1.0 / config.ping_interval_min.as_secs_f64().max(0.001), now);
        let inflow = Window::new(config.settings.connection_window_bytes, config.buffer_bytes_max);
        let pace = Pace::new(config.chunk_bytes, now);
        Self {
            side,
            config,
            peer: None,
            is_assumed: false,
            outbox,
            writing: Writing::default(),
            opened: Table::default(),
            accepted: Table::default(),
            last_opened: 0,
            last_accepted: StreamId::CONNECTION,
            ready: VecDeque::new(),
            pace,
            granted_out: 0,
            inflow,
            waiting: VecDeque::new(),
            events: VecDeque::with_capacity(1), // not the four that a first one takes
            has_cancelled: false,
            wakes: Vec::new(),
            writer: None,
            idle: None,
            draining: false,
            peer_draining: false,
            peer_close_code: None,
            closed: None,
            wants_slot: false,
            wants_outbox: false,
            slots_freed: 0,
            resets,
            pings,
            heard_at: now,
            pinged_at: None,
            silent: false,
            timer_is_sooner: false,
            late_frames: 0,
            received_bytes: 0,
            begun: Begun::default(),
        }
    }

    /// Returns the next thing to act on.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Moves all that there is to act on behind what is in `events`; into an empty queue by exchanging the two. Tells whether calls were given up
    /// since that was asked last: some of `events` may be of those.
    pub fn move_events(&mut self, events: &mut VecDeque<Event>) -> bool {
        if events.is_empty() {
            std::mem::swap(events, &mut self.events);
        } else {
            events.append(&mut self.events);
        }
        std::mem::take(&mut self.has_cancelled)
    }

    /// Takes one of the wakers whose wait is over; wake it once no lock is held.
    pub fn pop_wake(&mut self) -> Option<Waker> {
        self.wakes.pop()
    }

    /// Moves the wakers whose wait is over to `wakes`, whose memory serves again.
    pub fn move_wakes(&mut self, wakes: &mut Vec<Waker>) {
        wakes.append(&mut self.wakes);
    }

    /// Takes the wakers whose wait is over; wake them once no lock is held.
    pub fn take_wakes(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.wakes)
    }

    /// Tells whether there are wakers, freed slots or discarded bytes to be taken.
    pub fn owes_more(&self) -> bool {
        !self.wakes.is_empty() || self.slots_freed > 0 || self.outbox.has_discarded()
    }

    /// Returns how many calls became possible for those who met [`OpenError::Full`] since this was asked last.
    pub fn take_freed_slots(&mut self) -> usize {
        std::mem::take(&mut self.slots_freed)
    }

    /// Returns what the peer said about itself, once it has; see [`assume`](Self::assume).
    pub fn peer_settings(&self) -> Option<&Settings> {
        self.peer.as_ref().map(|hello| &hello.settings)
    }

    /// Tells whether new calls can be opened: the peer has said its opening, takes calls, and the connection lives.
    pub fn takes_calls(&self) -> bool {
        self.peer.is_some() && !self.peer_draining && self.closed.is_none()
    }

    /// Returns how many calls are under way, in both directions.
    #[expect(clippy::arithmetic_side_effects, reason = "a side has 65,536 slots")]
    pub fn calls_in_flight(&self) -> usize {
        self.opened.live() + self.accepted.live()
    }

    /// Returns how many bytes wait to be written.
    pub fn unsent_bytes(&self) -> usize {
        self.outbox.len()
    }

    /// Tells whether a server has so much to write, beside what its link takes in a moment, that it should read no further calls: it owes
    /// the answers to a peer that does not take them.
    pub fn owes_answers(&self, bytes_max: usize) -> bool {
        let bytes_max = bytes_max.saturating_add(self.pace.piece_bytes());
        self.side == Side::Server && self.closed.is_none() && self.outbox.len() > bytes_max
    }

    /// Tells whether no call is under way.
    pub fn is_idle(&self) -> bool {
        self.calls_in_flight() == 0
    }

    /// Tells whether nothing is under way and nothing is kept: what a connection must come back to.
    #[doc(hidden)]
    pub fn is_at_rest(&self) -> bool {
        self.calls_in_flight() == 0
            && self.outbox.is_empty()
            && self.ready.is_empty()
            && self.waiting.is_empty()
            && self.inflow.is_at_rest()
            && self.events.is_empty()
    }

    fn table(&mut self, id: StreamId) -> &mut Table {
        if self.is_mine(id) { &mut self.opened } else { &mut self.accepted }
    }

    fn stream(&mut self, id: StreamId) -> Option<&mut Stream> {
        self.table(id).get(id)
    }

    fn is_mine(&self, id: StreamId) -> bool {
        id.by_acceptor() == (self.side == Side::Server)
    }

    /// Notes that somebody is to be woken.
    fn wake(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.wakes.push(waker);
        }
    }

    fn wake_writer(&mut self) {
        let writer = self.writer.take();
        self.wake(writer);
    }

    /// Forgets the waker of [`poll_unsent`](Self::poll_unsent), for a writer that asks again by itself and need not be woken until then.
    pub fn forget_writer(&mut self) {
        self.writer = None;
    }

    fn send_control(&mut self, kind: FrameKind, id: StreamId, content: &[u8]) {
        self.outbox.control(FrameHeader::new(kind, id, 0), content);
        self.wake_writer();
    }

    fn send_reset(&mut self, id: StreamId, code: ResetCode) {
        self.send_control(FrameKind::Reset, id, &(code as u16).to_le_bytes());
    }

    /// Takes a call off the connection with all that it holds, and wakes who waits for it.
    fn remove(&mut self, id: StreamId) {
        let is_mine = self.is_mine(id);
        let Some(Stream { inflow, outflow, .. }) = self.stream(id) else { return };
        let (held, is_ready) = (Held::of(inflow), outflow.is_ready);
        let (reader, writer) = (inflow.waker.take(), outflow.waker.take());
        // Not taken out but dropped where it is: it is large, and this is done for each call.
        self.table(id).remove(id, is_mine);
        if is_ready {
            self.ready.retain(|ready| *ready != id);
        }
        self.release(id, held);
        self.wake(reader);
        self.wake(writer);
        if self.is_idle() {
            let idle = self.idle.take();
            self.wake(idle);
        }
        if is_mine && self.wants_slot {
            self.slots_freed = self.slots_freed.saturating_add(1);
        }
    }
}

fn gone(id: StreamId) -> Error {
    Error::new(crate::ErrorKind::Cancelled, format!("the call {id} has ended"))
}
