//! A peer that is taken to open as it did before (rule Q10).

use super::super::*;
use super::kit::{noop, unary};
use crate::wire::Hello;
use bytes::{Buf, BytesMut};
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

/// The peer grants more by the window that it has opened with, and reckons with what a call may send at first.
#[test]
fn calls_that_were_opened_may_send_as_much_as_the_peer_has_opened_with() {
    let (assumed, now) = (Settings::default(), Instant::now());
    let mut config = Config::default();
    config.settings.stream_window_bytes = 4 * assumed.stream_window_bytes;
    let (mut client, mut server) = (assuming(&assumed), Connection::new(Side::Server, config, now));
    client.open(&OpenCall { message: vec![7; 300 << 10].into(), ..early() }).unwrap();
    let carry = |from: &mut Connection, to: &mut Connection| {
        let mut written = Transmit::new();
        while from.poll_transmit(&mut noop(), &mut written).is_ready() {
            let mut bytes = BytesMut::from(&*written.copy_to_bytes(written.remaining()));
            to.receive(&mut bytes, now).unwrap();
        }
    };
    for _ in 0..20 {
        carry(&mut client, &mut server);
        carry(&mut server, &mut client);
    }
    let arrived = std::iter::from_fn(|| server.poll_event()).any(|event| matches!(event, Event::Call(_)));
    assert!(arrived, "the message has come whole");
}

#[test]
fn a_peer_that_opens_with_less_than_it_did_is_left() {
    let settings = Settings { codecs: vec![1, 2], compressors: vec![1], ..Settings::default() };
    let cases: [fn(&mut Settings); 9] = [
        |less| less.calls_max -= 1,
        |less| less.message_bytes_max -= 1,
        |less| less.frame_bytes_max -= 1,
        |less| less.metadata_bytes_max -= 1,
        |less| less.stream_window_bytes -= 1,
        |less| less.connection_window_bytes -= 1,
        |less| less.codecs = vec![200],
        |less| less.compressors = vec![200],
        |less| less.compressors = vec![],
    ];
    for (case, change) in cases.into_iter().enumerate() {
        let mut less = settings.clone();
        change(&mut less);
        let fatal = open_as(&mut assuming(&settings), &less).unwrap_err();
        assert_eq!(fatal.code, CloseCode::Protocol, "case {case}");
        assert!(fatal.reason.contains("allows less"), "case {case}: {}", fatal.reason);
    }
}
