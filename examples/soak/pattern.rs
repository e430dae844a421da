//! Bytes that tell whose they are: what arrives is compared with what was sent without keeping that.

use bytes::Bytes;

const WORD: usize = size_of::<u64>();

/// Returns the bytes that belong to an owner; each eight of them depend on the owner and on where they stand.
pub(crate) fn bytes_of(owner: u64, length: usize) -> Bytes {
    let mut bytes = Vec::with_capacity(length);
    let mut words = words_of(owner);
    while bytes.len() < length {
        let word = words.next().unwrap_or_default().to_le_bytes();
        bytes.extend_from_slice(&word[..WORD.min(length - bytes.len())]);
    }
    bytes.into()
}

/// Tells what is wrong with bytes that should be so many of this owner.
pub(crate) fn check(bytes: &[u8], owner: u64, length: usize) -> Result<(), String> {
    if bytes.len() != length {
        return Err(format!("{} bytes came in place of {length}", bytes.len()));
    }
    for (index, (part, word)) in bytes.chunks(WORD).zip(words_of(owner)).enumerate() {
        let expected = word.to_le_bytes();
        if part != &expected[..part.len()] {
            let at = index * WORD;
            return Err(format!("at byte {at} of {length} stands {part:02x?} in place of {expected:02x?}"));
        }
    }
    Ok(())
}

fn words_of(owner: u64) -> impl Iterator<Item = u64> {
    // The golden ratio, as in splitmix64: neighbouring owners share no word.
    let step = owner.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (1..).map(move |place: u64| place.wrapping_mul(step) ^ (step >> 31))
}
