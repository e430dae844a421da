//! The content of a frame, before it is known whether it is kept.

use std::ops::Deref;

use bytes::{Buf, Bytes};

/// The content of a frame, at the front of what was read; it is gone from there once this is dropped.
///
/// What is copied or parsed at once is read where it is: bytes that are kept keep the whole read in memory, and the next read needs other
/// memory then.
pub(super) struct Payload<'i> {
    input: &'i mut Bytes,
    bytes: usize,
}

impl<'i> Payload<'i> {
    /// Stands for the first bytes of `input`, which are there.
    pub(super) fn new(input: &'i mut Bytes, bytes: usize) -> Self {
        Self { input, bytes }
    }

    /// Shares the memory of the read.
    pub(super) fn take(mut self) -> Bytes {
        self.input.split_to(std::mem::take(&mut self.bytes))
    }
}

impl Deref for Payload<'_> {
    type Target = [u8];

    #[expect(
        clippy::indexing_slicing,
        reason = "they are there, and nobody else can take them off meanwhile"
    )]
    fn deref(&self) -> &[u8] {
        &self.input[..self.bytes]
    }
}

impl Drop for Payload<'_> {
    fn drop(&mut self) {
        self.input.advance(self.bytes);
    }
}
