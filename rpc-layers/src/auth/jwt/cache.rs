//! Verified tokens, as many as there is room for.

use std::collections::HashMap;

use rpc_core::Caller;

use super::claims::Times;

/// The SHA-256 of a token: what is kept cannot be used to call.
pub(super) type Digest = [u8; 32];

/// What was found out about a token.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) caller: Caller,
    pub(super) times: Times,
}

/// Two generations: when the young one is full, it becomes the old one, and what was not asked for meanwhile goes. That is nearly as good as a
/// list in the order of use, and takes no list.
pub(super) struct Cache {
    each_max: usize,
    young: HashMap<Digest, Known>,
    old: HashMap<Digest, Known>,
}

impl Cache {
    pub(super) fn new(max: usize) -> Self {
        Self { each_max: max / 2, young: HashMap::new(), old: HashMap::new() }
    }

    pub(super) fn find(&mut self, digest: &Digest) -> Option<Known> {
        if let Some(known) = self.young.get(digest) {
            return Some(known.clone());
        }
        let known = self.old.remove(digest)?;
        self.insert(*digest, known.clone());
        Some(known)
    }

    pub(super) fn insert(&mut self, digest: Digest, known: Known) {
        if self.each_max == 0 {
            return;
        }
        if self.young.len() >= self.each_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(digest, known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::jwt::Claims;

    fn known(name: u16) -> Known {
        let claims = Claims::new(serde_json::from_str(r#"{"exp":1}"#).unwrap());
        Known { caller: Caller::new(name.to_string()), times: Times::of(&claims).unwrap() }
    }

    fn digest(name: u16) -> Digest {
        std::array::from_fn(|index| name.to_be_bytes()[index % 2])
    }

    #[test]
    fn no_more_are_kept_than_there_is_room_for_and_those_in_use_stay() {
        let mut cache = Cache::new(100);
        cache.insert(digest(0), known(0));
        for name in 1..5_000 {
            cache.insert(digest(name), known(name));
            assert!(cache.young.len() + cache.old.len() <= 100);
            assert_eq!(cache.find(&digest(0)).unwrap().caller.name(), "0", "gone after {name}");
        }
        assert!(cache.find(&digest(1)).is_none());
    }

    #[test]
    fn without_room_nothing_is_kept() {
        let mut cache = Cache::new(0);
        cache.insert(digest(1), known(1));
        assert!(cache.find(&digest(1)).is_none());
    }
}
