//! How calls and connections end: answered, cancelled, interrupted, drained, silent, lost.

use std::time::Duration;

use bytes::Bytes;

use super::super::*;
use super::kit::*;
use crate::wire::Flags;
use crate::{Code, ErrorKind, Fate, Metadata, Status};

#[test]
fn goaway_ends_the_calls_that_were_not_taken_as_refused() {
    let mut pair = Pair::default();
    let (taken, _) = pair.call(&unary("before"));
    pair.server.drain("a new version is here");
    let late = pair.client.open(&unary("crossing")).unwrap();
    pair.settle();
    assert!(matches!(pair.client.poll_event(), Some(Event::Draining)));
    let error = error_of(&mut pair.client, late);
    assert_eq!((error.kind(), error.fate()), (ErrorKind::Refused, Fate::Refused));
    assert!(error.is_retryable());
    assert!(pair.server.poll_event().is_none(), "the late call was not passed on");
    assert!(matches!(pair.client.open(&unary("after")), Err(OpenError::Closed)));
    pair.server.reply(taken, &Reply::new(1, Bytes::from_static(b"answered")));
    pair.settle();
    assert_eq!(reply_of(&mut pair.client, taken).unwrap().unwrap().message, "answered");
    pair.assert_at_rest();
}

#[test]
fn a_call_that_the_writer_never_took_was_never_sent() {
    let mut pair = Pair::default();
    let sent = pair.client.open(&unary("sent")).unwrap();
    pair.transmit(Side::Client);
    let unsent = pair.client.open(&unary("unsent")).unwrap();
    let (answered, half) = (pair.client.open(&unary("")).unwrap(), pair.client.open(&unary("")).unwrap());
    let mut server = Lone::server();
    server.machine = pair.client;
    server.feed(FrameKind::Reply, answered, Flags::END, b"done").unwrap();
    server.feed(FrameKind::Reply, half, Flags::NONE, b"items follow").unwrap();
    let mut client = server.machine;
    client.lost("the cable was cut");
    assert_eq!(error_of(&mut client, sent).fate(), Fate::MaybeExecuted);
    let error = error_of(&mut client, unsent);
    assert_eq!((error.kind(), error.fate()), (ErrorKind::ConnectionLost, Fate::NeverSent));
    assert!(error.is_retryable());
    assert!(reply_of(&mut client, answered).unwrap().is_ok(), "what has come is not lost");
    assert!(reply_of(&mut client, half).unwrap().is_ok());
    assert_eq!(items_of(&mut client, half).1.unwrap().unwrap_err().fate(), Fate::Failed);
    assert_eq!(client.calls_in_flight(), 0);
}

#[test]
fn a_silent_peer_is_pinged_and_then_given_up() {
    let mut pair = Pair::default();
    let (id, _) = pair.call(&unary(""));
    let start = pair.now;
    let client = &mut pair.client;
    assert_eq!(client.timer(), start + Duration::from_secs(10));
    client.on_timer(start + Duration::from_secs(10)).unwrap();
    assert!(client.is_in_doubt());
    assert_eq!(client.timer(), start + Duration::from_secs(30));
    client.on_timer(start + Duration::from_secs(29)).unwrap();
    assert_eq!(client.unsent_bytes(), 0);
    client.on_timer(start + Duration::from_secs(30)).unwrap();
    assert!(client.unsent_bytes() > 0, "a ping");
    assert_eq!(client.timer(), start + Duration::from_secs(50));
    client.on_timer(start + Duration::from_secs(49)).unwrap();
    let fatal = client.on_timer(start + Duration::from_secs(50)).expect_err("nothing was heard");
    assert_eq!(fatal.code, CloseCode::Timeout);
    client.close(&fatal);
    let error = error_of(client, id);
    assert_eq!((error.kind(), error.fate()), (ErrorKind::ConnectionLost, Fate::MaybeExecuted));
    client.on_timer(start + Duration::from_secs(500)).expect("it has ended already");
}

#[test]
fn a_peer_that_answers_pings_lives_on() {
    let mut pair = Pair::default();
    for _ in 0..1000 {
        pair.now = pair.client.timer();
        pair.client.on_timer(pair.now).unwrap();
        pair.settle();
        pair.server.on_timer(pair.now).unwrap();
    }
    pair.assert_at_rest();
}

#[test]
fn times_beyond_all_reason_do_not_overflow() {
    let never = config(|config| (config.ping_interval, config.ping_timeout) = (Duration::MAX, Duration::MAX));
    let mut pair = Pair::open(never.clone(), never);
    let timer = pair.client.timer();
    pair.client.on_timer(timer).unwrap();
    assert!(pair.client.timer() > timer);
}

