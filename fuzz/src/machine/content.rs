//! Configurations, lengths and bodies.

use std::collections::VecDeque;
use std::sync::OnceLock;

use bytes::Bytes;
use rpc_core::ItemBatch;
use rpc_core::connection::Config;
use rpc_core::wire::Settings;

use crate::source::Source;

/// Calls that a peer may have open at once in this target at most.
pub(super) const CALLS_MAX: u32 = 8;
/// What is kept for a peer at most.
pub(super) const BUFFER_BYTES_MAX: u32 = 64 << 10;
/// The longest message that is taken in this target.
pub(super) const MESSAGE_BYTES_MAX: u32 = 64 << 10;

pub(super) fn config(source: &mut Source<'_>) -> Config {
    let mut config = Config::default();
    config.settings = settings(source);
    config.chunk_bytes = source.choose(&[16 << 10, 64, 700, 4096, 1 << 20]);
    config.buffer_bytes_max = source.choose(&[BUFFER_BYTES_MAX, 0, 1000, 10_000]);
    config
}

pub(super) fn settings(source: &mut Source<'_>) -> Settings {
    let mut settings = Settings::default();
    settings.codecs = vec![1];
    settings.calls_max = source.choose(&[CALLS_MAX, 1, 2, 4]);
    settings.message_bytes_max = source.choose(&[MESSAGE_BYTES_MAX, 2000, 12 << 10]);
    settings.frame_bytes_max = source.choose(&[64 << 10, 16 << 10]);
    settings.metadata_bytes_max = source.choose(&[1000, 0, 20]);
    settings.stream_window_bytes = source.choose(&[64 << 10, 1024, 1500, 4096]);
    settings.connection_window_bytes = source.choose(&[64 << 10, 1024, 2048, 16 << 10]);
    settings
}

/// Chooses the length of a message: around the limits of parts and windows, and more often short.
pub(super) fn length(source: &mut Source<'_>) -> usize {
    source.choose(&[0, 1, 7, 30, 30, 40, 100, 256, 257, 600, 1023, 1100, 4000, 9000, 16 << 10, 40_000])
}

/// Hands items over to be sent: together, or each by itself.
pub(super) fn queue(batch: Vec<Bytes>, is_together: bool, unsent: &mut VecDeque<ItemBatch>) {
    if is_together {
        unsent.push_back(batch.into_iter().collect());
    } else {
        unsent.extend(batch.into_iter().map(ItemBatch::one));
    }
}

/// Tells how many items have not been sent.
pub(super) fn left(unsent: &VecDeque<ItemBatch>) -> usize {
    unsent.iter().map(ItemBatch::len).sum()
}

/// Which body is meant, so that each has bytes of its own.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Arguments,
    Result,
    RequestItem(usize),
    ReplyItem(usize),
}

pub(super) fn body(call: usize, part: Part, length: usize) -> Bytes {
    static NOISE: OnceLock<Bytes> = OnceLock::new();
    let noise = NOISE.get_or_init(|| {
        let mut rng = fastrand::Rng::with_seed(1);
        (0..64 << 10).map(|_| rng.u8(..)).collect()
    });
    let offset = match part {
        Part::Arguments => 0,
        Part::Result => 1,
        Part::RequestItem(index) => 2 + 2 * index,
        Part::ReplyItem(index) => 3 + 2 * index,
    };
    let start = (call * 257 + offset * 31) % 8192;
    noise.slice(start..start + length)
}
