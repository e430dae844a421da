//! Rules P1 to P10 and P17, on the golden vectors: what frames hold, written by one end and read by the other.

use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

use super::kit::{
    CREDIT, DATA, END, End, F_DEADLINE, F_END, F_ITEMS, F_METADATA, F_MORE, F_REPLY_TIMES, F_TIMES, FIRST,
    FRAMES, GOAWAY, METADATA, OPEN, PING, PONG, REPLY, RESET, frame, open, part, vector, vectors,
};
use crate::connection::{Config, OpenCall, OpenError, Reply, Side, Times};
use crate::metadata::Value;
use crate::timeline::Sent;
use crate::wire::{CloseCode, Settings, decode_metadata, encode_metadata, metadata_bytes};
use crate::{Code, ErrorKind, Fate, Metadata, MethodId, ServerTimes, Status, deadline_after};

fn tenant() -> Metadata {
    let mut metadata = Metadata::new();
    metadata.insert("tenant", "a1");
    metadata
}

fn two_entries() -> Metadata {
    let mut metadata = tenant();
    metadata.propagate("k-bin", &[0xff, 0][..]);
    metadata
}

fn in_small_parts(side: Side) -> End {
    let config = Config { chunk_bytes: 4, ..Config::default() };
    End::open_with(side, config, Settings::default())
}

fn reply_of(client: &mut End) -> Reply {
    match client.reply(crate::wire::StreamId::from_u64(FIRST)) {
        Poll::Ready(Ok(reply)) => reply,
        other => panic!("a reply was expected, and not {other:?}"),
    }
}

#[test]
fn rule_p1_p2_p4_p20_an_open_is_written_and_read_to_the_byte() {
    let (none, one, two) = (Metadata::new(), tenant(), two_entries());
    let method = MethodId::hash("Greeter", "greet");
    let ada = |metadata| OpenCall::new(method, 1, Bytes::from_static(b"\x03Ada"), metadata);
    let timeout = Some(Duration::from_millis(1500));
    let json = Bytes::from_static(b"{\"name\":\"Ada\"}");
    let packed_ada = Bytes::from_static(b"\0\x03Ada");
    let calls = [
        ("open", ada(&none)),
        ("open_metadata", ada(&two)),
        ("open_deadline", OpenCall { timeout, ..ada(&none) }),
        ("open_all", OpenCall { timeout, oneway: true, ..OpenCall::new(method, 2, json, &one) }),
        ("open_items", OpenCall { items: true, ..ada(&none) }),
        ("open_compressed", OpenCall { compressed: true, ..OpenCall::new(method, 1, packed_ada, &none) }),
    ];
    for (name, call) in calls {
        let (metadata, message, codec) = (call.metadata.clone(), call.message.clone(), call.codec);
        let (timeout, items, oneway, compressed) = (call.timeout, call.items, call.oneway, call.compressed);
        let mut client = End::client();
        client.machine.open(&call).unwrap();
        assert_eq!(client.told(), vector(FRAMES, name), "{name}");
        let mut server = End::server();
        server.hears(&vector(FRAMES, name));
        let read = server.taken();
        assert_eq!((read.id.as_u64(), read.method, read.codec), (FIRST, method, codec), "{name}");
        assert_eq!((read.timeout, read.metadata, read.message), (timeout, metadata, message), "{name}");
        assert_eq!((read.items, read.oneway, read.compressed), (items, oneway, compressed), "{name}");
    }
}

#[test]
fn rule_p2_a_deadline_of_any_size_is_clamped() {
    let mut server = End::server();
    let content = [&7_u64.to_le_bytes()[..], &u64::MAX.to_le_bytes()].concat();
    server.hears(&frame(OPEN, F_END | F_DEADLINE, FIRST, &content));
    let timeout = server.taken().timeout.unwrap();
    let (now, year) = (Instant::now(), Duration::from_secs(365 * 24 * 60 * 60));
    assert_eq!(deadline_after(now, timeout), now + year);
    assert_eq!(deadline_after(now, year - Duration::from_micros(1)), now + year - Duration::from_micros(1));
    assert_eq!(deadline_after(now, Duration::ZERO), now);
}

