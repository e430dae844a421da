//! Rules I1 to I5 and P16: how calls and methods are named.

use super::kit::{
    CREDIT, DATA, END, End, F_END, FIRST, IDS, REPLY, RESET, call_id, frame, open, vector, vectors,
};
use crate::wire::{CloseCode, ResetCode, StreamId};
use crate::{Body, Code, CodecKind, MethodId, Request, Router, Service};

#[test]
fn rule_i1_an_id_is_sequence_slot_and_side() {
    let ids = [
        ("first_of_the_connecting_side", 1, 0, false),
        ("first_of_the_accepting_side", 1, 0, true),
        ("second_in_slot_1", 2, 1, false),
        ("highest_slot", 70_000, 65_535, false),
        ("last", (1 << 47) - 1, 65_535, true),
    ];
    for (name, sequence, slot, by_acceptor) in ids {
        let bytes = vector(IDS, &format!("stream.{name}"));
        let id = StreamId::new(sequence, slot, by_acceptor);
        assert_eq!(id.as_u64().to_le_bytes(), *bytes, "{name}");
        assert_eq!((id.sequence(), id.slot(), id.by_acceptor()), (sequence, slot, by_acceptor));
    }
    assert_eq!(StreamId::CONNECTION.as_u64().to_le_bytes(), *vector(IDS, "stream.connection"));
}

#[test]
fn rule_i2_the_sequence_rises_and_the_side_is_the_callers() {
    let (mut client, first) = End::calling();
    let second = client.calls(b"");
    assert_eq!((first.sequence(), second.sequence(), first.by_acceptor()), (1, 2, false));
    let mut server = End::server();
    server.hears(&open(F_END, call_id(5, 0), b""));
    server.hears(&open(F_END, call_id(9, 1), b""));
    for used in [call_id(9, 2), call_id(8, 2), call_id(10, 2) | 1] {
        let mut server = End::server();
        server.hears(&open(F_END, call_id(9, 0), b""));
        assert_eq!(server.faults(&open(F_END, used, b"")), CloseCode::Protocol, "{used:#x}");
    }
    let mut client = End::client();
    assert_eq!(client.faults(&open(F_END, FIRST, b"")), CloseCode::Protocol);
}

#[test]
fn rule_i3_a_slot_has_one_live_call() {
    let mut server = End::server();
    server.hears(&open(F_END, call_id(1, 4), b""));
    let first = server.taken().id;
    let mut other = End::server();
    other.hears(&open(F_END, call_id(1, 4), b""));
    assert_eq!(other.faults(&open(F_END, call_id(2, 4), b"")), CloseCode::Protocol);
    server.machine.end_items(first);
    server.hears(&open(F_END, call_id(2, 4), b""));
    assert_eq!(server.taken().id.slot(), 4);
    server.told();
    server.hears(&open(F_END, call_id(3, 1024), b""));
    let refusal = server.frame();
    assert_eq!((refusal.kind, refusal.id, refusal.number()), (RESET, call_id(3, 1024), 2));

    let (mut client, first) = End::calling();
    assert_eq!((first.slot(), client.calls(b"").slot()), (0, 1));
    client.machine.cancel(first, ResetCode::Cancelled);
    assert_eq!(client.calls(b"").slot(), 0);
}

#[test]
fn rule_i4_a_frame_for_a_call_that_never_was_is_a_fault_of_who_would_have_opened_it() {
    let frames = |id| {
        [
            frame(DATA, 0, id, b""),
            frame(END, F_END, id, b""),
            frame(RESET, 0, id, &[1, 0]),
            frame(CREDIT, 0, id, &[1, 0, 0, 0]),
        ]
    };
    for bytes in frames(call_id(0, 1)) {
        for (mut end, _) in [End::calling(), End::called()] {
            assert_eq!(end.faults(&bytes), CloseCode::Protocol);
        }
    }
    for bytes in frames(call_id(2, 0)) {
        let (mut client, first) = End::calling();
        client.hears(&bytes);
        assert_eq!(client.machine.late_frames(), 1);
        assert!(client.reply(first).is_pending());
        let (mut server, _) = End::called();
        assert_eq!(server.faults(&bytes), CloseCode::Protocol);
    }
    let (mut client, first) = End::calling();
    client.hears(&frame(REPLY, F_END, call_id(2, 0), b""));
    assert_eq!(client.machine.late_frames(), 1);
    assert!(client.reply(first).is_pending());
}

#[test]
fn rule_i5_frames_of_a_call_that_has_ended_are_ignored() {
    let late = [
        frame(DATA, F_END, FIRST, b"item"),
        frame(END, F_END, FIRST, b""),
        frame(RESET, 0, FIRST, &[1, 0]),
        frame(CREDIT, 0, FIRST, &[1, 0, 0, 0]),
    ];
    let (mut server, id) = End::called();
    server.machine.refuse(id);
    server.told();
    let (mut client, id) = End::calling();
    client.machine.cancel(id, ResetCode::Cancelled);
    client.told();
    client.hears(&frame(REPLY, F_END, FIRST, b"result"));
    assert_eq!(client.machine.late_frames(), 1);
    for mut end in [client, server] {
        let before = end.machine.late_frames();
        late.iter().for_each(|bytes| end.hears(bytes));
        assert_eq!(end.machine.late_frames() - before, 4);
        assert_eq!(end.told(), b"");
        assert!(end.machine.poll_event().is_none());
    }
    // The next call in the slot is another one, though the slot is the same.
    let (mut client, first) = End::calling();
    client.machine.cancel(first, ResetCode::Cancelled);
    let second = client.calls(b"");
    client.hears(&frame(REPLY, F_END, FIRST, b"late"));
    assert_eq!(first.slot(), second.slot());
    assert!(client.reply(second).is_pending());
}

#[test]
fn rule_p16_a_method_id_is_a_hash_of_service_and_name() {
    let methods =
        vectors(IDS).into_iter().filter_map(|(name, bytes)| Some((name.strip_prefix("method.")?, bytes)));
    let methods: Vec<_> = methods.collect();
    assert_eq!(methods.len(), 8);
    for (name, bytes) in methods {
        let (service, method) = name.split_once('/').unwrap();
        assert_eq!(MethodId::hash(service, method).as_u64().to_le_bytes(), *bytes, "{name}");
    }
}

#[tokio::test]
async fn rule_p16_a_method_that_is_not_known_is_a_status() {
    let request = Request::by_id(MethodId::new(7), CodecKind::Postcard, Body::new(bytes::Bytes::new()));
    let error = Router::new().call(request).await.unwrap_err();
    assert_eq!(error.status().map(crate::Status::code), Some(Code::Unimplemented));
}
