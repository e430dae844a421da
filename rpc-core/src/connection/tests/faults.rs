//! Frames that cannot be, or cannot be there: what they end is the call or the connection, never the process.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};

use super::super::*;
use super::kit::*;
use crate::wire::{Flags, HEADER_BYTES};
use crate::{Code, ErrorKind, Fate};

/// The code of the status that was sent last.
fn sent_status(lone: &mut Lone) -> Option<Code> {
    let (header, content) = lone.frames().pop()?;
    let is_status = header.kind == Some(FrameKind::End) && content.len() > 2;
    is_status.then(|| Code::from_u16(u16::from_le_bytes([content[0], content[1]])))
}

fn with_total(total: u32, part: &[u8]) -> Vec<u8> {
    [&total.to_le_bytes()[..], part].concat()
}

#[test]
fn fault_08_a_declared_frame_length_is_refused_before_memory_is_taken() {
    for kind in [FrameKind::Open, FrameKind::Data, FrameKind::Ping] {
        let mut lone = Lone::server();
        let mut input = BytesMut::from(&FrameHeader::new(kind, id(1, 0), u32::MAX).to_bytes()[..]);
        let fatal = lone.machine.receive(&mut input, lone.now).expect_err("it is far too long");
        assert_eq!(fatal.code, CloseCode::FrameTooLarge);
        assert!(input.capacity() < 1024);
    }
}

#[test]
fn fault_08_a_declared_message_length_is_refused_before_memory_is_taken() {
    let mut lone = Lone::server();
    let content = open_content(&with_total(u32::MAX, b"start"));
    lone.feed(FrameKind::Open, id(1, 0), Flags::MORE, &content).unwrap();
    assert_eq!(sent_status(&mut lone), Some(Code::ResourceExhausted));
    assert!(lone.machine.is_at_rest());
}

#[test]
fn fault_09_a_frame_of_the_longest_length_passes_and_a_longer_one_closes() {
    let max = Settings::default().frame_bytes_max as usize;
    let mut lone = Lone::server();
    lone.feed(FrameKind::Open, id(1, 0), Flags::END, &open_content(&vec![0; max - 8])).unwrap();
    assert!(matches!(lone.machine.poll_event(), Some(Event::Call(call)) if call.message.len() == max - 8));
    let code = lone.refuses(FrameKind::Open, id(2, 1), Flags::END, &open_content(&vec![0; max - 7]));
    assert_eq!(code, CloseCode::FrameTooLarge);
}

#[test]
fn fault_09_a_call_of_the_longest_message_passes_and_a_longer_one_is_not_sent() {
    let small = || config(|config| config.settings.message_bytes_max = 50_000);
    let mut pair = Pair::open(small(), small());
    let (longest, _) = pair.call(&unary(vec![0; 50_000]));
    pair.server.reply(longest, &Reply::new(1, vec![0; 50_000].into()));
    let Err(OpenError::Failed(error)) = pair.client.open(&unary(vec![0; 50_001])) else {
        panic!("it is too long")
    };
    assert_eq!((error.kind(), error.fate()), (ErrorKind::LimitExceeded, Fate::NeverSent));
    let (id, _) = pair.call(&unary(""));
    pair.server.reply(id, &Reply::new(1, vec![0; 50_001].into()));
    pair.settle();
    assert_eq!(reply_of(&mut pair.client, longest).unwrap().unwrap().message.len(), 50_000);
    assert_eq!(error_of(&mut pair.client, id).code(), Code::ResourceExhausted);
    pair.assert_at_rest();
}

#[test]
fn fault_09_a_message_over_the_limit_ends_its_call_and_no_other() {
    let small = config(|config| config.settings.message_bytes_max = 1000);
    let mut lone = Lone::new(Side::Server, small, Settings::default());
    lone.feed(FrameKind::Open, id(1, 0), Flags::END, &open_content(b"")).unwrap();
    lone.feed(FrameKind::Open, id(2, 1), Flags::END, &open_content(&[0; 1001])).unwrap();
    assert_eq!(sent_status(&mut lone), Some(Code::ResourceExhausted));
    lone.feed(FrameKind::Open, id(3, 1), Flags::NONE, &open_content(b"items follow")).unwrap();
    lone.feed(FrameKind::Data, id(3, 1), Flags::NONE, &[0; 1000]).unwrap();
    lone.feed(FrameKind::Data, id(3, 1), Flags::MORE, &with_total(1001, b"start")).unwrap();
    assert_eq!(sent_status(&mut lone), Some(Code::ResourceExhausted));
    // What else was on its way is late.
    lone.feed(FrameKind::Data, id(3, 1), Flags::NONE, &[0; 996]).unwrap();
    assert_eq!((lone.machine.calls_in_flight(), lone.machine.late_frames()), (1, 1));
}