#[test]
fn a_status_interrupts_an_answer_that_is_half_sent() {
    let mut pair = Pair::default();
    let (whole, _) = pair.call(&unary("result"));
    let (stream, _) = pair.call(&unary("items"));
    let large = Bytes::from(vec![0; 4 << 20]);
    pair.server.reply(stream, &reply_with_items(""));
    send_items(&mut pair.server, stream, &[Bytes::from_static(b"first"), large.clone()]);
    pair.server.reply(whole, &Reply::new(1, large));
    pair.transmit(Side::Server);
    for id in [whole, stream] {
        pair.server.fail(id, Status::new(Code::Aborted, "the handler gave up"));
    }
    pair.settle();
    assert_eq!(error_of(&mut pair.client, whole).code(), Code::Aborted);
    assert!(reply_of(&mut pair.client, stream).unwrap().is_ok());
    assert_eq!(items_of(&mut pair.client, stream).0, ["first"]);
    assert_eq!(items_of(&mut pair.client, stream).1.unwrap().unwrap_err().code(), Code::Aborted);
    pair.assert_at_rest();
}

#[test]
fn a_call_cancelled_within_its_arguments_leaves_nothing_behind() {
    let mut pair = Pair::default();
    for bytes in [0, 1, 16 << 10, 70_000, 200_000, usize::MAX] {
        let id = pair.client.open(&unary(vec![0; 4 << 20])).unwrap();
        pair.transmit(Side::Client);
        pair.deliver(Side::Client, bytes);
        pair.client.cancel(id, ResetCode::Cancelled);
        pair.settle();
        assert!(pair.server.poll_event().is_none(), "it never was whole");
        pair.assert_at_rest();
    }
}

#[test]
fn an_answer_and_a_cancel_that_cross_harm_nobody() {
    let mut pair = Pair::default();
    let (id, _) = pair.call(&unary(""));
    pair.server.reply(id, &Reply::new(1, Bytes::from_static(b"crossing")));
    pair.client.cancel(id, ResetCode::Cancelled);
    let next = pair.client.open(&unary("")).unwrap();
    assert_eq!(next.slot(), id.slot());
    pair.settle();
    assert_eq!(pair.incoming().id, next);
    assert!(reply_of(&mut pair.client, next).is_none());
    assert_eq!((pair.client.late_frames(), pair.server.late_frames()), (1, 1));
    pair.client.cancel(next, ResetCode::Cancelled);
    pair.settle();
    assert!(matches!(pair.server.poll_event(), Some(Event::Cancelled(_))));
    pair.assert_at_rest();
}

