//! Frame headers, which every message has.

use std::time::Duration;

use divan::black_box;
use rpc_core::wire::{Flags, FrameHeader, FrameKind, HEADER_BYTES, StreamId};

fn main() {
    divan::Divan::default().min_time(Duration::from_secs(1)).sample_size(4096).config_with_args().main();
}

fn header() -> FrameHeader {
    FrameHeader::new(FrameKind::Open, StreamId::new(4_711, 7, false), 64).with_flags(Flags::END).with_codec(1)
}

#[divan::bench]
fn encode_header() -> [u8; HEADER_BYTES] {
    black_box(header()).to_bytes()
}

#[divan::bench]
fn decode_header() -> FrameHeader {
    FrameHeader::parse(black_box(&header().to_bytes()))
}
