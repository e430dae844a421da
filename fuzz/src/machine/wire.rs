//! What a machine writes, as an onlooker reads it.

use bytes::{Buf, BytesMut};
use rpc_core::wire::{CloseCode, FrameHeader, FrameKind, HEADER_BYTES, Hello, StreamId};

/// Reads all that one machine writes, and keeps its accounts.
#[derive(Default)]
pub(super) struct Onlooker {
    unread: BytesMut,
    has_opened: bool,
    has_closed: bool,
    /// What its DATA frames have cost.
    pub(super) spent: u64,
    /// What it has granted on the connection.
    pub(super) granted: u64,
}

impl Onlooker {
    /// Reads on; no frame is longer than the receiver takes, and none follows the farewell (rules F2 and G5).
    pub(super) fn read(&mut self, bytes: &[u8], frame_bytes_max: u32) {
        self.unread.extend_from_slice(bytes);
        if !self.has_opened {
            self.has_opened = Hello::parse(&mut self.unread).expect("a machine opens rightly").is_some();
        }
        while self.has_opened
            && let Some(raw) = self.unread.first_chunk::<HEADER_BYTES>()
        {
            let header = FrameHeader::parse(raw);
            assert!(header.bytes <= frame_bytes_max, "a frame of {} bytes is sent", header.bytes);
            let bytes = HEADER_BYTES + header.bytes as usize;
            if self.unread.len() < bytes {
                return;
            }
            let frame = self.unread.split_to(bytes);
            self.read_frame(header, &frame[HEADER_BYTES..]);
        }
    }

    fn read_frame(&mut self, header: FrameHeader, mut content: &[u8]) {
        assert!(!self.has_closed, "{header:?} follows the farewell");
        match header.kind.expect("a machine sends frames of known kinds") {
            FrameKind::Data => self.spent += (HEADER_BYTES + content.len()) as u64,
            FrameKind::Credit if header.id == StreamId::CONNECTION => {
                self.granted += u64::from(content.get_u32_le());
            }
            FrameKind::GoAway => {
                content.advance(8);
                self.has_closed = CloseCode::from_u16(content.get_u16_le()) != CloseCode::Shutdown;
            }
            _ => {}
        }
    }

    /// Tells whether it has written whole frames only.
    pub(super) fn has_read_all(&self) -> bool {
        self.unread.is_empty()
    }
}
