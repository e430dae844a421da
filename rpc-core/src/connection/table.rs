//! Calls by their slots.

use super::stream::Stream;
use crate::wire::StreamId;

/// The calls that one side has opened on a connection.
///
/// An id holds its slot, so a call is found without a search; the entry remembers the last id, so a frame of an older call in
/// the same slot is told from one of the present call.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Made when one of its slots is first taken: the peer chooses the slots of its calls, and a high one must not cost more than a low one.
    pages: Vec<Option<Box<Page>>>,
    /// How many slots were ever chosen here.
    chosen: u32,
    free: Vec<u16>,
    live: usize,
}

/// As few as a page of half a kilobyte holds: an idle connection has one.
const PAGE_SLOTS: u16 = 2;

type Page = [Entry; PAGE_SLOTS as usize];

#[derive(Debug, Default)]
struct Entry {
    id: StreamId,
    stream: Option<Stream>,
}

impl Table {
    pub(super) fn live(&self) -> usize {
        self.live
    }

    /// Chooses a slot below `max` for a call that is opened here.
    pub(super) fn vacant(&mut self, max: usize) -> Option<u16> {
        if let Some(slot) = self.free.pop() {
            return Some(slot);
        }
        let slot = u16::try_from(self.chosen).ok().filter(|slot| usize::from(*slot) < max)?;
        self.chosen = u32::from(slot) + 1;
        Some(slot)
    }

    fn entry(&self, slot: u16) -> Option<&Entry> {
        self.pages.get(usize::from(slot / PAGE_SLOTS))?.as_ref()?.get(usize::from(slot % PAGE_SLOTS))
    }

    fn entry_mut(&mut self, slot: u16) -> Option<&mut Entry> {
        self.pages.get_mut(usize::from(slot / PAGE_SLOTS))?.as_mut()?.get_mut(usize::from(slot % PAGE_SLOTS))
    }

    /// Tells whether a call is in this slot.
    pub(super) fn is_live(&self, slot: u16) -> bool {
        self.entry(slot).is_some_and(|entry| entry.stream.is_some())
    }

    /// Puts a call into its slot, which is free.
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "a slot is a u16, and the pages are made to reach up to it"
    )]
    pub(super) fn insert(&mut self, id: StreamId, stream: Stream) {
        let page = usize::from(id.slot() / PAGE_SLOTS);
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, || None);
        }
        self.live += 1;
        let page = self.pages[page].get_or_insert_default();
        page[usize::from(id.slot() % PAGE_SLOTS)] = Entry { id, stream: Some(stream) };
    }

    pub(super) fn look_up(&self, id: StreamId) -> Option<&Stream> {
        self.entry(id.slot()).filter(|entry| entry.id == id)?.stream.as_ref()
    }

    pub(super) fn get(&mut self, id: StreamId) -> Option<&mut Stream> {
        let entry = self.entry_mut(id.slot())?;
        if entry.id == id { entry.stream.as_mut() } else { None }
    }

    /// Drops a call that is in its slot; `reuse` gives the slot back to [`vacant`](Self::vacant).
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "the caller has found the call in its slot, so it is counted"
    )]
    pub(super) fn remove(&mut self, id: StreamId, reuse: bool) {
        let Some(entry) = self.entry_mut(id.slot()) else { return };
        debug_assert!(entry.id == id && entry.stream.is_some(), "the call was found in its slot");
        entry.stream = None;
        self.live -= 1;
        if reuse {
            self.free.push(id.slot());
        }
    }

    /// Returns all calls.
    pub(super) fn iter(&self) -> impl Iterator<Item = (StreamId, &Stream)> {
        let entries = self.pages.iter().flatten().flat_map(|page| page.iter());
        entries.filter_map(|entry| Some((entry.id, entry.stream.as_ref()?)))
    }

    /// Returns the ids of all calls.
    pub(super) fn ids(&self) -> Vec<StreamId> {
        self.iter().map(|(id, _)| id).collect()
    }

    /// Gives back the memory of a burst, where no call is under way.
    pub(super) fn shrink(&mut self) {
        if self.live == 0 {
            self.pages = Vec::new();
            self.free.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::MethodId;
    use crate::connection::stream::Role;

    fn stream() -> Stream {
        let (method, since) = (MethodId::new(7), Instant::now());
        Stream::new(Role::Accepted { head: None, replied: false, method, since }, 0, 0)
    }

    #[test]
    fn a_call_in_the_highest_slot_costs_a_page_and_not_all_slots() {
        let mut table = Table::default();
        let id = StreamId::new(1, u16::MAX, false);
        table.insert(id, stream());
        assert!(table.get(id).is_some() && table.is_live(u16::MAX) && !table.is_live(u16::MAX - 1));
        assert_eq!(table.pages.iter().flatten().count(), 1);
        table.remove(id, false);
        table.shrink();
        assert!(table.get(id).is_none() && table.pages.capacity() == 0);
    }

    #[test]
    fn slots_that_were_given_back_are_chosen_again_after_the_memory_was() {
        let mut table = Table::default();
        let slots: Vec<_> = (0..10).map(|_| table.vacant(10).unwrap()).collect();
        assert_eq!(table.vacant(10), None);
        for slot in &slots {
            table.insert(StreamId::new(1, *slot, false), stream());
        }
        for slot in &slots {
            table.remove(StreamId::new(1, *slot, false), true);
        }
        table.shrink();
        let mut again: Vec<_> = (0..10).map(|_| table.vacant(10).unwrap()).collect();
        again.sort_unstable();
        assert_eq!((again, table.vacant(10)), (slots, None));
    }
}
