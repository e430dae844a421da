//! Few bytes that are said to stand for many, and bytes that no compressor wrote.

use std::io::{Read, Write};

use farcall::{ErrorKind, Fate};
use tokio::net::TcpListener;

use crate::kit::{LabClient, soon};
use crate::process::{ServerProcess, Times};
use crate::wire::{self, RawPeer, code, frame, id};

/// The flag of messages that say how they are compressed.
const COMPRESSED: u8 = 128;

const GZIP: u8 = 1;
const ZSTD: u8 = 2;
const LZ4: u8 = 3;

/// The limit on messages.
const MESSAGE_BYTES_MAX: usize = 4 << 20;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(vec![GZIP], flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A frame that does not say how long it is.
fn zstd(zeros: u64) -> Vec<u8> {
    [vec![ZSTD], zstd::stream::encode_all(std::io::repeat(0).take(zeros), 3).unwrap()].concat()
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    [vec![LZ4], lz4_flex::block::compress_prepend_size(bytes)].concat()
}

/// A call whose arguments are compressed, or said to be.
fn open(sequence: u64, arguments: &[u8]) -> Vec<u8> {
    let head = [&farcall::MethodId::hash("Lab", "echo").as_u64().to_le_bytes()[..], arguments].concat();
    frame(wire::OPEN, wire::END | COMPRESSED, id(sequence, 0), &head)
}

async fn refused(peer: &mut RawPeer, sequence: u64, arguments: &[u8]) -> (u16, String) {
    peer.send(&open(sequence, arguments)).await;
    peer.next(wire::STATUS).await.status()
}

#[tokio::test]
async fn fault_14_bombs_are_refused_at_the_limit_in_bounded_memory_and_time() {
    let over = MESSAGE_BYTES_MAX + 1;
    // The first says how long it is and is not believed: 4 GiB in 40 bytes.
    let lies = [&[LZ4][..], &u32::MAX.to_le_bytes(), &[0; 36]].concat();
    let bombs = [lies, gzip(&vec![0; over]), zstd(32 << 20), lz4(&vec![0; over])];
    let server = ServerProcess::start(Times::default());
    let (lab, ward) = server.clients().await;
    assert_eq!(soon(lab.echo("live".into())).await.unwrap(), "live");
    let started = ward.gauge().await.unwrap().started;
    let mut peer = RawPeer::open(&server.uri).await;
    let (memory, ticks) = (server.memory_kib(), server.processor_ticks());
    server.forget_memory_peak();
    for (sequence, bomb) in (1..).zip(&bombs) {
        assert!(bomb.len() < 32 << 10, "{} bytes are no bomb", bomb.len());
        let (code, message) = refused(&mut peer, sequence, bomb).await;
        assert_eq!(code, code::RESOURCE_EXHAUSTED, "{message}");
        assert!(message.contains("over the receiver's limit of 4194304"), "{message}");
    }
    let grown = server.memory_peak_kib().saturating_sub(memory);
    assert!(grown < 3 * MESSAGE_BYTES_MAX as u64 / 1024, "{grown} KiB were taken");
    // In hundredths of a second, unoptimised.
    assert!(server.processor_ticks() - ticks < 200, "{} ticks", server.processor_ticks() - ticks);
    assert_eq!(ward.gauge().await.unwrap().started, started);
    assert_eq!(soon(lab.echo("live".into())).await.unwrap(), "live");
}

#[tokio::test]
async fn fault_14_what_is_compressed_twice_is_inflated_once() {
    let server = ServerProcess::start(Times::default());
    let (lab, _) = server.clients().await;
    let mut peer = RawPeer::open(&server.uri).await;
    soon(lab.echo("live".into())).await.unwrap();
    let memory = server.memory_kib();
    server.forget_memory_peak();
    let inner = zstd(128 << 20);
    let outer = gzip(&inner);
    assert!(outer.len() * 10 < inner.len(), "{} and {}", outer.len(), inner.len());
    let (code, message) = refused(&mut peer, 1, &outer).await;
    assert_eq!(code, code::INVALID_ARGUMENT, "{message}");
    assert!(message.contains("the arguments of Lab/echo cannot be decoded"), "{message}");
    let grown = server.memory_peak_kib().saturating_sub(memory);
    assert!(grown < 2 << 10, "{grown} KiB were taken");
}

#[tokio::test]
async fn fault_14_a_window_larger_than_the_limit_is_refused_before_it_is_taken() {
    let server = ServerProcess::start(Times::default());
    let (lab, _) = server.clients().await;
    let mut peer = RawPeer::open(&server.uri).await;
    soon(lab.echo("live".into())).await.unwrap();
    let memory = server.memory_kib();
    server.forget_memory_peak();
    // A window of 128 MiB, and a block of one byte.
    let frame = b"\x02\x28\xb5\x2f\xfd\x00\x88\x09\x00\x00x";
    let (code, message) = refused(&mut peer, 1, frame).await;
    assert_eq!(code, code::INVALID_ARGUMENT);
    assert!(message.contains("too much memory"), "{message}");
    let grown = server.memory_peak_kib().saturating_sub(memory);
    assert!(grown < 1 << 10, "{grown} KiB were taken");
}

#[tokio::test]
async fn fault_14_an_item_that_is_a_bomb_ends_its_call_and_the_connection_lives() {
    let server = ServerProcess::start(Times::default());
    let mut peer = RawPeer::open(&server.uri).await;
    let method = farcall::MethodId::hash("Lab", "sum").as_u64().to_le_bytes();
    peer.send(&frame(wire::OPEN, COMPRESSED, id(1, 0), &[&method[..], b"\0\x01"].concat())).await;
    peer.send(&frame(wire::DATA, 0, id(1, 0), b"\0\x02")).await;
    peer.send(&frame(wire::DATA, 0, id(1, 0), &zstd(32 << 20))).await;
    let (code, message) = peer.next(wire::STATUS).await.status();
    assert_eq!(code, code::RESOURCE_EXHAUSTED, "{message}");
    let (code, _) = refused(&mut peer, 2, &[77]).await;
    assert_eq!(code, code::UNIMPLEMENTED, "the connection lives");
}

#[tokio::test]
async fn fault_15_an_unknown_compressor_is_unimplemented_and_runs_nothing() {
    let server = ServerProcess::start(Times::default());
    let (_, ward) = server.clients().await;
    let mut peer = RawPeer::open(&server.uri).await;
    let started = ward.gauge().await.unwrap().started;
    for (sequence, number) in (1..).zip([4, 77, 255]) {
        let (code, message) = refused(&mut peer, sequence, &[number, 2, b'o', b'k']).await;
        assert_eq!(code, code::UNIMPLEMENTED);
        let listed = format!("compressor {number} is not known here; known are gzip, zstd, lz4");
        assert_eq!(message, listed);
    }
    assert_eq!(refused(&mut peer, 9, b"").await.0, code::INVALID_ARGUMENT);
    assert_eq!(ward.gauge().await.unwrap().started, started);
    peer.send(&open(10, b"\0\x02ok")).await;
    assert_eq!(peer.next(wire::REPLY).await.content, b"\x02ok", "it did not say that it knows compressors");
}

#[tokio::test]
async fn fault_14_fault_15_an_answer_that_cannot_be_inflated_is_an_error_at_the_caller() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("tcp://{}", listener.local_addr().unwrap());
    let (client, mut peer) = tokio::join!(LabClient::connect(&uri), RawPeer::accept(&listener));
    let client = client.unwrap();
    let cases = [
        (zstd(32 << 20), ErrorKind::LimitExceeded, "over the receiver's limit of 4194304"),
        (vec![77, 1], ErrorKind::Decode, "known are gzip, zstd, lz4"),
        (vec![GZIP, 1], ErrorKind::Decode, "is not what gzip writes"),
    ];
    for (answer, kind, text) in cases {
        let call = tokio::spawn(client.echo("x".into()));
        let open = peer.next(wire::OPEN).await;
        peer.send(&frame(wire::REPLY, wire::END | COMPRESSED, open.id, &answer)).await;
        let error = soon(call).await.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.fate()), (kind, Fate::Failed), "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
    let call = tokio::spawn(client.echo("y".into()));
    let open = peer.next(wire::OPEN).await;
    peer.send(&frame(wire::REPLY, wire::END, open.id, b"\x02ok")).await;
    assert_eq!(soon(call).await.unwrap().unwrap(), "ok", "the connection lives");
}
