//! A peer that is taken to open as it did before (rule Q10).

use super::super::*;
use super::kit::{noop, unary};
use crate::wire::Hello;
use bytes::BytesMut;
use std::time::Instant;

fn assuming(settings: &Settings) -> Connection {
    let mut machine = Connection::new(Side::Client, Config::default(), Instant::now());
    machine.assume(settings.clone());
    machine
}

fn early() -> OpenCall<'static> {
    OpenCall { early: true, ..unary("early") }
}

fn open_as(machine: &mut Connection, settings: &Settings) -> Result<(), Fatal> {
    let mut hello = BytesMut::new();
    Hello::new(settings.clone()).encode(&mut hello);
    machine.receive(&mut hello, Instant::now())
}

#[test]
fn only_calls_that_may_be_sent_early_go_out_before_the_peer_has_opened() {
    let settings = Settings::default();
    let mut machine = assuming(&settings);
    assert!(machine.open(&early()).is_ok());
    assert!(matches!(machine.open(&unary("late")), Err(OpenError::Full)));
    assert_eq!(machine.take_freed_slots(), 0);
    open_as(&mut machine, &settings).unwrap();
    assert_eq!(machine.take_freed_slots(), usize::MAX, "who waited is woken");
    assert!(machine.open(&unary("late")).is_ok());
    let mut written = Transmit::new();
    assert!(machine.poll_transmit(&mut noop(), &mut written).is_ready());
    assert_eq!(machine.calls_in_flight(), 2);
}

#[test]
fn a_peer_may_open_with_more_than_it_did() {
    let settings = Settings::default();
    let mut machine = assuming(&settings);
    machine.granted_out -= 100;
    let more = Settings {
        connection_window_bytes: settings.connection_window_bytes + 1000,
        calls_max: settings.calls_max + 1,
        ..settings.clone()
    };
    open_as(&mut machine, &more).unwrap();
    assert_eq!(machine.granted_out, u64::from(settings.connection_window_bytes) + 900);
    assert_eq!(machine.peer_settings(), Some(&more));
}

#[test]
fn a_peer_that_opens_with_less_than_it_did_is_left() {
    let settings = Settings { codecs: vec![1, 2], compressors: vec![1], ..Settings::default() };
    let cases: [fn(&mut Settings); 8] = [
        |less| less.calls_max -= 1,
        |less| less.message_bytes_max -= 1,
        |less| less.frame_bytes_max -= 1,
        |less| less.metadata_bytes_max -= 1,
        |less| less.stream_window_bytes -= 1,
        |less| less.connection_window_bytes -= 1,
        |less| less.codecs = vec![200],
        |less| less.compressors = vec![200],
    ];
    for (case, change) in cases.into_iter().enumerate() {
        let mut less = settings.clone();
        change(&mut less);
        let fatal = open_as(&mut assuming(&settings), &less).unwrap_err();
        assert_eq!(fatal.code, CloseCode::Protocol, "case {case}");
        assert!(fatal.reason.contains("allows less"), "case {case}: {}", fatal.reason);
    }
}
