//! What is kept for each method, found without a lock.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use rpc_core::{MethodDescriptor, MethodId};

/// The service and the method of calls for methods that nobody here knows.
const OTHER: &str = "_OTHER";

/// One `T` for each method that the program knows, and one for all others: as many as it has methods, whatever callers ask for.
pub(crate) struct Methods<T> {
    /// Sorted by id. A program has few methods: to halve a list takes less than to hash.
    known: ArcSwap<Vec<(MethodId, Arc<T>)>>,
    other: OnceLock<Arc<T>>,
    /// Held while one is added.
    adding: Mutex<()>,
}

impl<T> Methods<T> {
    pub(crate) fn new() -> Self {
        Self { known: ArcSwap::from_pointee(Vec::new()), other: OnceLock::new(), adding: Mutex::new(()) }
    }

    /// Finds what is kept for a method, or makes it of the names of its service and itself.
    pub(crate) fn get(
        &self,
        id: MethodId,
        find: impl FnOnce() -> Option<&'static MethodDescriptor>,
        make: impl FnOnce(&'static str, &'static str) -> T,
    ) -> Arc<T> {
        self.look_up(id).unwrap_or_else(|| match find() {
            Some(method) => self.add(id, || make(method.service(), method.name())),
            None => self.other.get_or_init(|| Arc::new(make(OTHER, OTHER))).clone(),
        })
    }

    fn look_up(&self, id: MethodId) -> Option<Arc<T>> {
        let known = self.known.load();
        let place = known.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        known.get(place).map(|(_, kept)| kept.clone())
    }

    #[cold]
    fn add(&self, id: MethodId, make: impl FnOnce() -> T) -> Arc<T> {
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = self.look_up(id) {
            return kept;
        }
        let kept = Arc::new(make());
        let mut known = Vec::clone(&self.known.load());
        known.push((id, kept.clone()));
        known.sort_unstable_by_key(|(id, _)| *id);
        self.known.store(Arc::new(known));
        kept
    }
}

impl<T> fmt::Debug for Methods<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Methods").field("known", &self.known.load().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static METHODS: [MethodDescriptor; 3] =
        [MethodDescriptor::new("A", "b"), MethodDescriptor::new("A", "c"), MethodDescriptor::new("B", "b")];

    #[test]
    fn each_method_has_its_own_and_strangers_share_one() {
        let methods = Methods::new();
        let get = |id, method| methods.get(id, || method, |service, name| format!("{service}/{name}"));
        for _ in 0..2 {
            for method in &METHODS {
                assert_eq!(*get(method.id(), Some(method)), method.to_string());
            }
        }
        let strangers: Vec<_> = (0..1000).map(|id| get(MethodId::new(id), None)).collect();
        assert!(strangers.iter().all(|kept| **kept == "_OTHER/_OTHER" && Arc::ptr_eq(kept, &strangers[0])));
        assert_eq!(methods.known.load().len(), METHODS.len());
        assert!(Arc::ptr_eq(&get(METHODS[0].id(), None), &get(METHODS[0].id(), Some(&METHODS[0]))));
    }
}
