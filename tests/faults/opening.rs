//! Connections that are opened slowly, not at all, or in another language.

use std::time::Duration;

use farcall::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::kit::{self, LabClient, soon};
use crate::process::{ServerProcess, Times, comes_true};
use crate::wire::{self, RawPeer, code};

const CONNECTIONS: usize = 1000;

/// Sends an opening a byte at a time until the server ends the connection; tells how much it took.
async fn trickle(mut peer: RawPeer) -> usize {
    let mut taken = 0;
    for byte in wire::HELLO.chunks(1) {
        let mut answer = [0; 64];
        if peer.stream.write_all(byte).await.is_err() {
            return taken;
        }
        taken += 1;
        let ended = tokio::time::timeout(Duration::from_millis(250), peer.stream.read(&mut answer)).await;
        if ended.is_ok_and(|read| matches!(read, Ok(0) | Err(_))) {
            return taken;
        }
    }
    panic!("the server waited for the whole opening");
}

#[tokio::test]
async fn fault_01_a_thousand_openings_that_trickle_are_cut_off_and_leave_nothing() {
    let times = Times { handshake: Duration::from_millis(1500), ..Times::default() };
    let server = ServerProcess::start(times);
    let (lab, ward) = server.clients().await;
    lab.echo("first".into()).await.unwrap();
    let (descriptors, tasks, memory) =
        (server.descriptors(), ward.gauge().await.unwrap().tasks, server.memory_kib());
    server.forget_memory_peak();
    let mut trickling = Vec::new();
    for _ in 0..CONNECTIONS {
        trickling.push(tokio::spawn(trickle(RawPeer::connect(&server.uri).await)));
    }
    comes_true(async || server.descriptors() > descriptors).await;
    assert_eq!(soon(lab.echo("meanwhile".into())).await.unwrap(), "meanwhile");
    for trickle in trickling {
        soon(trickle).await.unwrap();
    }
    comes_true(async || server.descriptors() == descriptors).await;
    comes_true(async || ward.gauge().await.unwrap().tasks == tasks).await;
    let grown = server.memory_peak_kib() - memory;
    println!("{CONNECTIONS} openings that trickle: {grown} KiB at most");
    assert!(grown < 32 << 10, "{grown} KiB for {CONNECTIONS} connections");
}

#[tokio::test]
async fn fault_01_frames_that_trickle_take_no_memory_before_they_come() {
    let server = ServerProcess::start(Times::default());
    let (lab, ward) = server.clients().await;
    let (descriptors, memory) = (server.descriptors(), server.memory_kib());
    server.forget_memory_peak();
    let mut trickling = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut peer = RawPeer::open(&server.uri).await;
        // As long as a frame may be, of which one byte comes.
        let mut start = wire::frame(wire::OPEN, wire::END, wire::id(1, 0), &[0]);
        start[..4].copy_from_slice(&wire::FRAME_BYTES_MAX.to_le_bytes());
        peer.send(&start).await;
        trickling.push(peer);
    }
    assert_eq!(soon(lab.echo("meanwhile".into())).await.unwrap(), "meanwhile");
    let grown = server.memory_peak_kib() - memory;
    println!("{CONNECTIONS} frames that trickle: {grown} KiB at most");
    assert!(grown < 48 << 10, "{grown} KiB for {CONNECTIONS} connections");
    drop(trickling);
    comes_true(async || server.descriptors() == descriptors).await;
    assert_eq!(ward.gauge().await.unwrap().started, 1, "only the echo of this test ran");
}

