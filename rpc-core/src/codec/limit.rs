//! Bounds on what is decoded.

/// Bounds on decoding, which hold for every codec.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DecodeLimits {
    /// How deep values may be nested. Default: 128.
    pub depth_max: u32,
    /// How many elements of sequences and maps a message may hold beyond one for each of its bytes. Default: 65,536.
    pub free_elements_max: u64,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self { depth_max: 128, free_elements_max: 65_536 }
    }
}
