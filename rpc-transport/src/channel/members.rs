//! The connections of a channel: choosing one for a call, taking in a new one, letting one go.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Instant;

use rpc_core::deadline_after;
use rpc_core::wire::CloseCode;

use super::connecting::State;
use super::{ChannelStats, Inner, Pool};
use crate::clock::now;
use crate::connection::{ClientConnection, Load, Shared};

/// A connection that calls may go to; it may have ended.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) connection: Arc<ClientConnection>,
    /// When another is to take its place.
    pub(super) old_at: Option<Instant>,
    /// How often its pings were halved.
    pub(super) pings_halved: u32,
}

/// A connection that gets no more calls.
pub(super) struct Retired {
    shared: Weak<Shared>,
    since: Instant,
}

impl Retired {
    fn is_open(&self) -> bool {
        self.shared.strong_count() > 0
    }
}

/// What there is to choose from.
struct Choice<'a> {
    /// The best for a call.
    best: Option<&'a Member>,
    /// The one with the fewest calls, which may have to be asked first whether its peer lives.
    idlest: Option<(Load, &'a Member)>,
    usable: usize,
}

impl<'a> Choice<'a> {
    /// Looks at all connections; of equals the first, so that the last are idle when there is little to do.
    fn among(members: &'a [Member]) -> Self {
        let (mut best, mut idlest, mut usable) = (None, None, 0_usize);
        let loads = members.iter().map(|member| (member.connection.shared.load(), member));
        for (load, member) in loads.filter(|(load, _)| load.takes_calls()) {
            usable = usable.saturating_add(1);
            if best.is_none_or(|(least, _)| load < least) {
                best = Some((load, member));
            }
            if idlest.is_none_or(|(least, _): (Load, _)| load.calls() < least.calls()) {
                idlest = Some((load, member));
            }
        }
        Self { best: best.map(|(_, member)| member), idlest, usable }
    }

    /// Tells whether there should be more connections than there are.
    fn is_short(&self, pool: &Pool) -> bool {
        let is_busy = self.idlest.is_none_or(|(load, _)| load.calls() >= pool.grow_at);
        self.usable < pool.min || (self.usable < pool.max && is_busy)
    }

    /// Has the peer of a silent connection asked that is not chosen for that reason, so that calls to come need not wait for the answer.
    fn ask_silent(&self) {
        let silent = self.idlest.filter(|(load, _)| load.is_to_be_asked()).map(|(_, silent)| silent);
        if let (Some(silent), Some(best)) = (silent, self.best)
            && !Arc::ptr_eq(&silent.connection, &best.connection)
        {
            silent.connection.shared.with(|machine| machine.ping_if_silent(now));
        }
    }
}

impl Inner {
    /// Chooses a connection for a call: that with the fewest calls; it may have ended, which the call on it finds out.
    pub(super) fn choose(self: &Arc<Self>) -> Option<Arc<ClientConnection>> {
        let members = self.members.load();
        if self.options.pool.is_one() {
            // As most channels are.
            return members.first().map(|only| only.connection.clone());
        }
        let choice = Choice::among(&members);
        if choice.is_short(&self.options.pool) {
            self.grow();
        }
        choice.ask_silent();
        choice.best.map(|best| best.connection.clone())
    }

    /// Returns a connection that takes calls.
    pub(super) fn usable(&self) -> Option<Arc<ClientConnection>> {
        Choice::among(&self.members.load()).best.map(|best| best.connection.clone())
    }

    pub(super) fn usable_count(&self) -> usize {
        Choice::among(&self.members.load()).usable
    }

    /// Tells whether there should be more connections than there are.
    pub(super) fn is_short(&self) -> bool {
        Choice::among(&self.members.load()).is_short(&self.options.pool)
    }

    /// Takes in a new connection in place of those that have ended.
    pub(super) fn admit(&self, state: &mut State, connection: Arc<ClientConnection>, pings_halved: u32) {
        self.retire_ended(state);
        state.made = state.made.saturating_add(1);
        let old_at = self.options.pool.old_at(now(), state.chance.f64());
        let mut members = Vec::clone(&self.members.load());
        members.push(Member { connection, old_at, pings_halved });
        self.members.store(Arc::new(members));
        self.options.calling.grown.notify_waiters();
    }

    /// Lets those go that take no more calls.
    pub(super) fn retire_ended(&self, state: &mut State) {
        let halved = |member: &Member| {
            let code = member.connection.shared.with(|machine| machine.peer_close_code());
            (code == Some(CloseCode::TooManyPings)).then(|| member.pings_halved.saturating_add(1))
        };
        for member in self.retire(state, |member| !member.connection.takes_calls()) {
            // Rule K7, once for connections that were made with the same interval.
            if let Some(pings_halved) = halved(&member) {
                self.pings_halved.fetch_max(pings_halved, Ordering::Relaxed);
            }
        }
    }

    /// Lets connections go: they get no more calls, and close with the last that they have.
    pub(super) fn retire(&self, state: &mut State, goes: impl Fn(&Member) -> bool) -> Vec<Member> {
        let members = self.members.load();
        let (go, stay): (Vec<_>, Vec<_>) = members.iter().cloned().partition(goes);
        if !go.is_empty() {
            self.members.store(Arc::new(stay));
            state.retired.retain(Retired::is_open);
            let retired = go
                .iter()
                .map(|member| Retired { shared: Arc::downgrade(&member.connection.shared), since: now() });
            state.retired.extend(retired);
        }
        go
    }

    /// Returns how many connections that get no more calls are still open.
    pub(super) fn retired_open(&self, state: &mut State) -> usize {
        state.retired.retain(Retired::is_open);
        state.retired.len()
    }

    pub(super) fn stats(&self) -> ChannelStats {
        let mut state = self.state();
        self.retire_ended(&mut state);
        let retired = self.retired_open(&mut state);
        let (now, timeout) = (now(), self.options.pool.drain_timeout);
        let leaked =
            state.retired.iter().filter(|retired| deadline_after(retired.since, timeout) <= now).count();
        let members = self.members.load();
        let loads = || members.iter().map(|member| member.connection.shared.load().calls());
        ChannelStats {
            open: members.len(),
            idle: loads().filter(|calls| *calls == 0).count(),
            calls: loads().sum(),
            draining: retired.saturating_sub(leaked),
            leaked,
            made: state.made,
        }
    }
}

/// Tells whether two handles are of the same connection.
pub(super) fn is_same(one: &Arc<ClientConnection>, other: &Weak<ClientConnection>) -> bool {
    std::ptr::eq(Arc::as_ptr(one), other.as_ptr())
}
