//! gzip (RFC 1952), of one member.

use std::io::Write;

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;

use super::Fault;
use super::inflate::{ends, inflate as inflate_from};

/// The level that the `gzip` command takes too.
const LEVEL: u32 = 6;

pub(super) fn compress(message: &[u8], out: Vec<u8>) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(out, Compression::new(LEVEL));
    encoder.write_all(message).and_then(|()| encoder.finish()).ok()
}

pub(super) fn inflate(compressed: &[u8], bytes_max: usize) -> Result<Vec<u8>, Fault> {
    let mut decoder = GzDecoder::new(compressed);
    let message = inflate_from(&mut decoder, bytes_max)?;
    ends(decoder.into_inner())?;
    Ok(message)
}
