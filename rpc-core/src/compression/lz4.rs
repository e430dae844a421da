//! LZ4: the length of the message as u32, and one block.

use lz4_flex::block::{compress_into, decompress_into, get_maximum_output_size};

use super::Fault;

/// A byte of a block stands for at most 255 of the message.
const RATIO_MAX: usize = 255;

pub(super) fn compress(message: &[u8], mut out: Vec<u8>) -> Option<Vec<u8>> {
    out.extend_from_slice(&u32::try_from(message.len()).ok()?.to_le_bytes());
    let start = out.len();
    out.resize(start.saturating_add(get_maximum_output_size(message.len())), 0);
    let written = compress_into(message, out.get_mut(start..)?).ok()?;
    out.truncate(start.saturating_add(written));
    Some(out)
}

pub(super) fn inflate(compressed: &[u8], bytes_max: usize) -> Result<Vec<u8>, Fault> {
    let Some((length, block)) = compressed.split_first_chunk() else {
        return Err(Fault::Malformed("it has no length".into()));
    };
    let bytes = u32::from_le_bytes(*length) as usize;
    if bytes > bytes_max {
        return Err(Fault::TooLong);
    }
    // What is said of the length is believed as far as the block can be that long: memory is taken in proportion to what has come.
    if bytes > block.len().saturating_mul(RATIO_MAX) {
        return Err(Fault::Malformed("its block cannot be as long as it says".into()));
    }
    let mut message = vec![0; bytes];
    match decompress_into(block, &mut message) {
        Ok(written) if written == bytes => Ok(message),
        Ok(written) => Err(Fault::Malformed(format!("it says {bytes} bytes and holds {written}").into())),
        Err(error) => Err(Fault::Malformed(error.to_string().into())),
    }
}