#[test]
fn fault_09_an_answer_over_the_limit_ends_its_call_and_no_other() {
    let small = config(|config| config.settings.message_bytes_max = 1000);
    let mut lone = Lone::new(Side::Client, small, Settings::default());
    let ids = [(); 3].map(|()| lone.machine.open(&unary("")).unwrap());
    lone.feed(FrameKind::Reply, ids[0], Flags::END, &[0; 1001]).unwrap();
    lone.feed(FrameKind::Reply, ids[1], Flags::NONE, b"items follow").unwrap();
    lone.feed(FrameKind::Data, ids[1], Flags::MORE, &with_total(u32::MAX, b"start")).unwrap();
    let resets: Vec<_> =
        lone.frames().into_iter().filter(|(header, _)| header.kind == Some(FrameKind::Reset)).collect();
    assert_eq!(resets.len(), 2, "the server is told");
    let error = error_of(&mut lone.machine, ids[0]);
    assert_eq!((error.kind(), error.fate()), (ErrorKind::LimitExceeded, Fate::Failed));
    assert!(reply_of(&mut lone.machine, ids[1]).unwrap().is_ok());
    let (_, end) = items_of(&mut lone.machine, ids[1]);
    assert_eq!(end.unwrap().unwrap_err().kind(), ErrorKind::LimitExceeded);
    assert_eq!(lone.machine.calls_in_flight(), 1);
}

#[test]
fn fault_10_an_inner_length_past_the_frame_is_a_protocol_error() {
    let long = u32::MAX.to_le_bytes();
    let beyond = [&6_u32.to_le_bytes()[..], b"short"].concat();
    let cases: [(FrameKind, Flags, Vec<u8>); 8] = [
        (FrameKind::Open, Flags::NONE, b"seven b".to_vec()),
        (FrameKind::Open, Flags::DEADLINE, open_content(b"seven b")),
        (FrameKind::Open, Flags::METADATA, open_content(&long)),
        (FrameKind::Open, Flags::METADATA, open_content(&beyond)),
        (FrameKind::Open, Flags::MORE, open_content(b"abc")),
        (FrameKind::Reset, Flags::NONE, vec![1]),
        (FrameKind::Credit, Flags::NONE, vec![0; 5]),
        (FrameKind::GoAway, Flags::NONE, vec![0; 9]),
    ];
    for (kind, flags, content) in cases {
        let mut lone = Lone::server();
        let code = lone.refuses(kind, id(1, 0), flags, &content);
        assert_eq!(code, CloseCode::Protocol, "{kind:?} with {content:?}");
        assert!(lone.machine.poll_event().is_none(), "it was never passed on");
    }
    let mut lone = Lone::client();
    let id = lone.machine.open(&unary("")).unwrap();
    let status = [&[5, 0][..], &long, b"short"].concat();
    assert_eq!(lone.refuses(FrameKind::End, id, Flags::END, &status), CloseCode::Protocol);
}

#[test]
fn fault_10_parts_that_do_not_add_up_are_a_protocol_error() {
    let first = with_total(10, b"12345");
    let cases: [(&[u8], Flags, &[u8]); 4] = [
        (&with_total(5, b"12345"), Flags::MORE, b""),
        (&first, Flags::MORE, b"67890"),
        (&first, Flags::NONE, b"678"),
        (&first, Flags::NONE, b"678901"),
    ];
    for (first, flags, second) in cases {
        let mut lone = Lone::server();
        let opened = lone.feed(FrameKind::Open, id(1, 0), Flags::MORE, &open_content(first));
        let fatal = opened.and_then(|()| lone.feed(FrameKind::Data, id(1, 0), flags, second)).unwrap_err();
        assert_eq!(fatal.code, CloseCode::Protocol);
    }
}