#[test]
fn rule_p3_p20_a_reply_is_written_and_read_to_the_byte() {
    let ok = || Reply::new(1, Bytes::from_static(b"\x0bHello, Ada!"));
    let packed = Bytes::from_static(b"\0\x0bHello, Ada!");
    let replies = [
        ("reply", ok()),
        ("reply_failed", Reply { failed: true, ..Reply::new(1, Bytes::from_static(b"\x01\x00")) }),
        ("reply_metadata", Reply { metadata: tenant(), ..ok() }),
        ("reply_items", Reply { items: true, ..Reply::new(1, Bytes::new()) }),
        ("reply_compressed", Reply { compressed: true, ..Reply::new(1, packed) }),
    ];
    for (name, reply) in replies {
        let (metadata, message) = (reply.metadata.clone(), reply.message.clone());
        let (failed, items, compressed) = (reply.failed, reply.items, reply.compressed);
        let (mut server, id) = End::called();
        server.machine.reply(id, &reply);
        assert_eq!(server.told(), vector(FRAMES, name), "{name}");
        let (mut client, _) = End::calling();
        client.hears(&vector(FRAMES, name));
        let read = reply_of(&mut client);
        assert_eq!((read.codec, read.metadata, read.message), (1, metadata, message), "{name}");
        assert_eq!((read.failed, read.items, read.compressed), (failed, items, compressed), "{name}");
    }
}

#[test]
fn rule_p4_metadata_is_written_and_read_to_the_byte() {
    let all = vectors(METADATA).into_iter().filter(|(name, _)| !name.starts_with("refused_"));
    for (name, bytes) in all {
        let metadata = decode_metadata(Bytes::from(bytes.clone()).slice(4..)).unwrap();
        assert_eq!(metadata_bytes(&metadata), bytes.len() - 4, "{name}");
        let mut out = BytesMut::new();
        encode_metadata(&metadata, &mut out);
        let is_ours = name != "unknown_entry_flags";
        assert_eq!(*out == *bytes, is_ours, "{name}");
    }
    let several = decode_metadata(Bytes::from(vector(METADATA, "several")).slice(4..)).unwrap();
    let entries: Vec<_> = several.iter().map(|entry| (entry.key(), entry.propagates())).collect();
    assert_eq!(entries, [("tenant", false), ("k-bin", true), ("z", false)]);
    let values: Vec<_> = several.iter().map(|entry| entry.value().clone()).collect();
    assert_eq!(values, [Value::from("a1"), Value::from(&[0xff, 0][..]), Value::from("26")]);
}

#[test]
fn rule_p5_metadata_that_cannot_be_ends_the_call_or_the_connection() {
    let refused: Vec<_> =
        vectors(METADATA).into_iter().filter(|(name, _)| name.starts_with("refused_")).collect();
    assert_eq!(refused.len(), 9);
    for (name, bytes) in refused {
        let mut server = End::server();
        let content = [&7_u64.to_le_bytes()[..], &bytes].concat();
        server.hears(&frame(OPEN, F_END | F_METADATA, FIRST, &content));
        let answer = server.frame();
        assert_eq!((answer.kind, &answer.content[..2]), (END, &[3, 0][..]), "{name}");
        assert!(server.machine.poll_event().is_none(), "{name}");
        let (mut client, _) = End::calling();
        assert_eq!(
            client.faults(&frame(REPLY, F_END | F_METADATA, FIRST, &bytes)),
            CloseCode::Protocol,
            "{name}"
        );
    }
}

