//! Rules S1 to S13: what a call goes through, on both ends.

use std::task::Poll;

use bytes::Bytes;

use super::kit::{
    DATA, END, End, F_END, F_METADATA, F_MORE, F_ONEWAY, FIRST, FRAMES, OPEN, REPLY, RESET, call_id, frame,
    open, part, vector,
};
use crate::connection::{Config, Event, OpenCall, Reply, Side};
use crate::wire::{CloseCode, ResetCode, Settings, StreamId};
use crate::{Code, ErrorKind, Fate, Metadata, MethodId, Status};

fn replied() -> (End, StreamId) {
    let (mut client, id) = End::calling();
    client.hears(&frame(REPLY, 0, FIRST, b"head"));
    assert!(matches!(client.reply(id), Poll::Ready(Ok(Reply { items: true, .. }))));
    (client, id)
}

#[test]
fn rule_s1_end_on_an_open_says_that_no_items_follow() {
    for (name, items) in [("open", false), ("open_items", true), ("open_first_part", true)] {
        let mut server = End::server();
        server.hears(&vector(FRAMES, name));
        if name == "open_first_part" {
            assert!(server.machine.poll_event().is_none(), "the arguments are not all here");
            server.hears(&frame(DATA, 0, FIRST, b" Love"));
        }
        assert_eq!(server.taken().items, items, "{name}");
    }
    let (mut server, id) = End::called();
    server.hears(&frame(END, F_END, FIRST, b""));
    assert!(matches!(server.items(id).1, Poll::Ready(Ok(false))));
}

#[test]
fn rule_s2_a_call_that_is_not_taken_is_refused() {
    let mut draining = End::server();
    draining.machine.drain("");
    draining.told();
    let mut small = End::open_with(
        Side::Server,
        Config { settings: Settings { calls_max: 3, ..Settings::default() }, ..Config::default() },
        Settings::default(),
    );
    small.hears(&open(F_END, call_id(1, 2), b""));
    small.taken();
    for (mut end, id) in [(draining, FIRST), (small, call_id(2, 3)), (End::client(), FIRST | 1)] {
        end.hears(&open(F_END, id, b""));
        let refusal = end.frame();
        assert_eq!((refusal.kind, refusal.id, refusal.number()), (RESET, id, 2));
        assert!(end.machine.poll_event().is_none());
    }
    let (mut client, id) = End::calling();
    client.hears(&vector(FRAMES, "reset_refused"));
    let error = client.failure(id);
    assert_eq!((error.kind(), error.fate(), error.is_retryable()), (ErrorKind::Refused, Fate::Refused, true));
}

#[test]
fn rule_s3_a_call_is_answered_once() {
    let (mut client, _) = replied();
    assert_eq!(client.faults(&frame(REPLY, F_END, FIRST, b"again")), CloseCode::Protocol);
    let (mut server, _) = End::called();
    assert_eq!(server.faults(&frame(REPLY, F_END, FIRST, b"")), CloseCode::Protocol);
}

#[test]
fn rule_s4_s6_items_follow_a_reply_without_end() {
    let last_item = |client: &mut End, id| {
        let (items, more) = client.items(id);
        assert!(matches!(more, Poll::Ready(Ok(true))));
        assert!(matches!(client.items(id).1, Poll::Ready(Ok(false))));
        assert_eq!(client.machine.calls_in_flight(), 0);
        items
    };
    let (mut client, id) = replied();
    client.hears(&vector(FRAMES, "data_item"));
    client.hears(&vector(FRAMES, "data_item_empty"));
    client.hears(&vector(FRAMES, "data_item_last"));
    assert_eq!(last_item(&mut client, id), [&b"\x2a"[..], b"", b"\x2b"]);
    let (mut client, id) = replied();
    client.hears(&vector(FRAMES, "data_item"));
    client.hears(&vector(FRAMES, "end"));
    assert_eq!(last_item(&mut client, id), [&b"\x2a"[..]]);
    let (mut client, id) = End::calling();
    client.hears(&vector(FRAMES, "reply"));
    assert!(matches!(client.reply(id), Poll::Ready(Ok(Reply { items: false, .. }))));
    assert_eq!(client.machine.calls_in_flight(), 0);

    let (mut server, id) = End::called();
    server.machine.reply(id, &Reply { items: true, ..Reply::new(1, Bytes::new()) });
    server.told();
    server.sends(id, [Bytes::from_static(b"\x2a"), Bytes::new()]);
    assert_eq!(server.told(), [vector(FRAMES, "data_item"), vector(FRAMES, "data_item_empty")].concat());
    server.machine.end_items(id);
    assert_eq!(server.told(), vector(FRAMES, "end"));
    assert_eq!(server.machine.calls_in_flight(), 0);
}

