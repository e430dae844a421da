//! Inputs by chance: one of the corpus with a few changes, or bytes without a structure.

use std::ops::Range;

use fastrand::Rng;

/// Makes inputs, the same ones for the same seed and corpus.
pub(crate) struct Mutator {
    rng: Rng,
    corpus: Vec<Vec<u8>>,
    bytes_max: usize,
    input: Vec<u8>,
}

/// Bytes that mean more than others: ends of ranges, and the frame kinds and flags.
const INTERESTING: [u8; 14] = [0, 1, 2, 3, 4, 5, 8, 16, 32, 0x7f, 0x80, 0xfe, 0xff, b'"'];

impl Mutator {
    pub(crate) fn new(seed: u64, corpus: Vec<Vec<u8>>, bytes_max: usize) -> Self {
        Self { rng: Rng::with_seed(seed), corpus, bytes_max, input: Vec::new() }
    }

    /// Makes the next input.
    pub(crate) fn next(&mut self) -> &[u8] {
        self.input.clear();
        if self.corpus.is_empty() || self.rng.u8(..16) == 0 {
            let count = self.rng.usize(..64.min(self.bytes_max));
            self.input.extend((0..count).map(|_| self.rng.u8(..)));
        } else {
            self.input.extend_from_slice(&self.corpus[self.rng.usize(..self.corpus.len())]);
            for _ in 0..1 << self.rng.u8(..5) {
                self.change();
            }
        }
        self.input.truncate(self.bytes_max);
        &self.input
    }

    fn change(&mut self) {
        let at = self.rng.usize(..=self.input.len());
        let range = self.range(self.input.len());
        match self.rng.u8(..8) {
            0 | 1 if at < self.input.len() => self.input[at] ^= 1 << self.rng.u8(..8),
            2 if at < self.input.len() => self.input[at] = self.rng.u8(..),
            3 if at < self.input.len() => self.input[at] = self.interesting(),
            4 => drop(self.input.splice(range, [])),
            5 => {
                let part = self.input[range].to_vec();
                drop(self.input.splice(at..at, part));
            }
            6 if !self.corpus.is_empty() => {
                let index = self.rng.usize(..self.corpus.len());
                let part = self.range(self.corpus[index].len());
                drop(self.input.splice(range, self.corpus[index][part].iter().copied()));
            }
            _ => {
                let bytes = [self.interesting(), self.rng.u8(..)];
                drop(self.input.splice(at..at, bytes.into_iter().take(1 + at % 2)));
            }
        }
    }

    fn interesting(&mut self) -> u8 {
        INTERESTING[self.rng.usize(..INTERESTING.len())]
    }

    /// Chooses a part of so many bytes, more often a short one.
    fn range(&mut self, bytes: usize) -> Range<usize> {
        let start = self.rng.usize(..=bytes);
        let longest = (bytes - start).min(1 << self.rng.u8(..9));
        start..start + self.rng.usize(..=longest)
    }
}
