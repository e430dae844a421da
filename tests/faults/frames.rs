//! Frames that are cut off, too long, or do not fit together.

use crate::kit::{self, Set, soon};
use crate::process::{ServerProcess, Times, comes_true, tasks};
use crate::wire::{self, FRAME_BYTES_MAX, RawPeer, call, code, frame, id, open};

async fn server() -> Set {
    kit::serve_on("tcp://127.0.0.1:0").await
}

async fn still_serves(set: &Set) {
    assert_eq!(soon(set.client.echo("live".into())).await.unwrap(), "live");
}

#[tokio::test]
async fn fault_05_a_reset_within_a_request_runs_no_handler_and_leaves_nothing() {
    let set = server().await;
    let at_rest = tasks();
    let whole = open(1, "Lab/hang", b"");
    let in_parts = wire::open_in_parts(1, "Lab/blob", &wire::text(100_000));
    for bytes in
        [&whole[..1], &whole[..16], &whole[..whole.len() - 1], &in_parts[..50_000], &in_parts[..99_000]]
    {
        let mut peer = RawPeer::open(set.server.uri()).await;
        peer.send(bytes).await;
        comes_true(async || tasks() > at_rest).await;
        peer.reset();
        comes_true(async || tasks() == at_rest).await;
    }
    assert_eq!(set.probe.counts().started, 0);
    still_serves(&set).await;
}

#[tokio::test]
async fn fault_07_a_caller_that_has_sent_all_gets_a_large_answer_whole() {
    let set = server().await;
    let mut peer = RawPeer::open(set.server.uri()).await;
    let arguments = wire::text(60_000);
    peer.send(&open(1, "Lab/echo", &arguments)).await;
    tokio::io::AsyncWriteExt::shutdown(&mut peer.stream).await.unwrap();
    let mut answer = peer.next(wire::REPLY).await.content;
    assert_eq!(answer[..4], (arguments.len() as u32).to_le_bytes(), "the length of the whole");
    answer.drain(..4);
    while let Some(frame) = peer.frame().await {
        assert_eq!((frame.kind, frame.id), (wire::DATA, id(1, 1)));
        answer.extend(frame.content);
    }
    assert!(answer == arguments);
}

#[tokio::test]
async fn fault_08_declared_length_is_refused_before_allocating() {
    let server = ServerProcess::start(Times::default());
    let (lab, ward) = server.clients().await;
    lab.echo("first".into()).await.unwrap();
    let memory = server.memory_kib();
    server.forget_memory_peak();
    for kind in [wire::OPEN, wire::DATA, wire::PING, 200] {
        for length in [FRAME_BYTES_MAX + 1, 1 << 24, 1 << 31, u32::MAX] {
            let mut peer = RawPeer::open(&server.uri).await;
            let mut header = frame(kind, wire::END, id(1, 0), b"");
            header[..4].copy_from_slice(&length.to_le_bytes());
            peer.send(&header).await;
            let (code, reason) = peer.farewell().await;
            assert_eq!(code, code::FRAME_TOO_LARGE);
            assert_eq!(
                reason,
                format!("a frame of {length} bytes came; frame_bytes_max here is {FRAME_BYTES_MAX}")
            );
        }
    }
    let grown = server.memory_peak_kib() - memory;
    assert!(grown < 4 << 10, "{grown} KiB were taken");
    assert_eq!(ward.gauge().await.unwrap().started, 1, "only the echo of this test ran");
}