#[test]
fn rule_p6_a_long_message_is_cut_and_put_together_to_the_byte() {
    let mut client = in_small_parts(Side::Client);
    let metadata = Metadata::new();
    let call =
        OpenCall::new(MethodId::hash("Greeter", "greet"), 1, Bytes::from_static(b"\x08Ada Love"), &metadata);
    client.machine.open(&call).unwrap();
    let names = ["open_first_part", "data_middle_part", "data_last_part"];
    let bytes: Vec<_> = names.iter().flat_map(|name| vector(FRAMES, name)).collect();
    assert_eq!(client.told(), bytes);
    let mut server = in_small_parts(Side::Server);
    server.hears(&bytes);
    let call = server.taken();
    assert_eq!((&*call.message, call.items), (&b"\x08Ada Love"[..], false));
    server
        .machine
        .reply(call.id, &Reply { items: true, ..Reply::new(1, Bytes::from_static(b"\x0bHello, Ada!")) });
    let told = server.told();
    assert!(told.starts_with(&vector(FRAMES, "reply_first_part")));
    client.hears(&told);
    assert_eq!(&*reply_of(&mut client).message, b"\x0bHello, Ada!");
    server.sends(call.id, [Bytes::from_static(b"\x05abcde")]);
    let told = server.told();
    assert!(told.starts_with(&vector(FRAMES, "data_item_first_part")));
    client.hears(&told);
    assert_eq!(client.items(call.id).0, [&b"\x05abcde"[..]]);
}

#[test]
fn rule_p23_items_travel_together() {
    let (mut server, id) = End::called();
    server.machine.reply(id, &Reply { items: true, ..Reply::new(1, Bytes::new()) });
    server.told();
    let items = [&b"\x2a"[..], b"", b"\x2b\x2c"].map(Bytes::from_static);
    let mut batches = [items.clone().into_iter().collect()].into();
    let _ = server.machine.poll_send_items(id, &mut Context::from_waker(Waker::noop()), &mut batches);
    assert_eq!(server.told(), vector(FRAMES, "data_items"));

    let (mut client, id) = End::calling();
    client.hears(&vector(FRAMES, "reply_items"));
    reply_of(&mut client);
    client.hears(&vector(FRAMES, "data_items"));
    assert_eq!(client.items(id).0, items);

    let beyond_the_frame = part(3, b"ab");
    let cut_off = [&part(1, b"a")[..], &[1, 0, 0]].concat();
    let too_much = [part(1, b"a"), part(9, b"a")].concat();
    for (flags, content) in
        [(0, &beyond_the_frame[..]), (0, &cut_off), (0, &too_much), (0, b""), (F_MORE, &part(1, b"a"))]
    {
        let (mut client, _) = End::calling();
        client.hears(&vector(FRAMES, "reply_items"));
        assert_eq!(client.faults(&frame(DATA, F_ITEMS | flags, FIRST, content)), CloseCode::Protocol);
    }
}

#[test]
fn an_item_among_others_is_held_against_the_limit() {
    let settings = Settings { message_bytes_max: 100, ..Settings::default() };
    let config = Config { settings, ..Config::default() };
    let mut client = End::open_with(Side::Client, config, Settings::default());
    let id = client.opens(false, Bytes::new());
    client.told();
    client.hears(&vector(FRAMES, "reply_items"));
    reply_of(&mut client);
    client.hears(&frame(DATA, F_ITEMS, FIRST, &[part(100, &[1; 100]), part(100, &[1; 100])].concat()));
    assert_eq!(client.items(id).0.len(), 2);
    client.hears(&frame(DATA, F_ITEMS, FIRST, &[part(1, b"a"), part(101, &[1; 101])].concat()));
    assert!(
        matches!(client.items(id).1, Poll::Ready(Err(error)) if error.kind() == ErrorKind::LimitExceeded)
    );
}

