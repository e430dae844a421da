//! Rules K1 to K6, K8 and G1 to G6: silence, farewells and lost links.

use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;

use super::kit::{END, End, F_END, FIRST, FRAMES, GOAWAY, OPEN, RESET, call_id, frame, goaway, open, vector};
use crate::connection::{Config, Event, OpenError, Reply, Side};
use crate::wire::{CloseCode, Settings};
use crate::{ErrorKind, Fate};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn rule_k1_silence_is_answered_with_a_ping() {
    for mut end in End::both() {
        end.waits(29 * SECOND).unwrap();
        end.hears(&vector(FRAMES, "pong"));
        end.waits(25 * SECOND).unwrap();
        end.hears(&vector(FRAMES, "ping")[..1]);
        end.waits(4 * SECOND).unwrap();
        assert_eq!(end.told(), b"", "the part of a frame does not count");
        end.waits(SECOND).unwrap();
        assert_eq!(end.told(), vector(FRAMES, "ping"));
        end.waits(19 * SECOND).unwrap();
        assert_eq!(end.told(), b"", "one ping is enough");
    }
}

#[test]
fn rule_k1_each_further_64_kib_of_a_frame_are_a_sign_of_life() {
    let settings = Settings { frame_bytes_max: 4 << 20, ..Settings::default() };
    let mut end = End::open_with(Side::Server, Config { settings, ..Config::default() }, Settings::default());
    let long = frame(200, 0, 0, &vec![0; 4 << 20]);
    let mut at = 0;
    end.waits(29 * SECOND).unwrap();
    for bytes in [16 + (64 << 10), 64 << 10, 64 << 10] {
        end.hears(&long[at..at + bytes]);
        at += bytes;
        end.waits(29 * SECOND).unwrap();
        assert_eq!(end.told(), b"");
    }
    end.hears(&long[at..at + (64 << 10) - 1]);
    end.waits(SECOND).unwrap();
    assert_eq!(end.told(), vector(FRAMES, "ping"), "less than that is none");
}

#[test]
fn rule_k2_silence_after_a_ping_is_the_end() {
    for mut end in End::both() {
        end.waits(30 * SECOND).unwrap();
        end.waits(19 * SECOND).unwrap();
        end.hears(&vector(FRAMES, "unknown_kind"));
        end.waits(30 * SECOND).unwrap();
        end.told();
        let fatal = end.waits(20 * SECOND).unwrap_err();
        assert_eq!(fatal.code, CloseCode::Timeout);
        end.machine.close(&fatal);
        assert_eq!(end.frame().content[8..10], [7, 0]);
    }
}

#[test]
fn rule_k3_a_ping_is_answered_with_its_own_bytes() {
    for mut end in End::both() {
        end.hears(&vector(FRAMES, "ping_marked"));
        assert_eq!(end.told(), vector(FRAMES, "pong"));
    }
}

#[test]
fn rule_k4_pings_have_a_budget() {
    for mut end in End::both() {
        let ping = vector(FRAMES, "ping");
        (0..10).for_each(|_| end.hears(&ping));
        end.now += 5 * SECOND;
        end.hears(&ping);
        assert_eq!(end.faults(&ping), CloseCode::TooManyPings);
    }
}

#[test]
fn rule_k5_a_pong_is_not_answered() {
    for mut end in End::both() {
        end.hears(&vector(FRAMES, "pong"));
        assert_eq!(end.told(), b"");
    }
}

#[test]
fn rule_k6_a_call_waits_for_the_answer_to_a_ping() {
    let mut client = End::client();
    let sent = client.calls(b"");
    client.told();
    client.waits(30 * SECOND).unwrap();
    assert_eq!(client.told(), vector(FRAMES, "ping"));
    let held = client.calls(b"held");
    client.hears(&vector(FRAMES, "pong"));
    let frame = client.frame();
    assert_eq!((frame.kind, frame.id), (OPEN, held.as_u64()));
    client.waits(30 * SECOND).unwrap();
    let held_to_the_end = client.calls(b"");
    let fatal = client.waits(20 * SECOND).unwrap_err();
    client.machine.close(&fatal);
    assert_eq!(client.failure(held_to_the_end).fate(), Fate::NeverSent);
    assert_eq!(client.failure(sent).fate(), Fate::MaybeExecuted);
    assert_eq!(client.frame().kind, GOAWAY, "it does not leave with the farewell");
}

#[test]
fn rule_k6_a_call_that_cannot_be_held_back_waits_until_it_can_be_opened() {
    let mut client = End::client();
    client.waits(30 * SECOND).unwrap();
    for _ in 0..2000 {
        let opened = client.try_open(true, Bytes::new());
        assert!(matches!(opened, Err(OpenError::Full)), "its items would be lost");
    }
    client.hears(&vector(FRAMES, "pong"));
    assert_ne!(client.machine.take_freed_slots(), 0, "who waits is told");
    client.try_open(true, Bytes::new()).expect("trying takes no slot");
}