#[test]
fn what_is_said_after_the_last_word_is_not_sent() {
    let mut pair = Pair::default();
    let (id, _) = pair.call(&with_items(""));
    send_items(&mut pair.client, id, &[Bytes::from_static(b"last")]);
    pair.client.end_items(id);
    pair.client.end_items(id);
    assert_eq!(send_items(&mut pair.client, id, &[Bytes::new()]), 1);
    pair.client.fail(id, Status::new(Code::Internal, "callers have no status"));
    pair.settle();
    assert_eq!(items_of(&mut pair.server, id).0, ["last"]);
    assert!(!items_of(&mut pair.server, id).1.unwrap().unwrap());
    assert!(!items_of(&mut pair.server, id).1.unwrap().unwrap(), "the end stays the end");
    pair.server.reply(id, &reply_with_items("once"));
    pair.server.reply(id, &reply_with_items("twice"));
    pair.server.end_items(id);
    pair.server.end_items(id);
    pair.server.fail(id, Status::new(Code::Internal, "too late"));
    pair.settle();
    assert_eq!(reply_of(&mut pair.client, id).unwrap().unwrap().message, "once");
    assert!(!items_of(&mut pair.client, id).1.unwrap().unwrap());
    assert_eq!(items_of(&mut pair.client, id).1.unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    pair.assert_at_rest();
}

#[test]
fn items_sent_after_the_answer_go_nowhere() {
    let mut pair = Pair::default();
    let (id, _) = pair.call(&with_items(""));
    pair.server.reply(id, &Reply::new(1, Bytes::new()));
    pair.settle();
    assert_eq!(send_items(&mut pair.client, id, &[Bytes::new()]), 1);
    assert_eq!(pair.client.unsent_bytes(), 0);
    pair.client.end_items(id);
    assert!(reply_of(&mut pair.client, id).unwrap().is_ok());
    pair.assert_at_rest();
}

#[test]
fn a_oneway_call_that_is_answered_with_items_cancels_them() {
    let mut pair = Pair::default();
    let (id, incoming) = pair.call(&OpenCall { oneway: true, ..unary("") });
    assert!(incoming.oneway);
    pair.server.reply(id, &reply_with_items(""));
    pair.settle();
    assert!(matches!(pair.server.poll_event(), Some(Event::Cancelled(gone)) if gone == id));
    pair.assert_at_rest();
}

#[test]
fn a_closed_connection_neither_reads_nor_writes_more_than_its_farewell() {
    // So little that the items below are worth a grant when they are read.
    let tight = config(|config| {
        config.settings.connection_window_bytes = 64 << 10;
        config.buffer_bytes_max = 0;
    });
    let mut pair = Pair::open(tight, Config::default());
    let (stream, _) = pair.call(&unary(""));
    pair.server.reply(stream, &reply_with_items(""));
    send_items(&mut pair.server, stream, &vec![Bytes::from(vec![0; 4096]); 15]);
    let (answered, _) = pair.call(&unary(""));
    pair.client.close(&Fatal::new(CloseCode::Shutdown, "the program ends"));
    assert_eq!(items_of(&mut pair.client, stream).0.len(), 15, "what has come can be read");
    pair.client.cancel(stream, ResetCode::Cancelled);
    assert_eq!(error_of(&mut pair.client, answered).kind(), ErrorKind::Closed);
    let mut lone = Lone::client();
    lone.machine = pair.client;
    let frames = lone.frames();
    assert_eq!(frames.iter().map(|(header, _)| header.kind).collect::<Vec<_>>(), [Some(FrameKind::GoAway)]);
    lone.bytes(&[0xff; 1000]).expect("nobody looks");
    assert!(lone.machine.is_at_rest() && !lone.machine.takes_calls());
}

#[test]
fn a_farewell_with_a_fault_ends_all_and_wakes_those_who_wait_for_a_slot() {
    let one = config(|config| config.settings.calls_max = 1);
    let mut lone = Lone::new(Side::Client, one, Settings::default());
    let only = lone.machine.open(&OpenCall { oneway: true, ..unary("") }).unwrap();
    assert!(matches!(lone.machine.open(&unary("")), Err(OpenError::Full)));
    let farewell = [&only.as_u64().to_le_bytes()[..], &[9, 0], b"broken"].concat();
    lone.feed(FrameKind::GoAway, StreamId::CONNECTION, Flags::NONE, &farewell).unwrap();
    assert!(lone.machine.is_closed() && lone.machine.is_idle());
    assert_eq!(lone.machine.take_freed_slots(), usize::MAX);
    assert!(matches!(lone.machine.open(&unary("")), Err(OpenError::Closed)));
}

#[test]
fn nothing_is_received_after_a_farewell_in_the_same_read() {
    let mut lone = Lone::server();
    let farewell = [&[0; 8][..], &[1, 0]].concat();
    let farewell = frame(FrameKind::GoAway, StreamId::CONNECTION, Flags::NONE, &farewell);
    let open = frame(FrameKind::Open, id(1, 0), Flags::END, &open_content(b""));
    lone.bytes(&[farewell, open].concat()).unwrap();
    assert!(std::iter::from_fn(|| lone.machine.poll_event()).all(|event| !matches!(event, Event::Call(_))));
    assert_eq!(lone.machine.calls_in_flight(), 0);
}

#[test]
fn metadata_as_long_as_is_allowed_fits_beside_its_message() {
    let wide = || config(|config| config.settings.metadata_bytes_max = 1 << 20);
    let mut pair = Pair::open(wide(), wide());
    let room = pair.client.peer_settings().unwrap().metadata_bytes_max as usize;
    let mut metadata = Metadata::new();
    metadata.insert("k", &vec![0; room - 8][..]);
    let call = OpenCall { timeout: Some(Duration::MAX), metadata: &metadata, ..unary(vec![1; 100_000]) };
    let (id, incoming) = pair.call(&call);
    assert_eq!((incoming.metadata.len(), incoming.message.len()), (1, 100_000));
    pair.server.reply(id, &Reply { metadata, ..Reply::new(1, vec![1; 100_000].into()) });
    pair.settle();
    assert_eq!(reply_of(&mut pair.client, id).unwrap().unwrap().message.len(), 100_000);
    pair.assert_at_rest();
}

#[test]
fn a_call_whose_frame_leaves_with_the_farewell_may_have_run() {
    let mut pair = Pair::open(Config::default(), Config::default());
    let id = pair.client.open(&unary("")).unwrap();
    pair.client.close(&Fatal::new(CloseCode::Shutdown, "the program ends"));
    assert_eq!(error_of(&mut pair.client, id).fate(), Fate::MaybeExecuted);
}

#[test]
fn a_call_that_was_never_sent_does_not_leave_after_the_connection_is_lost() {
    let mut pair = Pair::open(Config::default(), Config::default());
    let id = pair.client.open(&unary("")).unwrap();
    pair.client.lost("the link is gone");
    assert_eq!(error_of(&mut pair.client, id).fate(), Fate::NeverSent);
    assert_eq!(pair.client.unsent_bytes(), 0);
}
