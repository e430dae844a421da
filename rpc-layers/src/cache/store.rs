//! Answers in memory, within bounds.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use rpc_core::{CodecKind, MethodId, Value};

/// Of so many that are drawn by chance, the one that was used longest ago goes, as in Redis: nearly as good as a list in the order of use.
const SAMPLE: usize = 5;

/// What an entry takes beside its bytes, about.
const ENTRY_BYTES: usize = 200;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) method: MethodId,
    pub(super) codec: CodecKind,
    pub(super) arguments: Bytes,
    pub(super) vary: Vec<Option<Value>>,
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // What else differs, differs seldom where these are the same.
        (self.method, self.codec, &self.arguments).hash(state);
        for value in self.vary.iter().flatten() {
            match value {
                Value::Text(text) => text.hash(state),
                Value::Binary(bytes) => bytes.hash(state),
                _ => {}
            }
        }
    }
}

impl Key {
    fn bytes(&self) -> usize {
        let vary = self.vary.iter().flatten().map(|value| match value {
            Value::Text(text) => text.len(),
            Value::Binary(bytes) => bytes.len(),
            _ => 0,
        });
        vary.fold(self.arguments.len(), usize::saturating_add)
    }
}

#[derive(Debug)]
pub(super) struct Store {
    entries_max: usize,
    bytes_max: usize,
    bytes: usize,
    /// Grows with each use.
    clock: u64,
    places: HashMap<Arc<Key>, usize>,
    // In a list, so that one can be drawn by chance.
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    key: Arc<Key>,
    message: Bytes,
    until: Instant,
    used: u64,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.key.bytes().saturating_add(self.message.len()).saturating_add(ENTRY_BYTES)
    }
}

impl Store {
    pub(super) fn new(entries_max: usize, bytes_max: usize) -> Self {
        Self { entries_max, bytes_max, bytes: 0, clock: 0, places: HashMap::new(), entries: Vec::new() }
    }

    pub(super) fn find(&mut self, key: &Key, now: Instant) -> Option<Bytes> {
        let place = *self.places.get(key)?;
        self.clock = self.clock.saturating_add(1);
        let entry = self.entries.get_mut(place)?;
        if entry.until <= now {
            self.remove(place);
            return None;
        }
        entry.used = self.clock;
        Some(entry.message.clone())
    }

    pub(super) fn insert(&mut self, key: Key, message: &Bytes, until: Instant) {
        if let Some(place) = self.places.get(&key).copied() {
            self.remove(place);
        }
        self.clock = self.clock.saturating_add(1);
        // Copied: a message may be a small part of a large buffer, which would be kept as a whole.
        let vary = key.vary.into_iter().map(|value| match value {
            Some(Value::Binary(bytes)) => Some(Value::Binary(Bytes::copy_from_slice(&bytes))),
            value => value,
        });
        let key = Key { arguments: Bytes::copy_from_slice(&key.arguments), vary: vary.collect(), ..key };
        let message = Bytes::copy_from_slice(message);
        let entry = Entry { key: Arc::new(key), message, until, used: self.clock };
        if entry.bytes() > self.bytes_max || self.entries_max == 0 {
            return;
        }
        while self.entries.len() >= self.entries_max
            || self.bytes.saturating_add(entry.bytes()) > self.bytes_max
        {
            self.remove(self.draw());
        }
        self.bytes = self.bytes.saturating_add(entry.bytes());
        self.places.insert(entry.key.clone(), self.entries.len());
        self.entries.push(entry);
    }

    /// Draws the place of one that may go; there is one.
    fn draw(&self) -> usize {
        let places = (0..SAMPLE).map(|_| fastrand::usize(..self.entries.len()));
        places.min_by_key(|place| self.entries.get(*place).map(|entry| entry.used)).unwrap_or_default()
    }

    fn remove(&mut self, place: usize) {
        if place >= self.entries.len() {
            return;
        }
        let entry = self.entries.swap_remove(place);
        self.places.remove(&entry.key);
        self.bytes = self.bytes.saturating_sub(entry.bytes());
        // The last one has taken its place.
        if let Some(moved) = self.entries.get(place) {
            self.places.insert(moved.key.clone(), place);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn key(number: usize) -> Key {
        Key {
            method: MethodId::new(7),
            codec: CodecKind::default(),
            arguments: Bytes::from(number.to_string()),
            vary: Vec::new(),
        }
    }

    fn check(store: &Store) {
        assert!(store.entries.len() <= store.entries_max && store.bytes <= store.bytes_max);
        assert_eq!(store.places.len(), store.entries.len());
        assert_eq!(store.bytes, store.entries.iter().map(Entry::bytes).sum::<usize>());
        assert!(store.entries.iter().enumerate().all(|(place, entry)| store.places[&entry.key] == place));
    }

    #[test]
    fn entries_and_bytes_stay_within_their_bounds() {
        fastrand::seed(1);
        let until = Instant::now() + Duration::from_secs(60);
        let mut store = Store::new(50, 20_000);
        for number in 0..5_000 {
            let message = Bytes::from(vec![7; fastrand::usize(..3_000)]);
            store.insert(key(number % 300), &message, until);
            assert_eq!(store.find(&key(number % 300), Instant::now()), Some(message));
            check(&store);
        }
        store.insert(key(1), &Bytes::from(vec![7; 20_000]), until);
        assert_eq!(store.find(&key(1), Instant::now()), None, "what is larger than all room is not kept");
        check(&store);
    }

    #[test]
    fn what_is_asked_for_often_stays() {
        fastrand::seed(1);
        let now = Instant::now();
        let mut store = Store::new(100, usize::MAX);
        store.insert(key(0), &Bytes::from_static(b"often"), now + Duration::from_secs(60));
        for number in 1..2_000 {
            store.insert(key(number), &Bytes::new(), now + Duration::from_secs(60));
            assert!(store.find(&key(0), now).is_some(), "gone after {number}");
        }
        check(&store);
    }

    #[test]
    fn an_entry_goes_when_its_time_is_over() {
        let now = Instant::now();
        let mut store = Store::new(10, usize::MAX);
        store.insert(key(1), &Bytes::from_static(b"x"), now + Duration::from_secs(1));
        assert!(store.find(&key(1), now + Duration::from_millis(999)).is_some());
        assert!(store.find(&key(1), now + Duration::from_secs(1)).is_none());
        assert!(store.entries.is_empty());
        check(&store);
    }
}
