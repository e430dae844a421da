//! Peers that ask and do not read.

use std::time::Duration;

use tokio::io::AsyncWriteExt;

use crate::kit::soon;
use crate::process::{ServerProcess, Times, comes_true};
use crate::wire::{self, RawPeer};

/// Asks for answers without reading any, until the server takes no more or closes; tells how many it asked for.
async fn ask_and_read_nothing(peer: &mut RawPeer) -> u64 {
    peer.send(wire::HELLO).await;
    for sequence in 1.. {
        let call = wire::open(sequence, "Lab/echo", &wire::text(15_000));
        let written = tokio::time::timeout(Duration::from_millis(200), peer.stream.write_all(&call)).await;
        if !written.is_ok_and(|written| written.is_ok()) {
            return sequence;
        }
    }
    unreachable!("there is an end to it");
}

const READERS: usize = 8;

#[tokio::test]
async fn fault_25_peers_that_read_nothing_take_a_bounded_buffer_each_and_end_at_the_write_timeout() {
    let server = ServerProcess::start(Times { write: Duration::from_secs(2), ..Times::default() });
    let (lab, ward) = server.clients().await;
    lab.echo("first".into()).await.unwrap();
    let (descriptors, tasks) = (server.descriptors(), ward.gauge().await.unwrap().tasks);
    let memory = server.memory_kib();
    server.forget_memory_peak();
    let mut readers = Vec::new();
    for _ in 0..READERS {
        readers.push(RawPeer::connect_narrowly(&server.uri).await);
    }
    futures::future::join_all(readers.iter_mut().map(ask_and_read_nothing)).await;
    assert_eq!(soon(lab.echo("meanwhile".into())).await.unwrap(), "meanwhile");
    comes_true(async || server.descriptors() == descriptors).await;
    let grown = server.memory_peak_kib() - memory;
    println!("{READERS} peers that read nothing: {grown} KiB at most");
    // What a server leaves unwritten before it reads no further is 4 MiB; what was read then is answered too.
    assert!(grown < READERS as u64 * (8 << 10), "{grown} KiB for {READERS} peers");
    comes_true(async || ward.gauge().await.unwrap().tasks == tasks).await;
    let gauge = ward.gauge().await.unwrap();
    assert_eq!(gauge.started, gauge.dropped);
}

#[tokio::test]
async fn fault_25_streams_that_nobody_reads_take_their_window_each() {
    let server = ServerProcess::start(Times::default());
    let (lab, _) = server.clients().await;
    lab.echo("first".into()).await.unwrap();
    let memory = server.memory_kib();
    server.forget_memory_peak();
    let mut unread = Vec::new();
    for _ in 0..READERS {
        let mut peer = RawPeer::connect_narrowly(&server.uri).await;
        // The windows are as wide as can be asked for: 1 GiB a call, and 1 GiB together.
        let gib = (1_u32 << 30).to_le_bytes();
        let windows = [&[5, 0, 4, 0][..], &gib, &[6, 0, 4, 0], &gib].concat();
        let hello = [&b"farcall/\x01\x00"[..], &(windows.len() as u16).to_le_bytes(), &windows].concat();
        peer.send(&hello).await;
        let floods = (1..=100).flat_map(|sequence| wire::open(sequence, "Lab/flood", b""));
        peer.send(&floods.collect::<Vec<_>>()).await;
        unread.push(peer);
    }
    for _ in 0..200 {
        assert_eq!(soon(lab.echo("meanwhile".into())).await.unwrap(), "meanwhile");
    }
    let grown = server.memory_peak_kib() - memory;
    println!("{} streams that nobody reads: {grown} KiB", READERS * 100);
    // A batch of 512 items each at most, and what one connection gathers to write.
    assert!(grown < 800 * 128, "{grown} KiB for {READERS} peers");
    let counted = server.descriptors();
    drop(unread);
    comes_true(async || server.descriptors() == counted - READERS).await;
}
