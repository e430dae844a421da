//! What was read and has not been taken yet, and how much is read at once.

use bytes::{BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// An idle connection keeps no more than this to read into.
const READ_BYTES_MIN: usize = 512;
/// A busy one reads so much at once: more makes no fewer system calls that count, and memory that the system gives page by page.
const READ_BYTES_MAX: usize = 64 * 1024;
/// A longer frame is read by itself, so that nothing small shares its memory and keeps it.
const LONG_FRAME_BYTES: usize = 2 * READ_BYTES_MAX;

/// The buffer that a connection reads into.
pub(crate) struct Input {
    pub(crate) bytes: BytesMut,
    /// How much is read at once: little at first, twice as much each time that a read fills it.
    ///
    /// Kept beside the buffer, which does not tell: messages that are still held share its memory, and it goes on with other memory then.
    read_bytes: usize,
    /// How much is still to come of the frame that has begun; there is room for it, or will be.
    pub(crate) missing_bytes: usize,
    /// The buffer is that of a long frame.
    is_long: bool,
}

impl Input {
    pub(crate) fn new() -> Self {
        Self {
            bytes: BytesMut::with_capacity(READ_BYTES_MIN),
            read_bytes: READ_BYTES_MIN,
            missing_bytes: 0,
            is_long: false,
        }
    }

    /// Reads once; none at the end of the link.
    ///
    /// # Cancel safety
    /// It can be dropped at any time; nothing is lost.
    pub(crate) async fn read_from(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> std::io::Result<usize> {
        let (missing, spare) = (self.missing_bytes, self.bytes.spare_capacity_mut().len());
        if missing > 0 && self.bytes.len().saturating_add(missing) > LONG_FRAME_BYTES && spare > 0 {
            self.is_long = true;
            let bytes = stream.read_buf(&mut (&mut self.bytes).limit(missing)).await?;
            self.missing_bytes = missing.saturating_sub(bytes);
            return Ok(bytes);
        }
        if std::mem::take(&mut self.is_long) {
            // Not read into again, however free it is: whatever came next, and be it a byte, would keep all of it.
            let mut fresh = BytesMut::with_capacity(self.bytes.len().saturating_add(self.read_bytes));
            fresh.extend_from_slice(&self.bytes);
            self.bytes = fresh;
        } else if spare < self.read_bytes / 2 {
            self.bytes.reserve(self.read_bytes);
        }
        let bytes = stream.read_buf(&mut self.bytes).await?;
        if self.bytes.len() == self.bytes.capacity() {
            self.read_bytes = self.read_bytes.saturating_mul(2).min(READ_BYTES_MAX);
        }
        Ok(bytes)
    }

    /// Gives memory back that a burst has taken; a busy connection, which comes here once in a while too, takes it again.
    pub(crate) fn shrink(&mut self) {
        self.read_bytes = READ_BYTES_MIN;
        if self.bytes.is_empty() {
            *self = Self::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reads_grow_with_what_comes_and_shrink_again() {
        let mut input = Input::new();
        let mut stream = tokio::io::repeat(7);
        let mut messages = Vec::new();
        for bytes in [512, 1024, 2048, 4096, 8192, 16384, 32768, READ_BYTES_MAX, READ_BYTES_MAX] {
            assert_eq!(input.read_from(&mut stream).await.unwrap(), bytes);
            // Held, so that the next read needs other memory.
            messages.push(input.bytes.split().freeze());
        }
        input.shrink();
        assert_eq!(input.bytes.capacity(), READ_BYTES_MIN);
    }

    #[tokio::test]
    async fn a_long_frame_is_read_by_itself() {
        let mut input = Input::new();
        let mut stream = tokio::io::repeat(7);
        input.read_from(&mut stream).await.unwrap();
        let rest = LONG_FRAME_BYTES;
        (input.missing_bytes, input.read_bytes) = (rest, READ_BYTES_MAX);
        input.bytes.reserve(rest);
        while input.missing_bytes > 0 {
            input.read_from(&mut stream).await.unwrap();
        }
        assert_eq!(input.bytes.len(), 512 + rest, "nothing that follows it is read with it");
        input.bytes.clear();
        input.read_from(&mut stream).await.unwrap();
        assert!(input.bytes.capacity() <= READ_BYTES_MAX, "what follows it has memory of its own");
    }

    #[tokio::test]
    async fn a_buffer_that_shrinks_keeps_what_was_read() {
        let mut input = Input::new();
        input.read_from(&mut &b"half a frame"[..]).await.unwrap();
        input.shrink();
        assert_eq!(&input.bytes[..], b"half a frame");
    }
}
