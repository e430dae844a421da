//! What a peer may do as often as it likes, and what it may not.

use std::time::Duration;

use farcall::{Channel, Limits};
use tokio::net::TcpListener;

use crate::kit::{self, LabClient, Set, soon};
use crate::process::{comes_true, tasks};
use crate::wire::{self, RawPeer, call, code, frame, id};

async fn server() -> Set {
    kit::serve_on("tcp://127.0.0.1:0").await
}

const CANCELLED: [u8; 2] = [1, 0];

/// Calls a neighbour in turn with what a flood does, until the flood is over.
async fn neighbour_is_served_meanwhile<F: Future>(set: &Set, flood: F) -> F::Output {
    let mut flood = std::pin::pin!(flood);
    let both = async {
        loop {
            tokio::select! {
                output = &mut flood => return output,
                echo = set.client.echo("live".into()) => assert_eq!(echo.unwrap(), "live"),
            }
        }
    };
    soon(both).await
}

#[tokio::test]
async fn fault_20_rapid_resets_run_few_handlers_and_close_their_connection() {
    let set = server().await;
    let at_rest = tasks();
    let mut peer = RawPeer::open(set.server.uri()).await;
    let mut bytes = Vec::new();
    for sequence in 1..20_000 {
        bytes.extend(frame(wire::OPEN, wire::END, id(sequence, 0), &call("Lab/hang", b"")));
        bytes.extend(frame(wire::RESET, 0, id(sequence, 0), &CANCELLED));
    }
    let flood = async {
        let (mut reader, mut writer) = peer.stream.split();
        // The server stops reading half way.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut writer, &bytes).await;
        let mut answer = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut reader, &mut answer).await;
        answer
    };
    let answer = neighbour_is_served_meanwhile(&set, flood).await;
    assert_eq!((answer[4], answer[24]), (wire::GOAWAY, code::TOO_MANY_RESETS as u8));
    assert!(String::from_utf8_lossy(&answer).contains("opened only to be cancelled"));
    comes_true(async || tasks() == at_rest).await;
    let counts = set.probe.wait(|counts| counts.started == counts.dropped).await;
    // Twice the calls that may be in flight, what comes back meanwhile, and the neighbour's own.
    assert!(counts.started < 10_000, "{} handlers were started", counts.started);
    assert_eq!(soon(set.client.echo("live".into())).await.unwrap(), "live");
}

#[tokio::test]
async fn fault_21_cancels_of_calls_that_have_ended_close_the_connection_in_the_end() {
    let set = server().await;
    let mut peer = RawPeer::open(set.server.uri()).await;
    peer.send(&frame(wire::OPEN, wire::END, id(1, 0), &call("Lab/echo", b"\x02ok"))).await;
    peer.next(wire::REPLY).await;
    // As many as an honest client may come to are ignored.
    peer.send(&frame(wire::RESET, 0, id(1, 0), &CANCELLED).repeat(2000)).await;
    peer.send(&frame(wire::OPEN, wire::END, id(2, 0), &call("Lab/echo", b"\x02ok"))).await;
    peer.next(wire::REPLY).await;
    let flood = async {
        let cancels = frame(wire::RESET, 0, id(1, 0), &CANCELLED).repeat(1000);
        while tokio::io::AsyncWriteExt::write_all(&mut peer.stream, &cancels).await.is_ok() {}
    };
    neighbour_is_served_meanwhile(&set, flood).await;
    let mut peer = RawPeer::open(set.server.uri()).await;
    peer.send(&frame(wire::RESET, 0, id(1, 0), &CANCELLED)).await;
    assert_eq!(peer.farewell().await.0, code::PROTOCOL, "a call that never was cannot be cancelled");
}

#[tokio::test]
async fn fault_21_a_flood_of_cancels_is_told_why() {
    let set = server().await;
    let mut peer = RawPeer::open(set.server.uri()).await;
    peer.send(&frame(wire::OPEN, wire::END, id(1, 0), &call("Lab/echo", b"\x02ok"))).await;
    peer.next(wire::REPLY).await;
    peer.send(&frame(wire::RESET, 0, id(1, 0), &CANCELLED).repeat(20_000)).await;
    let (code, reason) = peer.farewell().await;
    assert_eq!(
        (code, &reason[..]),
        (code::TOO_MANY_RESETS, "too many calls were opened only to be cancelled")
    );
}

#[tokio::test]
async fn fault_22_calls_that_are_refused_without_end_close_the_connection() {
    let set = server().await;
    let mut peer = RawPeer::open(set.server.uri()).await;
    let opens = (1..20_000).map(|n| frame(wire::OPEN, wire::END, id(n, 2000), &call("Lab/hang", b"")));
    let opens: Vec<u8> = opens.flatten().collect();
    let flood = async {
        let (mut reader, mut writer) = peer.stream.split();
        let mut answer = Vec::new();
        let (_, _) = tokio::join!(
            tokio::io::AsyncWriteExt::write_all(&mut writer, &opens),
            tokio::io::AsyncReadExt::read_to_end(&mut reader, &mut answer)
        );
        answer
    };
    let answer = neighbour_is_served_meanwhile(&set, flood).await;
    assert!(String::from_utf8_lossy(&answer).contains("too many calls came that had to be refused"));
    let counts = set.probe.wait(|counts| counts.started == counts.dropped).await;
    assert_eq!(counts.started, counts.dropped, "of those that were refused none ran");
}