#[test]
fn rule_p7_parts_add_up_to_what_was_announced() {
    let first = open(F_MORE, FIRST, &part(9, b"1234"));
    let wrong = [
        vec![open(F_MORE, FIRST, &part(4, b"1234"))],
        vec![open(F_MORE | F_END, FIRST, &part(9, b"1234"))],
        vec![first.clone(), frame(DATA, 0, FIRST, b"5678")],
        vec![first.clone(), frame(DATA, F_MORE, FIRST, b"56789")],
        vec![first.clone(), frame(DATA, F_MORE, FIRST, b"567890")],
        vec![first.clone(), frame(DATA, F_MORE | F_END, FIRST, b"5678")],
    ];
    for frames in wrong {
        let mut server = End::server();
        assert_eq!(server.faults(&frames.concat()), CloseCode::Protocol, "{frames:?}");
    }
    let mut server = End::server();
    server.hears(&first);
    server.hears(&frame(DATA, F_MORE, FIRST, b""));
    server.hears(&frame(DATA, 0, FIRST, b"56789"));
    assert_eq!(&*server.taken().message, b"123456789");
}

#[test]
fn rule_p8_a_status_is_written_and_read_to_the_byte() {
    let statuses = [
        ("end_status", Status::new(Code::NotFound, "no such key")),
        ("end_status_details", Status::new(Code::Unauthenticated, "").with_details(&[1, 2, 3][..])),
    ];
    for (name, status) in statuses {
        let (mut server, id) = End::called();
        server.machine.fail(id, status.clone());
        assert_eq!(server.told(), vector(FRAMES, name));
        let (mut client, id) = End::calling();
        client.hears(&vector(FRAMES, name));
        assert_eq!(client.failure(id).status(), Some(&status), "{name}");
    }
    let (mut server, id) = End::called();
    server.machine.end_items(id);
    assert_eq!(server.told(), vector(FRAMES, "end"));
}

fn quarter_second() -> ServerTimes {
    ServerTimes::new(Duration::from_micros(200), Duration::from_millis(250))
}

#[test]
fn rule_p24_times_are_asked_for_and_told_to_the_byte() {
    let (metadata, ada) = (Metadata::new(), Bytes::from_static(b"\x03Ada"));
    for (times, name) in [(Times::Always, "open_times"), (Times::OfFailures, "open_times_of_failures")] {
        let mut client = End::client();
        let call = OpenCall::new(MethodId::hash("Greeter", "greet"), 1, ada.clone(), &metadata);
        client.machine.open(&OpenCall { times, ..call }).unwrap();
        assert_eq!(client.told(), vector(FRAMES, name));
        let mut server = End::server();
        server.hears(&vector(FRAMES, name));
        let call = server.taken();
        assert!(call.times == times && call.came_at == server.now);
    }
    let (mut server, id) = End::called();
    let hello = Reply::new(1, Bytes::from_static(b"\x0bHello, Ada!"));
    server.machine.reply(id, &Reply { metadata: tenant(), times: Some(quarter_second()), ..hello });
    assert_eq!(server.told(), vector(FRAMES, "reply_times"));
    let (mut client, _) = End::calling();
    client.hears(&vector(FRAMES, "reply_times"));
    let read = reply_of(&mut client);
    assert_eq!((read.times, read.metadata), (Some(quarter_second()), tenant()));

    let (mut server, id) = End::called();
    let longest = ServerTimes::new(Duration::MAX, Duration::from_nanos(999));
    server.machine.fail_after(id, Status::new(Code::NotFound, "no such key"), Some(longest));
    assert_eq!(server.told(), vector(FRAMES, "end_status_times"));
    let (mut client, id) = End::calling();
    client.hears(&vector(FRAMES, "end_status_times"));
    let error = client.failure(id);
    assert_eq!(error.status(), Some(&Status::new(Code::NotFound, "no such key")));
    assert_eq!(error.timeline().unwrap().server(), Some(longest));
}

