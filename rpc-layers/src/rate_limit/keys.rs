//! Quotas by key, as many as there is room for.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::gcra::Quota;

/// While all room is taken, it is searched for keys that are no longer in use, no more often than this, in nanoseconds.
const SWEEP_INTERVAL: u64 = 100_000_000;

/// Keys come from callers: a longer one is counted with those that there is no room for.
const KEY_BYTES_MAX: usize = 256;

#[derive(Debug)]
pub(super) struct Keys {
    quota: Quota,
    own: HashMap<Box<str>, Quota>,
    keys_max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    arrivals: HashMap<Box<str>, u64>,
    /// Of all keys that there is no room for.
    rest: u64,
    next_sweep: u64,
}

impl Keys {
    pub(super) fn new(quota: Quota, own: HashMap<Box<str>, Quota>, keys_max: usize) -> Self {
        Self { quota, own, keys_max, state: Mutex::default() }
    }

    pub(super) fn quota(&self) -> Quota {
        self.quota
    }

    /// Counts a call of this key, if `total` takes it too; neither counts what the other refuses.
    pub(super) fn take(
        &self,
        key: &str,
        now: u64,
        total: impl FnOnce() -> Result<(), u64>,
    ) -> Result<(), u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let quota = self.own.get(key).copied().unwrap_or(self.quota);
        if let Some(arrival) = state.arrivals.get_mut(key) {
            let next = quota.decide(*arrival, now)?;
            total()?;
            *arrival = next;
        } else if key.len() <= KEY_BYTES_MAX && state.has_room(self.keys_max, now) {
            let next = quota.decide(0, now)?;
            total()?;
            state.arrivals.insert(key.into(), next);
        } else {
            let next = self.quota.decide(state.rest, now)?;
            total()?;
            state.rest = next;
        }
        Ok(())
    }
}

impl State {
    fn has_room(&mut self, keys_max: usize, now: u64) -> bool {
        if self.arrivals.len() >= keys_max && now >= self.next_sweep {
            // A key whose calls are all paid for is as good as one that never called.
            self.arrivals.retain(|_, arrival| *arrival > now);
            self.next_sweep = now.saturating_add(SWEEP_INTERVAL);
        }
        self.arrivals.len() < keys_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn keys(keys_max: usize) -> Keys {
        let own = HashMap::from([("rich".into(), Quota::per_second(5))]);
        Keys::new(Quota::per_second(1), own, keys_max)
    }

    fn passed(keys: &Keys, key: &str, now: u64) -> usize {
        (0..10).filter(|_| keys.take(key, now, || Ok(())).is_ok()).count()
    }

    #[test]
    fn each_key_has_its_own_quota() {
        let keys = keys(10);
        assert_eq!(["a", "b", "rich", "a"].map(|key| passed(&keys, key, 0)), [1, 1, 5, 0]);
        assert_eq!(["a", "b", "rich"].map(|key| passed(&keys, key, SECOND)), [1, 1, 5]);
    }

    #[test]
    fn keys_that_are_made_up_share_one_quota_once_there_is_no_room() {
        let keys = keys(3);
        let all: usize = (0..1_000).map(|key| passed(&keys, &key.to_string(), 0)).sum();
        assert_eq!(all, 4);
        assert_eq!(keys.state.lock().unwrap().arrivals.len(), 3);
    }

    #[test]
    fn long_keys_share_one_quota_and_take_no_room() {
        let keys = keys(10);
        let all: usize = (0..100).map(|key| passed(&keys, &format!("{key:300}"), 0)).sum();
        assert_eq!(all, 1);
        assert!(keys.state.lock().unwrap().arrivals.is_empty());
    }

    #[test]
    fn keys_that_have_gone_quiet_make_room() {
        let keys = keys(3);
        (0..100).for_each(|second| {
            let all: usize =
                (0..3).map(|key| passed(&keys, &format!("{second}-{key}"), second * 2 * SECOND)).sum();
            assert_eq!(all, 3);
        });
        assert_eq!(keys.state.lock().unwrap().arrivals.len(), 3);
    }

    #[test]
    fn what_the_total_refuses_does_not_count_for_the_key() {
        let keys = keys(3);
        assert_eq!(keys.take("a", 0, || Err(7)), Err(7));
        assert_eq!(passed(&keys, "a", 0), 1);
        assert_eq!(keys.take("a", 0, || panic!("the key's own quota is asked first")), Err(SECOND));
    }
}
