//! Looking after the connections of a channel: more of them under load, fewer when it is idle, new ones for old.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use rpc_core::deadline_after;
use tokio::task::AbortHandle;
use tokio::time::{sleep, sleep_until};

use super::Inner;
use super::connecting::State;
use super::members::{Member, is_same};
use crate::clock::now;
use crate::connection::ClientConnection;

/// Where tries to connect fail and are made again at once, it is not looked more often than that.
const PAUSE_MIN: Duration = Duration::from_millis(5);

/// A server that takes no more connections, or a balancer without a server, may say so right after the opening: what is old stays until
/// what is new has lasted for so long.
const SETTLED_AFTER: Duration = Duration::from_millis(100);

/// Says that the channel makes connections no more, however that ended.
struct Growing(Weak<Inner>);

impl Drop for Growing {
    fn drop(&mut self) {
        if let Some(inner) = self.0.upgrade() {
            inner.is_growing.store(false, Ordering::Relaxed);
        }
    }
}

impl Inner {
    /// Has connections made, one after the other, until there are enough; whoever asks for it does not wait.
    pub(super) fn grow(self: &Arc<Self>) {
        // Read first: under load all callers come by, and need not write to it.
        if self.is_growing.load(Ordering::Relaxed) || self.is_growing.swap(true, Ordering::Relaxed) {
            return;
        }
        let growing = Growing(Arc::downgrade(self));
        tokio::spawn(async move {
            while let Some(inner) = growing.0.upgrade() {
                inner.retire_ended(&mut inner.state());
                let before = inner.usable_count();
                if !inner.is_short() {
                    return;
                }
                if let Err(next_at) = inner.another().await {
                    drop(inner);
                    // Until then those who find the channel short need not ask again.
                    return sleep_until(next_at.into()).await;
                }
                // A server that closes what it has just accepted is tried again by the next call, and not in a circle.
                if inner.usable_count() <= before {
                    return;
                }
            }
        });
    }

    /// Has somebody look after the connections for as long as the channel lives.
    pub(super) fn start_upkeep(self: &Arc<Self>, state: &mut State) {
        // It went away with its runtime, and the channel is used on another one.
        let is_gone = state.upkeep.as_ref().is_none_or(AbortHandle::is_finished);
        if self.options.pool.needs_upkeep() && is_gone {
            state.upkeep = Some(tokio::spawn(upkeep(Arc::downgrade(self))).abort_handle());
        }
    }

    /// Replaces the connections that are old, one after the other; gives when the next try may be made, where one failed.
    async fn replace_old(self: &Arc<Self>) -> Result<(), Instant> {
        while let Some(old) = self.old_one() {
            let before = self.usable_count();
            self.another().await?;
            sleep(SETTLED_AFTER).await;
            if self.usable_count() <= before {
                // The server takes no more of them, or not now: the old one goes on, and is looked at again with the idle ones.
                return Ok(());
            }
            self.retire(&mut self.state(), |member| is_same(&member.connection, &old));
        }
        Ok(())
    }

    /// Returns a connection that is old, unless as many as there may be are still open for their last calls: theirs come first.
    fn old_one(&self) -> Option<Weak<ClientConnection>> {
        let now = now();
        let is_old = |member: &&Member| member.old_at.is_some_and(|old_at| old_at <= now);
        let old = self.members.load().iter().find(is_old).map(|old| Arc::downgrade(&old.connection))?;
        (self.retired_open(&mut self.state()) < self.options.pool.max).then_some(old)
    }

    /// When the next connection is old; one that is so already waits for room.
    fn next_old_at(&self) -> Option<Instant> {
        let now = now();
        self.members.load().iter().filter_map(|member| member.old_at).filter(|old_at| *old_at > now).min()
    }
}

async fn upkeep(inner: Weak<Inner>) {
    let mut watched = Watched::default();
    while let Some(inner) = inner.upgrade() {
        watched.retire_idle(&inner);
        let next_try = inner.replace_old().await.err();
        let look_at = deadline_after(now(), inner.options.pool.look_interval());
        let next_at = [next_try, inner.next_old_at()].into_iter().flatten().fold(look_at, Instant::min);
        drop(inner);
        sleep_until(next_at.max(deadline_after(now(), PAUSE_MIN)).into()).await;
    }
}

/// What each connection was seen to do.
#[derive(Default)]
struct Watched(Vec<Seen>);

struct Seen {
    connection: Weak<ClientConnection>,
    /// How many calls it had ever had.
    calls: u64,
    /// Since when it has had no other call.
    idle_since: Option<Instant>,
}

impl Watched {
    /// Lets connections go that have had no call for long, the last ones first, as long as enough stay.
    fn retire_idle(&mut self, inner: &Arc<Inner>) {
        let pool = &inner.options.pool;
        if !pool.shrinks() {
            return;
        }
        let mut state = inner.state();
        inner.retire_ended(&mut state);
        let (now, members) = (now(), Vec::clone(&inner.members.load()));
        self.0 = members.iter().map(|member| self.see(&member.connection, now)).collect();
        let is_idle = |seen: &&Seen| {
            seen.idle_since.is_some_and(|since| now.saturating_duration_since(since) >= pool.idle_timeout)
        };
        let spare = members.len().saturating_sub(pool.min);
        for seen in self.0.iter().rev().filter(is_idle).take(spare) {
            inner.retire(&mut state, |member| is_same(&member.connection, &seen.connection));
        }
    }

    fn see(&self, connection: &Arc<ClientConnection>, now: Instant) -> Seen {
        let (calls, in_flight) =
            connection.shared.with(|machine| (machine.calls_opened(), machine.calls_in_flight()));
        let before = self.0.iter().find(|seen| is_same(connection, &seen.connection));
        let idle_since = before.filter(|before| before.calls == calls).and_then(|before| before.idle_since);
        let idle_since = (in_flight == 0).then(|| idle_since.unwrap_or(now));
        Seen { connection: Arc::downgrade(connection), calls, idle_since }
    }
}