#[test]
fn fault_13_bytes_one_at_a_time_give_the_same_result() {
    let mut whole = Lone::server();
    let mut sliced = Lone::server();
    // A call tells when it came.
    whole.now = sliced.now;
    let mut bytes = BytesMut::new();
    bytes.put(frame(FrameKind::Open, id(1, 0), Flags::END, &open_content(b"first")));
    bytes.put(frame(FrameKind::Open, id(2, 1), Flags::MORE, &open_content(&with_total(9, b"part"))));
    bytes.put(frame(FrameKind::Ping, StreamId::CONNECTION, Flags::NONE, &[7; 8]));
    bytes.put(frame(FrameKind::Data, id(2, 1), Flags::NONE, b"whole"));
    bytes.put(frame(FrameKind::Data, id(2, 1), Flags::NONE, b"item"));
    bytes.put(frame(FrameKind::Reset, id(1, 0), Flags::NONE, &[1, 0]));
    bytes.put(frame(FrameKind::End, id(2, 1), Flags::END, b""));
    whole.bytes(&bytes).unwrap();
    let mut input = BytesMut::new();
    for byte in bytes {
        input.put_u8(byte);
        sliced.machine.receive(&mut input, sliced.now).unwrap();
    }
    assert!(input.is_empty());
    let events = |lone: &mut Lone| {
        format!("{:?}", std::iter::from_fn(|| lone.machine.poll_event()).collect::<Vec<_>>())
    };
    assert_eq!(events(&mut whole), events(&mut sliced));
    assert_eq!(whole.frames(), sliced.frames());
    assert_eq!(items_of(&mut whole.machine, id(2, 1)).0, items_of(&mut sliced.machine, id(2, 1)).0);
}

#[test]
fn fault_17_an_id_is_never_used_twice() {
    for ended in [false, true] {
        let mut lone = Lone::server();
        lone.feed(FrameKind::Open, id(5, 0), Flags::END, &open_content(b"")).unwrap();
        if ended {
            lone.machine.reply(id(5, 0), &Reply::new(1, Bytes::new()));
        }
        for (sequence, slot) in [(5, 0), (5, 1), (4, 1), (0, 1)] {
            let code = lone.refuses(FrameKind::Open, id(sequence, slot), Flags::END, &open_content(b""));
            assert_eq!(code, CloseCode::Protocol);
        }
    }
}

#[test]
fn fault_17_a_slot_is_free_again_once_its_call_has_ended() {
    let mut lone = Lone::server();
    lone.feed(FrameKind::Open, id(1, 0), Flags::END, &open_content(b"")).unwrap();
    lone.machine.reply(id(1, 0), &Reply::new(1, Bytes::new()));
    lone.feed(FrameKind::Open, id(2, 0), Flags::END, &open_content(b"")).unwrap();
    assert_eq!(lone.refuses(FrameKind::Open, id(3, 0), Flags::END, &open_content(b"")), CloseCode::Protocol);
}

#[test]
fn fault_17_the_other_sides_ids_and_ids_never_opened_are_protocol_errors() {
    let mut lone = Lone::server();
    let theirs = StreamId::new(1, 0, true);
    assert_eq!(lone.refuses(FrameKind::Open, theirs, Flags::END, &open_content(b"")), CloseCode::Protocol);
    for kind in [FrameKind::Reply, FrameKind::Data, FrameKind::End, FrameKind::Reset, FrameKind::Credit] {
        for unknown in [id(1, 0), id(0, 1)] {
            let content: &[u8] = if kind == FrameKind::Credit { &[1, 0, 0, 0] } else { &[1, 0] };
            let content = if kind == FrameKind::End { b"" } else { content };
            assert_eq!(lone.refuses(kind, unknown, Flags::NONE, content), CloseCode::Protocol, "{kind:?}");
        }
    }
}

#[test]
fn fault_18_frames_for_calls_that_have_ended_are_ignored_and_counted() {
    let mut lone = Lone::client();
    let gone = lone.machine.open(&unary("")).unwrap();
    lone.machine.cancel(gone, ResetCode::Cancelled);
    let next = lone.machine.open(&unary("")).unwrap();
    assert_eq!(gone.slot(), next.slot());
    lone.feed(FrameKind::Reply, gone, Flags::NONE, b"too late").unwrap();
    for _ in 0..1000 {
        lone.feed(FrameKind::Data, gone, Flags::NONE, &[0; 4096]).unwrap();
    }
    lone.feed(FrameKind::Credit, gone, Flags::NONE, &[1, 0, 0, 0]).unwrap();
    lone.feed(FrameKind::End, gone, Flags::END, b"").unwrap();
    lone.feed(FrameKind::Reset, gone, Flags::NONE, &[1, 0]).unwrap();
    assert_eq!(lone.machine.late_frames(), 1004);
    assert!(reply_of(&mut lone.machine, next).is_none(), "the next call in the slot is not touched");
    lone.machine.cancel(next, ResetCode::Cancelled);
    lone.frames();
    assert!(lone.machine.is_at_rest());
}