#[test]
fn rule_s5_nothing_comes_before_the_reply() {
    for bytes in [frame(DATA, 0, FIRST, b"item"), vector(FRAMES, "end")] {
        let (mut client, _) = End::calling();
        assert_eq!(client.faults(&bytes), CloseCode::Protocol);
    }
}

#[test]
fn rule_s6_the_caller_ends_its_direction_once() {
    let ends = [frame(END, F_END, FIRST, b""), frame(DATA, F_END, FIRST, b"last")];
    for end in &ends {
        for after in ends.iter().chain([&frame(DATA, 0, FIRST, b"more")]) {
            let (mut server, _) = End::called();
            server.hears(end);
            assert_eq!(server.faults(after), CloseCode::Protocol);
        }
        let (mut server, id) = End::called();
        server.hears(end);
        let _ = server.items(id);
        assert!(matches!(server.items(id).1, Poll::Ready(Ok(false))));
    }
    let (mut server, _) = End::called();
    assert_eq!(server.faults(&vector(FRAMES, "end_status")), CloseCode::Protocol);
    let mut client = End::client();
    let id = client.opens(true, Bytes::new());
    client.machine.end_items(id);
    assert_eq!(client.told(), vector(FRAMES, "end"));
}

#[test]
fn rule_s7_the_callees_last_frame_ends_the_call() {
    let mut client = End::client();
    let id = client.opens(true, Bytes::new());
    let items = client.sends(id, (0..40).map(|_| Bytes::from(vec![1; 4000])));
    assert!(!items.is_empty(), "the window is full");
    client.told();
    client.hears(&vector(FRAMES, "reply"));
    client.hears(&vector(FRAMES, "credit_call"));
    client.sends(id, items.into_iter().flatten());
    assert_eq!(client.told(), b"");

    let (mut server, id) = End::called();
    server.machine.reply(id, &Reply::new(1, Bytes::new()));
    assert_eq!(server.machine.calls_in_flight(), 0);
    server.hears(&frame(DATA, F_END, FIRST, b"late"));
}

#[test]
fn rule_s8_a_status_ends_a_call_at_any_time() {
    let (mut client, id) = replied();
    client.hears(&vector(FRAMES, "data_item"));
    client.hears(&frame(DATA, F_MORE, FIRST, &part(9, b"1234")));
    client.hears(&vector(FRAMES, "end_status"));
    assert_eq!(client.items(id).0, [&b"\x2a"[..]]);
    let (items, Poll::Ready(Err(error))) = client.items(id) else {
        panic!("the status comes after the items")
    };
    assert_eq!((items.len(), error.status().map(Status::code)), (0, Some(Code::NotFound)));
    let (mut client, id) = End::calling();
    client.hears(&frame(REPLY, F_MORE, FIRST, &part(9, b"1234")));
    client.hears(&vector(FRAMES, "end_status"));
    assert_eq!(client.failure(id).fate(), Fate::Failed);
}

#[test]
fn rule_s9_a_stream_does_not_end_within_a_message() {
    let (mut client, _) = replied();
    client.hears(&frame(DATA, F_MORE, FIRST, &part(9, b"1234")));
    assert_eq!(client.faults(&vector(FRAMES, "end")), CloseCode::Protocol);
    let mut server = End::server();
    server.hears(&vector(FRAMES, "open_first_part"));
    assert_eq!(server.faults(&vector(FRAMES, "end")), CloseCode::Protocol);
}

#[test]
fn rule_s10_a_reset_from_the_caller_cancels_the_handler() {
    let (mut server, id) = End::called();
    server.hears(&vector(FRAMES, "reset_cancelled"));
    assert!(matches!(server.machine.poll_event(), Some(Event::Cancelled(cancelled)) if cancelled == id));
    server.machine.reply(id, &Reply::new(1, Bytes::new()));
    assert_eq!(server.told(), b"");
    server.hears(&open(F_END, call_id(2, 0), b""));
    server.taken();
    let (mut client, id) = End::calling();
    client.machine.cancel(id, ResetCode::Cancelled);
    assert_eq!(client.told(), vector(FRAMES, "reset_cancelled"));
    assert_eq!(client.calls(b"").slot(), id.slot());
}

