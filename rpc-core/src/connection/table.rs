//! Calls by their slots.

use super::stream::Stream;
use crate::wire::StreamId;

/// The calls that one side has opened on a connection.
///
/// An id holds its slot, so finding a call is one array access; the entry remembers the last id, so a frame of an older call in
/// the same slot is told from one of the present call.
#[derive(Debug, Default)]
pub(super) struct Table {
    entries: Vec<Entry>,
    free: Vec<u16>,
    live: usize,
}

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
        let slot = u16::try_from(self.entries.len()).ok().filter(|slot| usize::from(*slot) < max)?;
        self.entries.push(Entry::default());
        Some(slot)
    }

    /// Tells whether a call is in this slot.
    pub(super) fn is_live(&self, slot: u16) -> bool {
        self.entries.get(usize::from(slot)).is_some_and(|entry| entry.stream.is_some())
    }

    /// Puts a call into its slot, which is free.
    pub(super) fn insert(&mut self, id: StreamId, stream: Stream) {
        let index = usize::from(id.slot());
        if self.entries.len() <= index {
            self.entries.resize_with(index + 1, Entry::default);
        }
        self.live += 1;
        let entry = &mut self.entries[index];
        entry.id = id;
        entry.stream = Some(stream);
    }

    pub(super) fn get(&mut self, id: StreamId) -> Option<&mut Stream> {
        let entry = self.entries.get_mut(usize::from(id.slot()))?;
        if entry.id == id { entry.stream.as_mut() } else { None }
    }

    /// Drops a call that is in its slot; `reuse` gives the slot back to [`vacant`](Self::vacant).
    pub(super) fn remove(&mut self, id: StreamId, reuse: bool) {
        let entry = &mut self.entries[usize::from(id.slot())];
        debug_assert!(entry.id == id && entry.stream.is_some(), "the call was found in its slot");
        entry.stream = None;
        self.live -= 1;
        if reuse {
            self.free.push(id.slot());
        }
    }

    /// Returns the ids of all calls.
    pub(super) fn ids(&self) -> Vec<StreamId> {
        self.entries.iter().filter(|entry| entry.stream.is_some()).map(|entry| entry.id).collect()
    }
}
