//! Values to bytes and back; what comes out is dropped within the time, or fresh memory would be most of it.

use std::time::Duration;

use bytes::Bytes;
use divan::{Bencher, black_box, counter::BytesCount};
use rpc_core::CodecKind;
use serde::{Deserialize, Serialize};

const CODEC: CodecKind = CodecKind::Postcard;

fn main() {
    divan::Divan::default().min_time(Duration::from_secs(1)).sample_size(64).config_with_args().main();
}

#[derive(Serialize, Deserialize)]
struct User {
    id: u64,
    name: String,
    is_admin: bool,
    quota_bytes: Option<u32>,
}

fn user() -> User {
    User { id: 4_711, name: "Ada Lovelace".to_owned(), is_admin: true, quota_bytes: Some(1 << 20) }
}

fn blob() -> Bytes {
    Bytes::from(vec![7; 64 << 10])
}

#[divan::bench]
fn encode_struct(bencher: Bencher) {
    let user = user();
    bencher.bench_local(|| drop(black_box(CODEC.encode(black_box(&user)).unwrap())));
}

#[divan::bench]
fn decode_struct(bencher: Bencher) {
    let bytes = CODEC.encode(&user()).unwrap();
    bencher.bench_local(|| drop(black_box(CODEC.decode::<User>(black_box(&bytes)).unwrap())));
}

#[divan::bench]
fn encode_64_kib(bencher: Bencher) {
    let blob = blob();
    let bencher = bencher.counter(BytesCount::of_slice(&blob));
    bencher.bench_local(|| drop(black_box(CODEC.encode(black_box(&blob)).unwrap())));
}

#[divan::bench]
fn decode_64_kib(bencher: Bencher) {
    let bytes = CODEC.encode(&blob()).unwrap();
    let bencher = bencher.counter(BytesCount::of_slice(&bytes));
    bencher.bench_local(|| drop(black_box(CODEC.decode::<Bytes>(black_box(&bytes)).unwrap())));
}
