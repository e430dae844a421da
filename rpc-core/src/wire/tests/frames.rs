//! Rules F1 to F7: headers, and what is skipped.

use bytes::BytesMut;

use super::kit::{
    DATA, END, End, F_END, FIRST, FRAMES, OPEN, PING, PONG, REPLY, RESET, frame, goaway, open, split, vector,
    vectors,
};
use crate::wire::{CloseCode, FrameHeader, HEADER_BYTES};

#[test]
fn rule_f1_every_header_is_read_and_written_to_the_byte() {
    let later = ["unknown_kind", "kind_0", "reply_unknown_bits"];
    for (name, bytes) in vectors(FRAMES) {
        let raw = bytes.first_chunk::<HEADER_BYTES>().unwrap();
        let header = FrameHeader::parse(raw);
        assert_eq!(header.bytes as usize, bytes.len() - HEADER_BYTES, "{name}");
        assert_eq!(header.kind.is_none(), later[..2].contains(&name), "{name}");
        if !later.contains(&name) {
            assert_eq!(header.to_bytes(), *raw, "{name}");
        }
    }
}

#[test]
fn rule_f2_the_length_is_held_against_the_limit_before_memory_is_taken() {
    for kind in [OPEN, DATA, 200] {
        for mut end in End::both() {
            let mut header = frame(kind, 0, FIRST, b"");
            header[..4].copy_from_slice(&65_536_u32.to_le_bytes());
            end.hears(&header);
            assert_eq!(end.told(), b"");
        }
        for length in [65_537, u32::MAX] {
            let mut server = End::server();
            let mut input = BytesMut::from(&*frame(kind, 0, FIRST, b""));
            input[..4].copy_from_slice(&length.to_le_bytes());
            let fatal = server.machine.receive(&mut input, server.now).unwrap_err();
            assert_eq!(fatal.code, CloseCode::FrameTooLarge);
            assert!(input.capacity() < 1024, "memory was taken");
        }
    }
}

#[test]
fn rule_f3_kinds_that_are_not_known_are_skipped() {
    for mut end in End::both() {
        for name in ["unknown_kind", "kind_0", "unknown_kind"] {
            end.hears(&vector(FRAMES, name));
        }
        end.hears(&vector(FRAMES, "ping"));
        assert_eq!(end.frame().kind, PONG);
        assert!(end.machine.poll_event().is_none());
    }
}

#[test]
fn rule_f4_f5_flags_and_bytes_without_a_meaning_are_ignored() {
    let (mut client, id) = End::calling();
    client.hears(&vector(FRAMES, "reply_unknown_bits"));
    let std::task::Poll::Ready(Ok(reply)) = client.reply(id) else { panic!("the reply is not here") };
    assert_eq!((&*reply.message, reply.items, reply.failed), (&b"\x0bHello, Ada!"[..], false, false));
    let mut server = End::server();
    let mut ping = frame(PING, 0xff, 0, b"12345678");
    (ping[6], ping[7]) = (9, 9);
    server.hears(&ping);
    assert_eq!(server.told(), frame(PONG, 0, 0, b"12345678"));
}

#[test]
fn rule_f6_the_id_0_is_the_connection_and_no_call() {
    for mut end in End::both() {
        end.hears(&frame(PING, 0, FIRST, b"12345678"));
        assert_eq!(end.frame().id, 0);
        let mut farewell = goaway(0, 0);
        farewell[8..16].copy_from_slice(&FIRST.to_le_bytes());
        end.hears(&farewell);
        assert!(end.machine.is_peer_draining());
    }
    for bytes in [
        open(F_END, 0, b""),
        frame(REPLY, F_END, 0, b""),
        frame(DATA, 0, 0, b""),
        frame(END, F_END, 0, b""),
        frame(RESET, 0, 0, &[1, 0]),
    ] {
        for mut end in End::both() {
            assert_eq!(end.faults(&bytes), CloseCode::Protocol);
        }
    }
}

#[test]
fn rule_f7_any_pieces_give_the_same_result() {
    let names = [
        "open_first_part",
        "data_middle_part",
        "data_last_part",
        "unknown_kind",
        "ping",
        "credit_call",
        "credit_connection",
    ];
    let bytes: Vec<_> = names.iter().flat_map(|name| vector(FRAMES, name)).collect();
    let result = |pieces: usize| {
        let mut server = End::server();
        bytes.chunks(pieces).for_each(|piece| server.hears(piece));
        let call = server.taken();
        (call.message, call.id, server.frames())
    };
    let at_once = result(bytes.len());
    assert_eq!(&*at_once.0, b"\x08Ada Love");
    for pieces in 1..40 {
        assert_eq!(result(pieces), at_once, "pieces of {pieces}");
    }
}

#[test]
fn frames_of_the_vectors_are_whole() {
    for (name, mut bytes) in vectors(FRAMES) {
        bytes[7] = 0;
        assert_eq!(split(&bytes).len(), 1, "{name}");
    }
}
