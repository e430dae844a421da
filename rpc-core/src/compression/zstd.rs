//! Zstandard (RFC 8878), of one frame.

use ::zstd::bulk;
use ::zstd::stream::read::Decoder;

use super::Fault;
use super::inflate::{ends, inflate as inflate_from, malformed};

/// The level that the `zstd` command takes too.
const LEVEL: i32 = 3;

/// The smallest and the largest window that the library can be held to, as powers of two.
const WINDOW_LOG_RANGE: (u32, u32) = (10, 31);

pub(super) fn compress(message: &[u8], mut out: Vec<u8>) -> Option<Vec<u8>> {
    // All at once: the frame then says how long the message is, and needs no window that is longer.
    out.extend_from_slice(&bulk::compress(message, LEVEL).ok()?);
    Some(out)
}

pub(super) fn inflate(compressed: &[u8], bytes_max: usize) -> Result<Vec<u8>, Fault> {
    // What the frame says of its length is not believed, but it is enough to refuse it.
    if ::zstd::decompressed_size(compressed).is_some_and(|bytes| bytes > bytes_max as u64) {
        return Err(Fault::TooLong);
    }
    let mut decoder = Decoder::with_buffer(compressed).map_err(malformed)?.single_frame();
    // Without this the frame says how much memory the window takes, up to 128 MiB.
    decoder.window_log_max(window_log(bytes_max)).map_err(malformed)?;
    let message = inflate_from(&mut decoder, bytes_max)?;
    ends(decoder.finish())?;
    Ok(message)
}

/// The window that a message of so many bytes may need.
fn window_log(bytes: usize) -> u32 {
    let (min, max) = WINDOW_LOG_RANGE;
    bytes.checked_next_power_of_two().map_or(max, usize::ilog2).clamp(min, max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_as_long_as_the_longest_message() {
        assert_eq!(window_log(4 << 20), 22);
        assert_eq!(window_log((4 << 20) + 1), 23);
        assert_eq!(window_log(0), 10);
        assert_eq!(window_log(usize::MAX), 31);
    }
}