#[test]
fn rule_k8_a_call_after_a_long_silence_asks_for_a_sign_of_life_first() {
    let mut client = End::client();
    client.waits(10 * SECOND).unwrap();
    assert_eq!(client.told(), b"", "nobody asks yet");
    let now = client.now;
    client.machine.ping_if_silent(|| now);
    assert_eq!(client.machine.take_sooner_timer(), Some(now + 20 * SECOND));
    assert_eq!(client.told(), vector(FRAMES, "ping"));
    let held = client.calls(b"");
    client.machine.ping_if_silent(|| unreachable!("one ping is enough"));
    client.hears(&vector(FRAMES, "pong"));
    assert_eq!(client.frame().id, held.as_u64());
    assert_eq!(client.machine.take_sooner_timer(), Some(now + 10 * SECOND));
    client.machine.ping_if_silent(|| unreachable!("it was heard just now"));
    client.waits(10 * SECOND).unwrap();
    let now = client.now;
    client.machine.ping_if_silent(|| now);
    let lost = client.calls(b"");
    let fatal = client.waits(20 * SECOND).unwrap_err();
    client.machine.close(&fatal);
    assert_eq!(client.failure(lost).fate(), Fate::NeverSent);
}

#[test]
fn rule_g1_calls_above_the_last_one_did_not_run() {
    let (mut client, first) = End::calling();
    let others = [client.calls(b""), client.calls(b"")];
    client.hears(&goaway(FIRST, 0));
    for id in others {
        let error = client.failure(id);
        assert_eq!((error.kind(), error.fate()), (ErrorKind::Refused, Fate::Refused));
        assert!(error.is_retryable());
    }
    assert!(client.reply(first).is_pending());
    let (mut client, id) = End::calling();
    client.hears(&vector(FRAMES, "goaway_no_call"));
    assert_eq!(client.failure(id).fate(), Fate::Refused);

    let mut server = End::server();
    server.hears(&open(F_END, call_id(4, 1), b""));
    server.hears(&open(F_END, call_id(6, 0), b""));
    server.machine.drain("");
    assert_eq!(server.frame().number(), call_id(6, 0));
}

#[test]
fn rule_g2_calls_that_were_taken_go_on_after_a_farewell() {
    let (mut client, id) = End::calling();
    client.hears(&vector(FRAMES, "goaway_shutdown"));
    assert!(matches!(client.machine.poll_event(), Some(Event::Draining)));
    assert!(matches!(client.try_open(false, Bytes::new()), Err(OpenError::Closed)));
    client.hears(&vector(FRAMES, "reply"));
    assert!(matches!(client.reply(id), Poll::Ready(Ok(_))));

    let (mut server, id) = End::called();
    server.machine.drain("");
    server.told();
    server.hears(&open(F_END, call_id(2, 1), b""));
    let refusal = server.frame();
    assert_eq!((refusal.kind, refusal.number()), (RESET, 2));
    server.machine.reply(id, &Reply::new(1, Bytes::new()));
    assert_eq!(server.frame().id, FIRST);
}

#[test]
fn rule_g3_any_other_code_ends_all_calls() {
    let (mut client, first) = End::calling();
    let second = client.calls(b"");
    client.hears(&goaway(FIRST, 9));
    assert!(client.machine.is_closed());
    assert_eq!(client.failure(first).fate(), Fate::MaybeExecuted);
    assert_eq!(client.failure(second).fate(), Fate::Refused);
    let (mut server, id) = End::called();
    server.hears(&goaway(0, 1));
    let mut events = std::iter::from_fn(|| server.machine.poll_event());
    assert!(events.any(|event| matches!(event, Event::Cancelled(cancelled) if cancelled == id)));
}

#[test]
fn rule_g4_further_farewells_have_a_budget() {
    for mut end in End::both() {
        (0..11).for_each(|_| end.hears(&goaway(0, 0)));
        assert_eq!(end.faults(&goaway(0, 0)), CloseCode::Protocol);
    }
}

#[test]
fn rule_g5_the_goaway_of_a_fault_is_the_last_frame() {
    let (mut server, id) = End::called();
    server.machine.reply(id, &Reply::new(1, Bytes::from(vec![1; 1 << 20])));
    assert_eq!(server.faults(&frame(END, F_END, call_id(9, 9), b"")), CloseCode::Protocol);
    let frames = server.frames();
    assert_eq!(frames.last().map(|frame| frame.kind), Some(GOAWAY));
    assert!(frames.len() <= 2, "parts that wait are dropped");
    server.hears(&frame(super::kit::CREDIT, 0, 0, &[0, 0, 1, 0]));
    server.machine.reply(id, &Reply::new(1, Bytes::new()));
    server.machine.drain("");
    server.waits(100 * SECOND).unwrap();
    assert_eq!(server.told(), b"");
}

#[test]
fn rule_g6_e5_a_lost_link_tells_what_was_sent_from_what_was_not() {
    let (mut client, written) = End::calling();
    let unwritten = client.try_open(false, Bytes::new()).unwrap();
    client.machine.lost("the link is gone");
    let errors = [client.failure(written), client.failure(unwritten)];
    assert!(errors.iter().all(|error| error.kind() == ErrorKind::ConnectionLost));
    assert_eq!(errors.each_ref().map(crate::Error::fate), [Fate::MaybeExecuted, Fate::NeverSent]);
    assert_eq!(errors.each_ref().map(crate::Error::is_retryable), [false, true]);
    let (mut server, id) = End::called();
    server.machine.lost("the link is gone");
    assert!(matches!(server.machine.poll_event(), Some(Event::Cancelled(cancelled)) if cancelled == id));
}
