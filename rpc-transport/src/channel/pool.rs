//! How many connections a channel has, and for how long.

use std::time::{Duration, Instant};

use rpc_core::deadline_after;

/// More would take longer to choose among than they give; a server that needs them is better called at several addresses.
const CONNECTIONS_MAX: usize = 64;

/// How many connections a channel keeps to its address, when it makes another, and when it lets one go.
///
/// A call goes to the connection with the fewest calls in flight. One connection is enough for most: calls share it without waiting for each
/// other, and share its writes. Take more where one task for reading and writing is not enough, where a balancer between the two ends
/// places connections and not calls, or where a lost packet must not hold up all.
///
/// Default: one connection, which stays.
///
/// ```
/// use std::time::Duration;
/// use rpc_transport::Pool;
/// let pool = Pool::up_to(8).grow_at(100).idle_timeout(Duration::from_secs(30)).max_age(Duration::from_secs(3600));
/// # let _ = pool;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Pool {
    pub(super) min: usize,
    pub(super) max: usize,
    pub(super) grow_at: usize,
    pub(super) idle_timeout: Duration,
    pub(super) max_age: Option<Duration>,
    pub(super) drain_timeout: Duration,
}

impl Default for Pool {
    fn default() -> Self {
        Self::fixed(1)
    }
}

impl Pool {
    /// Keeps so many connections, from 1 to 64: the first is made as for any channel, the others behind it while calls come.
    ///
    /// One that is lost is made again when a call comes, which goes to another one meanwhile.
    pub fn fixed(connections: usize) -> Self {
        let connections = connections.clamp(1, CONNECTIONS_MAX);
        Self {
            min: connections,
            max: connections,
            grow_at: 64,
            idle_timeout: Duration::from_secs(60),
            max_age: None,
            drain_timeout: Duration::from_secs(30),
        }
    }

    /// Starts with one connection, makes more under load, up to so many, from 1 to 64, and lets those go that are idle.
    pub fn up_to(connections: usize) -> Self {
        Self { min: 1, ..Self::fixed(connections) }
    }

    /// Keeps at least so many of [`up_to`](Self::up_to), idle or not. Default: 1; from 1 to what there may be.
    pub fn at_least(mut self, connections: usize) -> Self {
        self.min = connections.clamp(1, self.max);
        self
    }

    /// Sets with how many calls in flight on each connection another one is made.
    ///
    /// Default: 64; at least 1. The call that finds it so does not wait for the new connection. Too low makes connections that the
    /// next quiet moment finds idle; too high leaves calls to queue on busy ones.
    pub fn grow_at(mut self, calls: usize) -> Self {
        self.grow_at = calls.max(1);
        self
    }

    /// Sets how long a connection beyond [`at_least`](Self::at_least) may have no call before it is closed.
    ///
    /// Default: 60 s; at least 10 ms. It is seen up to a quarter of that time late. Too short makes connections over and over; too long keeps what a peak needed.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout.max(Duration::from_millis(10));
        self
    }

    /// Sets how old a connection may become, give or take a tenth by chance, before another takes its place.
    ///
    /// The other one is made first, so no call waits; where that fails, or it is closed within 100 ms, the old one goes on. Calls under way
    /// end on the connection that they are on. Default: without end, but for the server's own limit. Too short costs handshakes; too long
    /// keeps clients where a balancer once put them.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age.max(Duration::from_millis(10)));
        self
    }

    /// Sets how long a connection that was let go may be open for its last calls before it counts as leaked.
    ///
    /// Default: 30 s. Nothing is cut off then: a call may take as long as its deadline says. Too short counts long calls; too long tells late of streams
    /// that nobody reads and nobody drops.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_timeout = timeout;
        self
    }

    /// Tells whether there is never more than one connection that takes calls.
    pub(super) fn is_one(&self) -> bool {
        self.max == 1
    }

    pub(super) fn shrinks(&self) -> bool {
        self.min < self.max
    }

    /// Tells whether somebody must look after its connections beside the calls.
    pub(super) fn needs_upkeep(&self) -> bool {
        self.shrinks() || self.max_age.is_some()
    }

    /// When a connection that is made now is old, given a number of chance from 0 to 1.
    pub(super) fn old_at(&self, made_at: Instant, chance: f64) -> Option<Instant> {
        let spread = self.max_age?.mul_f64((0.2 * chance).clamp(0.0, 0.2));
        Some(deadline_after(made_at, self.max_age?.mul_f64(0.9).saturating_add(spread)))
    }

    /// How often idle connections are looked for.
    pub(super) fn look_interval(&self) -> Duration {
        self.idle_timeout.div_f64(4.0)
    }
}

/// How many connections a channel has, as of now; see [`Channel::stats`](crate::Channel::stats).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelStats {
    /// Connections that take calls.
    pub open: usize,
    /// Those of them without a call.
    pub idle: usize,
    /// Calls in flight on them.
    pub calls: usize,
    /// Connections that take no more calls and are open for those under way: aged, idle, or drained by the server.
    pub draining: usize,
    /// Connections that take no more calls and are still open after [`Pool::drain_timeout`]: look for streams that are neither read nor dropped.
    pub leaked: usize,
    /// Connections made since the channel was.
    pub made: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_stay_within_each_other() {
        let sizes = |pool: Pool| (pool.min, pool.max);
        assert_eq!(sizes(Pool::default()), (1, 1));
        assert_eq!(sizes(Pool::fixed(0)), (1, 1));
        assert_eq!(sizes(Pool::fixed(usize::MAX)), (64, 64));
        assert_eq!(sizes(Pool::up_to(8)), (1, 8));
        assert_eq!(sizes(Pool::up_to(8).at_least(9)), (8, 8));
        assert_eq!(sizes(Pool::up_to(8).at_least(0)), (1, 8));
    }

    #[test]
    fn age_is_spread_by_a_tenth_either_way() {
        let now = Instant::now();
        let age = |pool: &Pool, chance| pool.old_at(now, chance).map(|at| (at - now).as_secs());
        let hour = Pool::default().max_age(Duration::from_secs(3600));
        assert_eq!([0.0, 0.5, 1.0].map(|chance| age(&hour, chance)), [Some(3240), Some(3600), Some(3960)]);
        assert_eq!(age(&Pool::default(), 0.5), None);
        assert!(age(&Pool::default().max_age(Duration::MAX), 1.0) > Some(3600), "no overflow");
    }
}
