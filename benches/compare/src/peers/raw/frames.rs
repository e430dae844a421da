//! Finds the messages in what is read.

use anyhow::{Result, ensure};
use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// A length and a kind.
pub const HEADER_BYTES: usize = 5;
const READ_BYTES_MIN: usize = 4 << 10;
const READ_BYTES_MAX: usize = 256 << 10;

/// What was read and not yet taken.
#[derive(Default)]
pub struct Frames {
    buffer: BytesMut,
    read_bytes: usize,
}

impl Frames {
    /// Reads once, waiting for bytes; cancelling it loses none.
    pub async fn read(&mut self, reader: &mut (impl AsyncRead + Unpin)) -> Result<()> {
        // An idle connection keeps little; a busy one reads much at once; a large message finds its room at once.
        let missing = frame_bytes(&self.buffer).map_or(0, |bytes| bytes.saturating_sub(self.buffer.len()));
        self.read_bytes = self.read_bytes.clamp(READ_BYTES_MIN, READ_BYTES_MAX);
        if self.buffer.capacity() - self.buffer.len() < missing.max(self.read_bytes / 2) {
            self.buffer.reserve(missing.max(self.read_bytes));
        }
        let room = self.buffer.capacity() - self.buffer.len();
        let read = reader.read_buf(&mut self.buffer).await?;
        ensure!(read > 0, "the peer closed the connection");
        if read == room {
            self.read_bytes *= 2;
        }
        Ok(())
    }

    /// Returns the kind of the first message.
    pub fn first_kind(&self) -> Option<u8> {
        self.buffer.get(HEADER_BYTES - 1).copied()
    }

    /// Takes all messages that are whole.
    pub fn take_whole(&mut self) -> BytesMut {
        let end = each(&self.buffer).map(<[u8]>::len).sum();
        self.buffer.split_to(end)
    }
}

/// Returns each message that is whole, with its header.
pub fn each(mut buffer: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (frame, rest) = buffer.split_at_checked(frame_bytes(buffer)?)?;
        buffer = rest;
        Some(frame)
    })
}

fn frame_bytes(mut buffer: &[u8]) -> Option<usize> {
    (buffer.len() >= HEADER_BYTES).then(|| HEADER_BYTES + buffer.get_u32() as usize)
}