#[tokio::test]
async fn fault_08_a_declared_message_is_refused_before_allocating_and_its_connection_lives() {
    let server = ServerProcess::start(Times::default());
    let (_, ward) = server.clients().await;
    let mut peer = RawPeer::open(&server.uri).await;
    let memory = server.memory_kib();
    server.forget_memory_peak();
    for (sequence, total) in [(1, (4 << 20) + 1), (2, 1 << 31), (3, u32::MAX)] {
        let content = call("Lab/blob", &[&total.to_le_bytes()[..], b"start"].concat());
        peer.send(&frame(wire::OPEN, wire::MORE, id(sequence, 0), &content)).await;
        let (code, message) = peer.next(wire::STATUS).await.status();
        assert_eq!(code, code::RESOURCE_EXHAUSTED);
        let text = "is over the server's limit of 4194304 (message_bytes): send less, or raise it there";
        assert_eq!(message, format!("a message of {total} bytes {text}"));
    }
    // Within the limit, a thousand are announced; room is made for as many as fit into the buffer.
    for sequence in 1001..2000 {
        let content = call("Lab/blob", &[&(4_u32 << 20).to_le_bytes()[..], b"start"].concat());
        peer.send(&frame(wire::OPEN, wire::MORE, id(sequence, sequence - 1000), &content)).await;
    }
    peer.send(&open(2000, "Lab/echo", &wire::text(5))).await;
    peer.next(wire::REPLY).await;
    let grown = server.memory_peak_kib() - memory;
    println!("999 messages of 4 MiB announced: {grown} KiB");
    assert!(grown < 16 << 10, "{grown} KiB were taken");
    assert_eq!(ward.gauge().await.unwrap().started, 1, "only the echo of this test ran");
}

#[tokio::test]
async fn fault_09_the_longest_message_is_answered_and_one_byte_more_ends_its_call_only() {
    let limits = farcall::Limits::default().message_bytes(50_000);
    let set =
        kit::serve_with("tcp://127.0.0.1:0", |server| server.limits(limits), farcall::Limits::default());
    let set = set.await;
    let mut peer = RawPeer::open(set.server.uri()).await;
    peer.send(&open(1, "Lab/hang", b"")).await;
    set.probe.wait(|counts| counts.started == 1).await;
    // The length of the text takes three bytes.
    peer.send(&wire::open_in_parts(2, "Lab/echo", &wire::text(49_997))).await;
    let reply = peer.next(wire::REPLY).await;
    assert_eq!(reply.content[..4], 50_000_u32.to_le_bytes());
    peer.send(&wire::open_in_parts(3, "Lab/echo", &wire::text(49_998))).await;
    peer.send(&open(4, "Lab/echo", &wire::text(49_998))).await;
    for sequence in [id(3, 0), id(4, 4)] {
        let status = peer.next(wire::STATUS).await;
        assert_eq!((status.id, status.status().0), (sequence, code::RESOURCE_EXHAUSTED));
    }
    peer.send(&open(5, "Lab/echo", &wire::text(3))).await;
    assert_eq!(peer.next(wire::REPLY).await.content, b"\x03xxx");
    let counts = set.probe.counts();
    assert_eq!((counts.started, counts.dropped), (3, 2), "the call beside them goes on");
}

#[tokio::test]
async fn fault_10_an_inner_length_past_the_frame_closes_the_connection_and_runs_nothing() {
    let set = server().await;
    let (long, beyond) = (u32::MAX.to_le_bytes(), 6_u32.to_le_bytes());
    let cases: [(u8, u8, Vec<u8>); 7] = [
        (wire::OPEN, wire::END, b"seven b".to_vec()),
        (wire::OPEN, wire::END | wire::DEADLINE, call("Lab/hang", b"seven b")),
        (wire::OPEN, wire::END | wire::METADATA, call("Lab/hang", &long)),
        (wire::OPEN, wire::END | wire::METADATA, call("Lab/hang", &[&beyond[..], b"short"].concat())),
        (wire::OPEN, wire::MORE, call("Lab/hang", b"abc")),
        (wire::RESET, 0, vec![1]),
        (wire::GOAWAY, 0, vec![0; 9]),
    ];
    for (kind, flags, content) in cases {
        let mut peer = RawPeer::open(set.server.uri()).await;
        peer.send(&frame(kind, flags, id(1, 0), &content)).await;
        assert_eq!(peer.farewell().await.0, code::PROTOCOL, "{kind} with {content:?}");
    }
    assert_eq!(set.probe.counts().started, 0);
    still_serves(&set).await;
}