#[tokio::test(start_paused = true)]
async fn fault_01_a_frame_that_trickles_is_no_sign_of_life() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let mut peer = RawPeer::open(set.server.uri()).await;
    let opened_at = tokio::time::Instant::now();
    let whole = wire::frame(wire::OPEN, wire::END, wire::id(1, 0), &[0; 64 << 10]);
    let (mut reader, mut writer) = peer.stream.split();
    let trickle = async {
        for byte in whole.chunks(1) {
            if writer.write_all(byte).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut said = Vec::new();
    let end = async { tokio::time::timeout(Duration::from_secs(100), reader.read_to_end(&mut said)).await };
    tokio::select! {
        () = trickle => {}
        end = end => drop(end.expect("it is given up")),
    }
    assert_eq!((said[4], said[24 + 4], said[48]), (wire::PING, wire::GOAWAY, code::TIMEOUT as u8));
    assert_eq!(opened_at.elapsed().as_secs(), 50);
}

#[tokio::test]
async fn fault_02_connections_that_say_nothing_are_closed_and_leave_nothing() {
    let times = Times { handshake: Duration::from_millis(300), ..Times::default() };
    let server = ServerProcess::start(times);
    let (lab, ward) = server.clients().await;
    let (descriptors, tasks) = (server.descriptors(), ward.gauge().await.unwrap().tasks);
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(RawPeer::connect(&server.uri).await);
    }
    for mut peer in silent {
        assert!(peer.rest().await.is_empty(), "nothing is said to who says nothing");
    }
    comes_true(async || server.descriptors() == descriptors).await;
    comes_true(async || ward.gauge().await.unwrap().tasks == tasks).await;
    assert_eq!(soon(lab.echo("live".into())).await.unwrap(), "live");
}

#[tokio::test(start_paused = true)]
async fn fault_02_a_connection_that_opens_and_then_says_nothing_is_asked_and_given_up() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let mut peer = RawPeer::open(set.server.uri()).await;
    let opened_at = tokio::time::Instant::now();
    // A minute and more by the clock of the server's defaults, which is longer than other waits here.
    let end = async {
        let mut ping = [0; 24];
        peer.stream.read_exact(&mut ping).await.unwrap();
        assert_eq!((ping[4], opened_at.elapsed().as_secs()), (wire::PING, 30));
        let mut rest = Vec::new();
        peer.stream.read_to_end(&mut rest).await.unwrap();
        rest
    };
    let end = tokio::time::timeout(Duration::from_secs(100), end).await.expect("it is given up");
    assert_eq!((end[4], end[24], opened_at.elapsed().as_secs()), (wire::GOAWAY, code::TIMEOUT as u8, 50));
}

/// An answer that waited for a time-out would not come here: that takes an hour.
#[tokio::test]
async fn fault_51_who_speaks_another_language_is_answered_at_once() {
    let limits = Limits::default().handshake_timeout(Duration::from_secs(3600));
    let set = kit::serve_with("tcp://127.0.0.1:0", |server| server.limits(limits), Limits::default()).await;
    let hello_of_tls = [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &[0; 500]].concat();
    let cases: [(&[u8], &[u8]); 5] = [
        (b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", b"HTTP/1.1 400 Bad Request\r\n"),
        (b"POST /rpc HTTP/1.0\r\n\r\n", b"HTTP/1.1 400 Bad Request\r\n"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"HTTP/1.1 400 Bad Request\r\n"),
        (&hello_of_tls, &[0x15, 3, 3, 0, 2, 2, 70]),
        (b"\x00\x00\x00\x00", b"farcall/"),
    ];
    for (said, answer) in cases {
        let mut peer = RawPeer::connect(set.server.uri()).await;
        peer.send(said).await;
        let rest = peer.rest().await;
        assert!(rest.starts_with(answer), "{said:?} was answered with {}", String::from_utf8_lossy(&rest));
    }
    assert_eq!(soon(set.client.echo("live".into())).await.unwrap(), "live");
}

#[tokio::test]
async fn fault_51_a_client_does_not_wait_for_who_speaks_another_language() {
    let hour = Duration::from_secs(3600);
    for (answer, named) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "speaks HTTP"),
        (&[0x15, 3, 3, 0, 2, 2, 70][..], "speaks TLS"),
        (&b"+OK ready\r\n"[..], "+OK"),
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("tcp://{}", listener.local_addr().unwrap());
        let limits = Limits::default().handshake_timeout(hour);
        let connecting = farcall::Channel::builder(&uri).limits(limits).connect();
        let answering = async {
            let (mut link, _) = listener.accept().await.unwrap();
            link.write_all(answer).await.unwrap();
            // It stays open: what is said there is enough.
            link
        };
        let (error, _link) = soon(async { tokio::join!(connecting, answering) }).await;
        let error = error.expect_err("that is no server of ours");
        assert_eq!(error.kind(), farcall::ErrorKind::Connect);
        assert!(error.to_string().contains(named), "{error}");
    }
    assert!(LabClient::connect("tcp://127.0.0.1:1").await.is_err());
}