#[test]
fn rule_s11_e5_a_reset_from_the_callee_is_an_error_by_its_code() {
    let errors = [
        ("cancelled", ErrorKind::Cancelled, Fate::MaybeExecuted),
        ("refused", ErrorKind::Refused, Fate::Refused),
        ("deadline_exceeded", ErrorKind::DeadlineExceeded, Fate::MaybeExecuted),
        ("limit_exceeded", ErrorKind::LimitExceeded, Fate::Failed),
    ];
    for (name, kind, fate) in errors {
        let (mut client, id) = End::calling();
        client.hears(&vector(FRAMES, &format!("reset_{name}")));
        let error = client.failure(id);
        assert_eq!((error.kind(), error.fate()), (kind, fate), "{name}");
        assert_eq!(client.machine.calls_in_flight(), 0);
        // The handler of a call whose answer has begun has run, whatever the code says.
        let (mut client, id) = End::calling();
        client.hears(&frame(REPLY, F_MORE, FIRST, &part(9, b"1234")));
        client.hears(&vector(FRAMES, &format!("reset_{name}")));
        assert_eq!(client.failure(id).fate(), Fate::Failed);
    }
}

#[test]
fn rule_s12_a_call_that_waits_for_nothing_keeps_its_slot_until_it_is_answered() {
    let answers = ["reply", "reply_items", "end", "end_status", "reset_refused"];
    for name in answers {
        let mut client = End::client();
        let metadata = Metadata::new();
        let call = OpenCall { oneway: true, ..OpenCall::new(MethodId::new(7), 1, Bytes::new(), &metadata) };
        client.machine.open(&call).unwrap();
        assert_eq!((client.frame().flags, client.machine.calls_in_flight()), (F_END | F_ONEWAY, 1));
        client.hears(&vector(FRAMES, name));
        assert_eq!(client.machine.calls_in_flight(), 0, "{name}");
        let reset = if name == "reply_items" { vector(FRAMES, "reset_cancelled") } else { Vec::new() };
        assert_eq!(client.told(), reset, "{name}");
    }
}

#[test]
fn rule_s13_e4_what_is_over_a_limit_ends_the_call_alone() {
    let settings = Settings { message_bytes_max: 8, metadata_bytes_max: 15, ..Settings::default() };
    let config = Config { settings, ..Config::default() };
    let entry = b"\0\x01\0\x08\0\0\0k12345678";
    let metadata = [&16_u32.to_le_bytes()[..], entry].concat();
    let with_method = |content: &[u8]| [&7_u64.to_le_bytes()[..], content].concat();
    let requests = [
        open(F_END, FIRST, b"123456789"),
        open(F_MORE, FIRST, &part(9, b"1")),
        frame(OPEN, F_END | F_METADATA, FIRST, &with_method(&metadata)),
        [open(0, FIRST, b""), frame(DATA, 0, FIRST, b"123456789")].concat(),
        [open(0, FIRST, b""), frame(DATA, F_MORE, FIRST, &part(9, b"1"))].concat(),
    ];
    for bytes in requests {
        let mut server = End::open_with(Side::Server, config.clone(), Settings::default());
        server.hears(&bytes);
        let answer = server.frame();
        assert_eq!((answer.kind, &answer.content[..2]), (END, &[8, 0][..]));
        server.hears(&open(F_END, call_id(2, 0), b"12345678"));
        while !matches!(server.machine.poll_event(), Some(Event::Call(call)) if call.id.sequence() == 2) {}
    }
    let answers = [
        frame(REPLY, F_END, FIRST, b"123456789"),
        frame(REPLY, F_MORE, FIRST, &part(9, b"1")),
        frame(REPLY, F_END | F_METADATA, FIRST, &metadata),
    ];
    for bytes in answers {
        let mut client = End::open_with(Side::Client, config.clone(), Settings::default());
        let id = client.calls(b"");
        client.hears(&bytes);
        let reset = client.frame();
        assert_eq!((reset.kind, reset.number()), (RESET, 4));
        let error = client.failure(id);
        assert_eq!((error.kind(), error.fate()), (ErrorKind::LimitExceeded, Fate::Failed));
        client.calls(b"");
    }
}