#[tokio::test]
async fn fault_11_numbers_that_are_too_long_fail_their_call_and_run_nothing() {
    let set = server().await;
    let mut peer = RawPeer::open(set.server.uri()).await;
    let eleven = [vec![0x80; 10], vec![0]].concat();
    let too_great = [vec![0xff; 9], vec![0x02]].concat();
    let endless = vec![0xff; 5];
    for (sequence, arguments) in (1..).zip([eleven, too_great, endless]) {
        peer.send(&open(sequence, "Lab/echo", &arguments)).await;
        let (code, message) = peer.next(wire::STATUS).await.status();
        assert_eq!(code, code::INVALID_ARGUMENT, "{message}");
        assert!(message.contains("Lab/echo"), "{message}");
    }
    assert_eq!(set.probe.counts().started, 0);
    // Postcard lets a number have more bytes than it needs, within the bytes of its type.
    peer.send(&open(9, "Lab/echo", &[0x81, 0x00, b'a'])).await;
    assert_eq!(peer.next(wire::REPLY).await.content, b"\x01a");
}

/// An opening, two calls, one of them with metadata and a deadline, and a ping.
fn right_conversation() -> Vec<u8> {
    let entry = [&[0, 1, 0, 1, 0, 0, 0][..], b"kv"].concat();
    let minute = 60_000_000_u64.to_le_bytes();
    let head = [&minute[..], &(entry.len() as u32).to_le_bytes(), &entry, b"\x02hi"].concat();
    let flags = wire::END | wire::DEADLINE | wire::METADATA;
    [
        wire::HELLO.to_vec(),
        open(1, "Lab/echo", b"\x05hello"),
        frame(wire::OPEN, flags, id(2, 2), &call("Lab/echo", &head)),
        frame(wire::PING, 0, 0, b"12345678"),
    ]
    .concat()
}

/// Sends bytes and no more, and gives all that comes back.
async fn answer_to(set: &Set, bytes: &[u8]) -> Vec<u8> {
    let mut peer = RawPeer::connect(set.server.uri()).await;
    peer.send(bytes).await;
    let _ = tokio::io::AsyncWriteExt::shutdown(&mut peer.stream).await;
    peer.rest().await
}

#[tokio::test]
async fn fault_12_any_one_bit_and_any_cut_of_a_conversation_is_survived() {
    let set = server().await;
    let at_rest = tasks();
    let right = right_conversation();
    for at in 0..right.len() {
        answer_to(&set, &right[..at]).await;
        for bit in 0..8 {
            let mut wrong = right.clone();
            wrong[at] ^= 1 << bit;
            answer_to(&set, &wrong).await;
        }
    }
    let counts = set.probe.wait(|counts| counts.started == counts.dropped).await;
    assert!(counts.started > right.len() as u64, "most of it was right");
    comes_true(async || tasks() == at_rest).await;
    still_serves(&set).await;
}

/// What a server sent, cut up: which of several answers leaves first is nobody's business.
fn sorted_frames(bytes: &[u8]) -> Vec<&[u8]> {
    let settings = usize::from(u16::from_le_bytes([bytes[10], bytes[11]]));
    let (opening, mut rest) = bytes.split_at(12 + settings);
    let mut frames = vec![opening];
    while let Some(length) = rest.first_chunk() {
        let (frame, next) = rest.split_at(16 + u32::from_le_bytes(*length) as usize);
        frames.push(frame);
        rest = next;
    }
    frames.sort_unstable();
    frames
}

#[tokio::test]
async fn fault_13_a_peer_that_sends_a_byte_at_a_time_gets_the_same_answers() {
    let set = server().await;
    let right = right_conversation();
    let whole = answer_to(&set, &right).await;
    let mut peer = RawPeer::connect(set.server.uri()).await;
    peer.stream.set_nodelay(true).unwrap();
    for byte in right.chunks(1) {
        peer.send(byte).await;
        tokio::task::yield_now().await;
    }
    tokio::io::AsyncWriteExt::shutdown(&mut peer.stream).await.unwrap();
    let sliced = peer.rest().await;
    let (whole, sliced) = (sorted_frames(&whole), sorted_frames(&sliced));
    assert_eq!(whole.len(), 4, "an opening, two answers and a sign of life");
    assert_eq!(sliced, whole);
}