#[tokio::test]
async fn fault_23_the_eleventh_ping_in_a_row_closes_the_connection() {
    let set = server().await;
    let mut peer = RawPeer::open(set.server.uri()).await;
    peer.send(&frame(wire::PING, 0, 0, b"12345678").repeat(10)).await;
    for _ in 0..10 {
        let pong = peer.frame().await.unwrap();
        assert_eq!((pong.kind, &pong.content[..]), (8, &b"12345678"[..]));
    }
    peer.send(&frame(wire::PING, 0, 0, b"12345678").repeat(1000)).await;
    let (code, reason) = peer.farewell().await;
    assert_eq!(
        (code, &reason[..]),
        (code::TOO_MANY_PINGS, "pings came more often than agreed (ping_interval_min)")
    );
    assert_eq!(soon(set.client.echo("live".into())).await.unwrap(), "live");
}

/// Proves rule K7.
#[tokio::test(start_paused = true)]
async fn fault_23_a_client_that_pings_too_often_for_its_server_does_so_half_as_often() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("tcp://{}", listener.local_addr().unwrap());
    let limits = Limits::default().ping_interval(Duration::from_secs(5));
    let channel = Channel::builder(uri).limits(limits).lazy().unwrap();
    for seconds in [5, 10] {
        let call = tokio::spawn(LabClient::new(channel.clone()).echo("x".into()));
        let mut peer = RawPeer::accept(&listener).await;
        let id = peer.next(wire::OPEN).await.id;
        peer.send(&frame(wire::REPLY, wire::END, id, b"\x01x")).await;
        soon(call).await.unwrap().unwrap();
        let answered_at = tokio::time::Instant::now();
        peer.next(wire::PING).await;
        assert_eq!(answered_at.elapsed().as_secs(), seconds);
        let farewell = [&0_u64.to_le_bytes()[..], &code::TOO_MANY_PINGS.to_le_bytes()].concat();
        peer.send(&frame(wire::GOAWAY, 0, 0, &farewell)).await;
        // The client has heard it once its side ends.
        peer.rest().await;
    }
}

/// Metadata of so many empty entries, with keys of so many bytes.
fn metadata(entries: usize, key_bytes: usize) -> Vec<u8> {
    let mut raw = Vec::new();
    for entry in 0..entries {
        raw.extend([0, key_bytes as u8, (key_bytes >> 8) as u8, 0, 0, 0, 0]);
        let number = entry.to_string();
        raw.extend("0".repeat(key_bytes - number.len()).as_bytes());
        raw.extend(number.as_bytes());
    }
    [&(raw.len() as u32).to_le_bytes()[..], &raw].concat()
}

#[tokio::test]
async fn fault_24_floods_of_metadata_run_nothing() {
    let set = server().await;
    let open = |sequence, metadata: Vec<u8>| {
        let flags = wire::END | wire::METADATA;
        frame(wire::OPEN, flags, id(sequence, 0), &call("Lab/hang", &metadata))
    };
    let mut peer = RawPeer::open(set.server.uri()).await;
    for (sequence, entries, key_bytes, expected) in [
        (1, 1025, 9, code::RESOURCE_EXHAUSTED),
        (2, 3000, 9, code::RESOURCE_EXHAUSTED),
        (3, 1, 257, code::INVALID_ARGUMENT),
        (4, 1, 60_000, code::RESOURCE_EXHAUSTED),
        (5, 100_000, 6, code::RESOURCE_EXHAUSTED),
        (6, 1, 1 << 20, code::RESOURCE_EXHAUSTED),
    ] {
        peer.send(&open(sequence, metadata(entries, key_bytes))).await;
        let (code, message) = peer.next(wire::STATUS).await.status();
        assert_eq!(code, expected, "{entries} keys of {key_bytes} bytes: {message}");
    }
    // This does not fit into a frame.
    let mut other = RawPeer::open(set.server.uri()).await;
    let _ = tokio::io::AsyncWriteExt::write_all(&mut other.stream, &open(1, metadata(1, 5 << 20))).await;
    assert_eq!(other.farewell().await.0, code::FRAME_TOO_LARGE);
    assert_eq!(set.probe.counts().started, 0);
    // The first connection lives.
    peer.send(&frame(wire::OPEN, wire::END, id(7, 0), &call("Lab/echo", b"\x02ok"))).await;
    peer.next(wire::REPLY).await;
}
