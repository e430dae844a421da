//! The first few of many, without keeping the many.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Keeps those with the greatest keys.
pub(super) struct Top<K, T> {
    kept: BinaryHeap<Reverse<Ranked<K, T>>>,
    max: usize,
    left_out: u64,
}

struct Ranked<K, T> {
    key: K,
    value: T,
}

impl<K: Ord, T> Top<K, T> {
    pub(super) fn new(max: usize) -> Self {
        Self { kept: BinaryHeap::new(), max, left_out: 0 }
    }

    pub(super) fn add(&mut self, key: K, value: T) {
        self.kept.push(Reverse(Ranked { key, value }));
        if self.kept.len() > self.max {
            self.kept.pop();
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    pub(super) const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Returns them with the greatest key first.
    pub(super) fn into_sorted(self) -> impl Iterator<Item = (K, T)> {
        self.kept.into_sorted_vec().into_iter().map(|Reverse(Ranked { key, value })| (key, value))
    }
}

impl<K: Ord, T> Ord for Ranked<K, T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

impl<K: Ord, T> PartialOrd for Ranked<K, T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<K: Ord, T> PartialEq for Ranked<K, T> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<K: Ord, T> Eq for Ranked<K, T> {}

#[cfg(test)]
mod tests {
    use super::Top;

    #[test]
    fn the_greatest_are_kept_and_the_others_counted() {
        let mut top = Top::new(3);
        for key in [4, 9, 1, 7, 7, 2] {
            top.add(key, key * 10);
        }
        assert_eq!(top.left_out(), 3);
        assert_eq!(top.into_sorted().collect::<Vec<_>>(), [(9, 90), (7, 70), (7, 70)]);
    }
}
