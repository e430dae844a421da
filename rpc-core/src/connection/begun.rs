//! A frame of which a part has come.

use std::time::Instant;

use bytes::BytesMut;

use super::{CloseCode, Connection, Fatal, FrameHeader};
use crate::wire::HEADER_BYTES;

/// So much room is made for a frame before anything of it has come.
const PREPAID_BYTES: usize = 64 << 10;
/// So much more of a frame is a sign of life.
const LIFE_BYTES: usize = 64 << 10;
/// From so much of a frame on, there is room for all of it.
const EARNED_BYTES: usize = 32 << 10;

/// The frame that has begun.
#[derive(Debug, Default)]
pub(super) struct Begun {
    /// How much of it is still to come.
    missing_bytes: usize,
    /// How much of it had come when that was last taken for a sign of life.
    heard_bytes: usize,
}

impl Connection {
    /// Makes room for the rest of the frame that has begun.
    pub(super) fn make_room(&mut self, input: &mut BytesMut, now: Instant) -> Result<(), Fatal> {
        self.begun.missing_bytes = 0;
        let Some((raw, rest)) = input.split_first_chunk::<HEADER_BYTES>() else { return Ok(()) };
        let bytes = FrameHeader::parse(raw).bytes;
        // Held against the limit before anything is reserved for it.
        let bytes_max = self.config.settings.frame_bytes_max;
        if bytes > bytes_max {
            let text = format!("a frame of {bytes} bytes came; frame_bytes_max here is {bytes_max}");
            return Err(Fatal::new(CloseCode::FrameTooLarge, text));
        }
        let (here, missing) = (rest.len(), (bytes as usize).saturating_sub(rest.len()));
        self.begun.missing_bytes = missing;
        self.hear_a_part(here, now);
        // Who has sent a good part of a long frame gets room for the rest; a length alone gets little.
        input.reserve(if here >= EARNED_BYTES { missing } else { missing.min(PREPAID_BYTES) });
        Ok(())
    }

    /// A good part of a long frame is as much a sign of life as a short frame (rule K1).
    fn hear_a_part(&mut self, here: usize, now: Instant) {
        if here < self.begun.heard_bytes {
            self.begun.heard_bytes = 0;
        }
        if here.saturating_sub(self.begun.heard_bytes) >= LIFE_BYTES {
            self.begun.heard_bytes = here;
            self.heard_at = now;
            if self.silent {
                self.hears_again(now);
            }
        }
    }

    /// Returns how many bytes are still to come of the frame that has begun, as far as [`receive`](Self::receive) has seen: reads of just that
    /// leave a long frame in memory of its own.
    pub fn missing_bytes(&self) -> usize {
        self.begun.missing_bytes
    }
}
