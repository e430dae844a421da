//! What is kept for each method, found without a lock.

use std::fmt;
use std::iter;
use std::sync::{Arc, OnceLock};

use rpc_core::{MethodDescriptor, MethodId};

/// The service and the method of calls for methods that nobody here knows.
const OTHER: &str = "_OTHER";
/// Methods are told apart by so many bits of their ids first, which are hashes.
const PLACES: usize = 32;
const LAST: u64 = PLACES as u64 - 1;

/// One `T` for each method that the program knows, and one for all others: as many as it has methods, whatever callers ask for.
///
/// What was added stays where it is, so that a call borrows it: threads that count the references of one `Arc` take its cache line from
/// each other.
pub(crate) struct Methods<T> {
    known: [Place<T>; PLACES],
    other: OnceLock<Arc<T>>,
}

type Place<T> = OnceLock<Box<Known<T>>>;

struct Known<T> {
    id: MethodId,
    kept: Arc<T>,
    /// Another method with the same bits.
    next: Place<T>,
}

impl<T> Methods<T> {
    pub(crate) fn new() -> Self {
        Self { known: [const { OnceLock::new() }; PLACES], other: OnceLock::new() }
    }

    /// Finds what is kept for a method, or makes it of the names of its service and itself.
    pub(crate) fn get(
        &self,
        id: MethodId,
        find: impl FnOnce() -> Option<&'static MethodDescriptor>,
        make: impl Fn(&'static str, &'static str) -> T,
    ) -> &Arc<T> {
        match self.all(id).find(|known| known.id == id) {
            Some(known) => &known.kept,
            None => self.add(id, find(), make),
        }
    }

    /// Goes through the methods with the same bits.
    fn all(&self, id: MethodId) -> impl Iterator<Item = &Known<T>> {
        let first = self.place(id).and_then(OnceLock::get);
        iter::successors(first, |known| known.next.get()).map(|known| &**known)
    }

    fn place(&self, id: MethodId) -> Option<&Place<T>> {
        self.known.get(usize::try_from(id.as_u64() & LAST).ok()?)
    }

    #[cold]
    fn add(
        &self,
        id: MethodId,
        method: Option<&'static MethodDescriptor>,
        make: impl Fn(&'static str, &'static str) -> T,
    ) -> &Arc<T> {
        if let (Some(method), Some(mut place)) = (method, self.place(id)) {
            loop {
                // Where two threads come here at once, one of them makes it.
                let known = place.get_or_init(|| {
                    let kept = Arc::new(make(method.service(), method.name()));
                    Box::new(Known { id, kept, next: OnceLock::new() })
                });
                if known.id == id {
                    return &known.kept;
                }
                place = &known.next;
            }
        }
        self.other.get_or_init(|| Arc::new(make(OTHER, OTHER)))
    }

    fn len(&self) -> usize {
        let first = self.known.iter().filter_map(OnceLock::get);
        first.map(|known| iter::successors(Some(known), |known| known.next.get()).count()).sum()
    }
}

impl<T> fmt::Debug for Methods<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Methods").field("known", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last three differ by no bit that is looked at first.
    static METHODS: [MethodDescriptor; 6] = [
        MethodDescriptor::new("A", "b"),
        MethodDescriptor::new("A", "c"),
        MethodDescriptor::new("B", "b"),
        MethodDescriptor::new("A", "d").with_id(1),
        MethodDescriptor::new("A", "e").with_id(1 + PLACES as u64),
        MethodDescriptor::new("A", "f").with_id(1 + 2 * PLACES as u64),
    ];

    #[test]
    fn each_method_has_its_own_and_strangers_share_one() {
        let methods = Methods::new();
        let get = |id, method| methods.get(id, || method, |service, name| format!("{service}/{name}"));
        for _ in 0..2 {
            for method in &METHODS {
                assert_eq!(**get(method.id(), Some(method)), method.to_string());
            }
        }
        let strangers: Vec<_> = (1000..2000).map(|id| get(MethodId::new(id), None)).collect();
        assert!(strangers.iter().all(|kept| ***kept == "_OTHER/_OTHER" && Arc::ptr_eq(kept, strangers[0])));
        assert_eq!(methods.len(), METHODS.len());
        assert!(Arc::ptr_eq(get(METHODS[0].id(), None), get(METHODS[0].id(), Some(&METHODS[0]))));
    }
}
