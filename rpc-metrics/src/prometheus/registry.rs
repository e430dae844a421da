//! The recorder: what has been recorded, by name and labels.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use metrics::{Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

use super::series::{Buckets, Count, Level};

/// Keeps all that is recorded in the program, up to a limit.
pub(super) struct Registry {
    pub(super) counters: Kept<Key, Count>,
    pub(super) gauges: Kept<Key, Level>,
    pub(super) histograms: Kept<Key, Buckets>,
    pub(super) help: Kept<KeyName, SharedString>,
    series: AtomicUsize,
    series_max: usize,
    /// Counts what is asked for beyond the limit.
    pub(super) refused: Count,
}

/// Things that are made when they are first asked for.
pub(super) struct Kept<K, T>(RwLock<HashMap<K, Arc<T>>>);

impl<K: Eq + Hash + Clone, T> Kept<K, T> {
    fn new() -> Self {
        Self(RwLock::new(HashMap::new()))
    }

    fn find(&self, key: &K) -> Option<Arc<T>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn insert(&self, key: K, made: T) -> Arc<T> {
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        kept.entry(key).or_insert_with(|| Arc::new(made)).clone()
    }

    /// Returns all, so that writing them down holds nobody up.
    pub(super) fn all(&self) -> Vec<(K, Arc<T>)> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        kept.iter().map(|(key, kept)| (key.clone(), kept.clone())).collect()
    }
}

impl Registry {
    pub(super) fn new(series_max: usize) -> Self {
        Self {
            counters: Kept::new(),
            gauges: Kept::new(),
            histograms: Kept::new(),
            help: Kept::new(),
            series: AtomicUsize::new(0),
            series_max,
            refused: Count::default(),
        }
    }

    pub(super) fn series(&self) -> usize {
        self.series.load(Ordering::Relaxed)
    }

    /// Finds what goes under a key, or makes it where there is room.
    fn get<T>(&self, kept: &Kept<Key, T>, key: &Key, make: impl FnOnce() -> T) -> Option<Arc<T>> {
        if let Some(found) = kept.find(key) {
            return Some(found);
        }
        let one_more = |series: usize| series.checked_add(1).filter(|series| *series <= self.series_max);
        // Two threads that make the same at one time take two places of the limit, which does no harm.
        if self.series.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_err() {
            self.refused.increment(1);
            return None;
        }
        Some(kept.insert(key.to_retained(), make()))
    }

    fn describe(&self, name: &KeyName, text: SharedString) {
        if self.help.find(name).is_none() && self.help.len() < self.series_max {
            self.help.insert(name.to_retained(), text);
        }
    }
}

impl<K, T> Kept<K, T> {
    fn len(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Recorder for Registry {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, text: SharedString) {
        self.describe(&name, text);
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, text: SharedString) {
        self.describe(&name, text);
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, text: SharedString) {
        self.describe(&name, text);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.get(&self.counters, key, Count::default).map_or_else(Counter::noop, Counter::from_arc)
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.get(&self.gauges, key, Level::default).map_or_else(Gauge::noop, Gauge::from_arc)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let make = || Buckets::new(key.name());
        self.get(&self.histograms, key, make).map_or_else(Histogram::noop, Histogram::from_arc)
    }
}
