//! Reads what a decompressor gives, as far as the limit.

use std::io::{Error, Read};

use super::Fault;

/// The memory that is taken at first: more comes with what has been read.
const FIRST_BYTES: usize = 16 * 1024;

/// Reads to the end, in pieces that grow with what is there: so a few bytes that stand for many take memory as those come, and not more
/// than the limit beside as much for the last time that it grows.
pub(super) fn inflate(mut from: impl Read, bytes_max: usize) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    // One byte more than may be: where that comes too, it is too long.
    let mut left = bytes_max.saturating_add(1);
    let mut piece = FIRST_BYTES.min(left);
    while left > 0 {
        out.reserve_exact(piece);
        let read = from.by_ref().take(piece as u64).read_to_end(&mut out).map_err(malformed)?;
        if read < piece {
            return Ok(out);
        }
        left = left.saturating_sub(read);
        piece = out.len().min(left);
    }
    Err(Fault::TooLong)
}

pub(super) fn malformed(error: Error) -> Fault {
    Fault::Malformed(error.into())
}

/// Holds where all that was compressed has been read.
pub(super) fn ends(rest: &[u8]) -> Result<(), Fault> {
    match rest {
        [] => Ok(()),
        rest => Err(Fault::Malformed(format!("{} bytes follow its end", rest.len()).into())),
    }
}