#[test]
fn rule_p24_times_that_are_cut_off_are_a_fault_and_without_content_mean_nothing() {
    for content in [&[0; 3][..], &[0; 4], &[0; 5]] {
        let (mut client, _) = End::calling();
        let bytes = frame(END, F_END | F_TIMES, FIRST, content);
        assert_eq!(client.faults(&bytes), CloseCode::Protocol, "{content:?}");
    }
    let (mut client, _) = End::calling();
    assert_eq!(client.faults(&frame(REPLY, F_END | F_TIMES, FIRST, &[0; 3])), CloseCode::Protocol);
    let (mut server, id) = End::called();
    server.hears(&frame(END, F_END | F_TIMES, FIRST, b""));
    assert!(server.machine.sent(id) == Sent::Unknown && server.machine.calls_in_flight() == 1);
    let mut server = End::server();
    server.hears(&open(F_END | F_REPLY_TIMES, FIRST, b""));
    assert_eq!(server.taken().times, Times::Never);
}

#[test]
fn rule_p25_who_has_not_asked_reads_times_all_the_same() {
    let (mut client, _) = End::calling();
    client.hears(&vector(FRAMES, "reply_times"));
    let read = reply_of(&mut client);
    assert_eq!((read.times, &*read.message), (Some(quarter_second()), &b"\x0bHello, Ada!"[..]));
    let mut server = End::server();
    server.hears(&vector(FRAMES, "open"));
    let call = server.taken();
    assert_eq!(call.times, Times::Never, "nobody asked");
    server.machine.fail(call.id, Status::new(Code::Internal, ""));
    assert_eq!(server.frame().flags & F_TIMES, 0, "where no handler was started there is nothing to tell");
}

#[test]
fn rule_p8_p24_a_status_with_times_is_cut_to_the_peers_frame() {
    let peer = Settings { frame_bytes_max: 16_384, ..Settings::default() };
    let mut server = End::open_with(Side::Server, Config::default(), peer);
    server.hears(&open(F_END, FIRST, b""));
    let id = server.taken().id;
    let status = Status::new(Code::Internal, "x".repeat(20_000));
    server.machine.fail_after(id, status, Some(quarter_second()));
    assert_eq!(server.frame().content.len(), 16_384);
}

#[test]
fn rule_p8_a_status_is_cut_to_the_peers_frame() {
    let peer = Settings { frame_bytes_max: 16_384, ..Settings::default() };
    for (message_bytes, details_bytes, kept) in [(16_378, 0, 16_384), (20_000, 0, 16_383), (100, 16_279, 106)]
    {
        let mut server = End::open_with(Side::Server, Config::default(), peer.clone());
        server.hears(&open(F_END, FIRST, b""));
        let id = server.taken().id;
        let text =
            if message_bytes == 20_000 { "€".repeat(message_bytes / 3) } else { "x".repeat(message_bytes) };
        server.machine.fail(id, Status::new(Code::Internal, text).with_details(vec![1; details_bytes]));
        assert_eq!(server.frame().content.len(), kept, "{message_bytes} and {details_bytes}");
    }
}

#[test]
fn rule_p9_contents_of_fixed_length_have_that_length() {
    for (kind, lengths) in [(RESET, [0, 1, 3]), (CREDIT, [0, 3, 5]), (PING, [0, 7, 9])] {
        for length in lengths {
            let (mut client, _) = End::calling();
            assert_eq!(client.faults(&frame(kind, 0, FIRST, &vec![1; length])), CloseCode::Protocol);
        }
    }
    for mut end in End::both() {
        end.hears(&frame(PONG, 0, 0, b"123"));
        assert_eq!(end.told(), b"");
    }
    let resets = [("cancelled", 1), ("refused", 2), ("deadline_exceeded", 3), ("limit_exceeded", 4)];
    for (name, code) in resets {
        let (mut client, id) = End::calling();
        client.machine.cancel(id, crate::wire::ResetCode::from_u16(code));
        assert_eq!(client.told(), vector(FRAMES, &format!("reset_{name}")));
    }
}

