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

    /// Returns the size of the first message with its header, 0 where that is not known yet.
    pub fn first_bytes(&self) -> usize {
        frame_bytes(&self.buffer).unwrap_or(0)
    }

    /// Takes the next message that is whole, with its header.
    pub fn next(&mut self) -> Option<BytesMut> {
        let bytes = frame_bytes(&self.buffer).filter(|bytes| *bytes <= self.buffer.len())?;
        Some(self.buffer.split_to(bytes))
    }

    /// Takes all that are whole, in one piece.
    pub fn take_whole(&mut self) -> BytesMut {
        let mut end = 0;
        while let Some(bytes) =
            frame_bytes(&self.buffer[end..]).filter(|bytes| end + bytes <= self.buffer.len())
        {
            end += bytes;
        }
        self.buffer.split_to(end)
    }
}

fn frame_bytes(mut buffer: &[u8]) -> Option<usize> {
    (buffer.len() >= HEADER_BYTES).then(|| HEADER_BYTES + buffer.get_u32() as usize)
}