#[test]
fn fault_19_a_second_answer_is_ignored_after_the_call_and_closes_within_it() {
    let mut lone = Lone::client();
    let id = lone.machine.open(&unary("")).unwrap();
    lone.feed(FrameKind::Reply, id, Flags::END, b"first").unwrap();
    lone.feed(FrameKind::Reply, id, Flags::END, b"second").unwrap();
    assert_eq!(reply_of(&mut lone.machine, id).unwrap().unwrap().message, "first");
    lone.feed(FrameKind::Reply, id, Flags::END, b"third").unwrap();
    assert_eq!(lone.machine.late_frames(), 2);
    let id = lone.machine.open(&unary("")).unwrap();
    lone.feed(FrameKind::Reply, id, Flags::NONE, b"items follow").unwrap();
    assert_eq!(lone.refuses(FrameKind::Reply, id, Flags::END, b"again"), CloseCode::Protocol);
}

#[test]
fn fault_61_the_longest_and_the_shortest_deadlines_arrive() {
    let mut lone = Lone::server();
    let deadlines = [u64::MAX, 0, 3 * 365 * 24 * 3600 * 1_000_000];
    for (sequence, micros) in (1..).zip(deadlines) {
        let content = open_content(&micros.to_le_bytes());
        lone.feed(FrameKind::Open, id(sequence, 0), Flags::DEADLINE.with_if(Flags::END, true), &content)
            .unwrap();
        let Some(Event::Call(call)) = lone.machine.poll_event() else { panic!("the call came in") };
        assert_eq!(call.timeout, Some(Duration::from_micros(micros)));
        lone.machine.refuse(id(sequence, 0));
    }
    let mut pair = Pair::default();
    let (_, call) = pair.call(&OpenCall { timeout: Some(Duration::MAX), ..unary("") });
    assert_eq!(call.timeout, Some(Duration::from_micros(u64::MAX)));
}

#[test]
fn data_and_ends_where_they_cannot_be_are_protocol_errors() {
    let mut lone = Lone::client();
    let unanswered = lone.machine.open(&unary("")).unwrap();
    assert_eq!(lone.refuses(FrameKind::Data, unanswered, Flags::NONE, b""), CloseCode::Protocol);
    assert_eq!(lone.refuses(FrameKind::End, unanswered, Flags::END, b""), CloseCode::Protocol);
    let mut lone = Lone::server();
    lone.feed(FrameKind::Open, id(1, 0), Flags::END, &open_content(b"")).unwrap();
    assert_eq!(lone.refuses(FrameKind::Data, id(1, 0), Flags::NONE, b""), CloseCode::Protocol);
    assert_eq!(lone.refuses(FrameKind::End, id(1, 0), Flags::END, b""), CloseCode::Protocol);
    assert_eq!(lone.refuses(FrameKind::Reply, id(1, 0), Flags::END, b""), CloseCode::Protocol);
    lone.feed(FrameKind::Open, id(2, 1), Flags::NONE, &open_content(b"")).unwrap();
    let status = [5, 0, 0, 0, 0, 0];
    assert_eq!(lone.refuses(FrameKind::End, id(2, 1), Flags::END, &status), CloseCode::Protocol);
    lone.feed(FrameKind::Data, id(2, 1), Flags::MORE, &with_total(10, b"12345")).unwrap();
    assert_eq!(lone.refuses(FrameKind::End, id(2, 1), Flags::END, b""), CloseCode::Protocol);
}

#[test]
fn unknown_kinds_are_skipped_whatever_they_hold() {
    let mut lone = Lone::server();
    let mut raw = FrameHeader::new(FrameKind::Ping, id(9, 9), 1000).to_bytes();
    assert_eq!(raw.len(), HEADER_BYTES);
    for kind in [0, 10, 255] {
        raw[4] = kind;
        lone.bytes(&[&raw[..], &[0xff; 1000]].concat()).unwrap();
    }
    assert!(lone.frames().is_empty() && lone.machine.is_at_rest());
}