#[test]
fn rule_p10_a_goaway_is_written_to_the_byte_and_its_reason_cut() {
    let (mut server, _) = End::called();
    server.machine.drain("moving");
    assert_eq!(server.told(), vector(FRAMES, "goaway_shutdown"));
    let mut server = End::server();
    server.machine.close(&crate::connection::Fatal::new(CloseCode::TooManyConnections, "full"));
    assert_eq!(server.told(), vector(FRAMES, "goaway_no_call"));
    let mut server = End::server();
    server.machine.drain(&"€".repeat(1000));
    let reason = server.frame().content.split_off(10);
    assert_eq!(String::from_utf8(reason).unwrap().len(), 1023);
    let mut client = End::client();
    client.hears(&frame(GOAWAY, 0, 0, &[&[0; 8][..], &[0, 0, 0xff, b'x']].concat()));
    assert!(client.machine.is_peer_draining());
}

#[test]
fn rule_p15_a_call_in_a_codec_that_the_peer_does_not_name_is_not_sent() {
    let peer = Settings { codecs: vec![2, 9], ..Settings::default() };
    let metadata = Metadata::new();
    for codec in [1, 2, 3, 9] {
        let mut client = End::open_with(Side::Client, Config::default(), peer.clone());
        let opened = client.machine.open(&OpenCall::new(MethodId::new(7), codec, Bytes::new(), &metadata));
        assert_eq!(opened.is_ok(), [2, 9].contains(&codec), "codec {codec}");
        assert_eq!(client.frames().len(), usize::from(opened.is_ok()));
        if let Err(OpenError::Failed(error)) = opened {
            assert_eq!(error.fate(), Fate::NeverSent);
        }
    }
}

#[test]
fn rule_p17_a_frame_that_ends_within_a_field_is_a_fault() {
    let long = |count: usize, last: &[u8]| [&vec![0; count][..], last].concat();
    let mut cut_off: Vec<(u8, u8, Vec<u8>)> = (0..8).map(|length| (OPEN, F_END, vec![0; length])).collect();
    cut_off.extend((8..16).map(|length| (OPEN, F_END | F_DEADLINE, vec![0; length])));
    cut_off.extend((8..12).map(|length| (OPEN, F_END | F_METADATA, vec![0; length])));
    cut_off.push((OPEN, F_END | F_METADATA, long(8, &[2, 0, 0, 0, 0])));
    cut_off.extend((8..12).map(|length| (OPEN, F_MORE, vec![0; length])));
    for (kind, flags, content) in cut_off {
        let mut server = End::server();
        assert_eq!(server.faults(&frame(kind, flags, FIRST, &content)), CloseCode::Protocol, "{content:?}");
    }
    let mut cut_off: Vec<(u8, u8, Vec<u8>)> =
        (0..4).map(|length| (REPLY, F_METADATA, vec![0; length])).collect();
    cut_off.push((REPLY, F_METADATA, vec![0xff; 4]));
    cut_off.extend((0..4).map(|length| (REPLY, F_MORE, vec![0; length])));
    cut_off.extend((1..6).map(|length| (END, F_END, vec![0; length])));
    cut_off.push((END, F_END, vec![5, 0, 1, 0, 0, 0]));
    cut_off.extend((0..10).map(|length| (GOAWAY, 0, vec![0; length])));
    for (kind, flags, content) in cut_off {
        let (mut client, _) = End::calling();
        assert_eq!(client.faults(&frame(kind, flags, FIRST, &content)), CloseCode::Protocol, "{content:?}");
    }
    let (mut client, _) = End::calling();
    client.hears(&frame(REPLY, 0, FIRST, b""));
    assert_eq!(client.faults(&frame(DATA, F_MORE, FIRST, &[9, 0, 0])), CloseCode::Protocol);
}
