//! Stream items that travel together.

mod encode;
mod stream;

use std::ops::Range;

use bytes::{Buf, Bytes, BytesMut};

pub(crate) use encode::Encoding;
pub use stream::ItemStream;

use crate::wire::put_length;

/// What stands before each item of a batch: its length.
const LENGTH_BYTES: usize = 4;

/// Encoded stream items that are passed on together, in order.
///
/// Several that are ready at once share one piece of memory, one frame and one wake-up, which is most of what a small item costs.
///
/// ```
/// use rpc_core::ItemBatch;
/// let mut batch = ItemBatch::one("an item".into());
/// assert_eq!(batch.len(), 1);
/// assert_eq!(batch.next().as_deref(), Some(&b"an item"[..]));
/// assert_eq!(batch.next(), None);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ItemBatch {
    /// The items, each behind its length; a lone one stands there by itself.
    bytes: Bytes,
    left: usize,
    is_lone: bool,
}

impl ItemBatch {
    /// A batch of one item.
    pub fn one(item: Bytes) -> Self {
        Self { bytes: item, left: 1, is_lone: true }
    }

    /// A batch of so many items, which stand one after the other, each behind its length: see [`measure`].
    pub(crate) fn of(bytes: Bytes, count: usize) -> Self {
        Self { bytes, left: count, is_lone: false }
    }

    /// Puts batches together, which copies them.
    pub(crate) fn joined(batches: impl ExactSizeIterator<Item = Self>, bytes: usize) -> Self {
        let mut all =
            BytesMut::with_capacity(bytes.saturating_add(batches.len().saturating_mul(LENGTH_BYTES)));
        let mut count = 0_usize;
        for batch in batches {
            if batch.is_lone && batch.left > 0 {
                put_length(&mut all, batch.bytes.len());
            }
            all.extend_from_slice(&batch.bytes);
            count = count.saturating_add(batch.left);
        }
        Self::of(all.freeze(), count)
    }

    /// Tells how many items are left.
    pub fn len(&self) -> usize {
        self.left
    }

    /// Tells whether none is left.
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Tells how many bytes the items have that are left.
    pub fn bytes(&self) -> usize {
        let lengths = if self.is_lone { 0 } else { self.left.saturating_mul(LENGTH_BYTES) };
        self.bytes.len().saturating_sub(lengths)
    }

    /// Tells how many bytes the next item has.
    pub(crate) fn next_bytes(&self) -> usize {
        self.next_range().map_or(0, |item| item.len())
    }

    /// Takes items off as they stand on the wire: as many as fit into so many bytes with their lengths, up to one that is too long by itself;
    /// none where fewer than two do.
    pub(crate) fn split(&mut self, bytes_max: usize, item_bytes_max: usize) -> Option<Bytes> {
        if self.is_lone {
            return None;
        }
        // As most do: however it is divided, all of it fits.
        if self.left >= 2 && self.bytes.len() <= bytes_max.min(item_bytes_max) {
            self.left = 0;
            return Some(std::mem::take(&mut self.bytes));
        }
        let (mut end, mut count) = (0_usize, 0_usize);
        while let Some(item) = self.bytes.get(end..).and_then(first_item) {
            let next = end.saturating_add(item.end);
            if next > bytes_max || item.len() > item_bytes_max {
                break;
            }
            (end, count) = (next, count.saturating_add(1));
        }
        if count < 2 {
            return None;
        }
        self.left = self.left.saturating_sub(count);
        Some(self.bytes.split_to(end))
    }

    fn next_range(&self) -> Option<Range<usize>> {
        match (self.left, self.is_lone) {
            (0, _) => None,
            (_, true) => Some(0..self.bytes.len()),
            (_, false) => first_item(&self.bytes),
        }
    }
}

impl Iterator for ItemBatch {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let range = self.next_range()?;
        let item = self.bytes.slice(range.clone());
        self.bytes.advance(range.end);
        self.left = self.left.saturating_sub(1);
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

/// Shows the items of a batch one after the other, without copying them or counting references.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    batch: ItemBatch,
    /// Where the last item that was shown ends.
    end: usize,
}

impl Reader {
    pub(crate) fn new(batch: ItemBatch) -> Self {
        Self { batch, end: 0 }
    }

    /// Shows the next item, and what it is a part of.
    pub(crate) fn read(&mut self) -> Option<(&Bytes, &[u8])> {
        let Self { batch, end } = self;
        batch.left = batch.left.checked_sub(1)?;
        let rest = batch.bytes.get(*end..)?;
        let range = if batch.is_lone { 0..rest.len() } else { first_item(rest)? };
        *end = end.saturating_add(range.end);
        Some((&batch.bytes, rest.get(range)?))
    }
}

/// Puts items together, which copies them.
///
/// # Panics
/// Where one has 4 GiB or more: that is over any limit on a message.
impl FromIterator<Bytes> for ItemBatch {
    fn from_iter<I: IntoIterator<Item = Bytes>>(items: I) -> Self {
        let (mut bytes, mut count) = (BytesMut::new(), 0_usize);
        for item in items {
            put_length(&mut bytes, item.len());
            bytes.extend_from_slice(&item);
            count = count.saturating_add(1);
        }
        Self::of(bytes.freeze(), count)
    }
}

/// Counts items that stand one after the other, each behind its length as a u32, and tells how long the longest is; none where that is not
/// what the bytes are, or there are none.
pub(crate) fn measure(bytes: &[u8]) -> Option<(usize, usize)> {
    let (mut rest, mut count, mut longest) = (bytes, 0_usize, 0);
    while !rest.is_empty() {
        let item = first_item(rest)?;
        longest = longest.max(item.len());
        count = count.saturating_add(1);
        rest = rest.get(item.end..)?;
    }
    (count > 0).then_some((count, longest))
}

/// Where the first item stands behind its length.
fn first_item(bytes: &[u8]) -> Option<Range<usize>> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    (length <= rest.len()).then(|| LENGTH_BYTES..LENGTH_BYTES.saturating_add(length))
}

#[cfg(test)]
mod tests;
