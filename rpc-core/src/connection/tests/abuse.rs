//! Floods: what a peer can do as often as it likes costs this side little, or ends the connection.

use std::time::Duration;

use bytes::Bytes;

use super::super::*;
use super::kit::*;
use crate::Code;
use crate::wire::Flags;

const CANCELLED: [u8; 2] = [1, 0];

/// Opens and cancels calls, so many a second, until the connection ends or the number is reached.
fn rapid_resets(lone: &mut Lone, number: u64, per_second: u32) -> (u64, Option<CloseCode>) {
    for sequence in 1..=number {
        lone.feed(FrameKind::Open, id(sequence, 0), Flags::END, &open_content(b"")).unwrap();
        if let Err(fatal) = lone.feed(FrameKind::Reset, id(sequence, 0), Flags::NONE, &CANCELLED) {
            return (sequence, Some(fatal.code));
        }
        while lone.machine.poll_event().is_some() {}
        lone.now += Duration::from_secs(1) / per_second;
    }
    (number, None)
}

#[test]
fn fault_20_rapid_resets_close_the_connection_once_the_budget_is_spent() {
    let (reached, code) = rapid_resets(&mut Lone::server(), 100_000, 100_000);
    assert_eq!(code, Some(CloseCode::TooManyResets));
    assert!((2048..2100).contains(&reached), "{reached} handlers were started");
}

#[test]
fn fault_20_as_many_resets_as_an_overload_brings_about_close_nothing() {
    assert_eq!(rapid_resets(&mut Lone::server(), 20_000, 1000).1, None);
}

#[test]
fn fault_20_giving_up_an_answer_half_read_costs_no_budget() {
    let mut lone = Lone::server();
    for sequence in 1..10_000 {
        lone.feed(FrameKind::Open, id(sequence, 0), Flags::END, &open_content(b"")).unwrap();
        lone.machine.reply(id(sequence, 0), &reply_with_items(""));
        lone.feed(FrameKind::Reset, id(sequence, 0), Flags::NONE, &CANCELLED).unwrap();
        assert!(matches!(lone.machine.poll_event(), Some(Event::Call(_))));
        assert!(matches!(lone.machine.poll_event(), Some(Event::Cancelled(_))));
        lone.frames();
    }
    assert!(lone.machine.is_at_rest());
}

#[test]
fn fault_21_cancels_of_calls_that_have_ended_close_the_connection_in_the_end() {
    let mut lone = Lone::server();
    lone.feed(FrameKind::Open, id(1, 0), Flags::END, &open_content(b"")).unwrap();
    lone.machine.reply(id(1, 0), &Reply::new(1, Bytes::new()));
    let failed = (0..10_000).find_map(|at| {
        let result = lone.feed(FrameKind::Reset, id(1, 0), Flags::NONE, &CANCELLED);
        result.err().map(|fatal| (at, fatal.code))
    });
    let (at, code) = failed.expect("there is an end to it");
    assert!(at >= 2000 && code == CloseCode::TooManyResets);
    assert_eq!(lone.refuses(FrameKind::Reset, id(7, 0), Flags::NONE, &CANCELLED), CloseCode::Protocol);
}

#[test]
fn fault_22_calls_above_the_maximum_are_refused_and_kept_nowhere() {
    let few = config(|config| config.settings.calls_max = 10);
    let mut lone = Lone::new(Side::Server, few, Settings::default());
    for slot in 0..110 {
        let content = open_content(&[0; 1000]);
        lone.feed(FrameKind::Open, id(u64::from(slot) + 1, slot), Flags::END, &content).unwrap();
    }
    assert_eq!(lone.machine.calls_in_flight(), 10);
    assert_eq!(std::iter::from_fn(|| lone.machine.poll_event()).count(), 10);
    let resets = lone.frames();
    assert_eq!(resets.len(), 100);
    assert!(resets.iter().all(|(header, content)| {
        header.kind == Some(FrameKind::Reset) && content[..] == (ResetCode::Refused as u16).to_le_bytes()
    }));
    let closed = (200..1000).find_map(|slot| {
        lone.feed(FrameKind::Open, id(u64::from(slot) + 1, slot), Flags::END, &open_content(b"")).err()
    });
    assert_eq!(closed.expect("the peer does not listen").code, CloseCode::TooManyResets);
}

#[test]
fn fault_22_a_client_takes_no_calls() {
    let mut lone = Lone::client();
    let theirs = StreamId::new(1, 0, true);
    lone.feed(FrameKind::Open, theirs, Flags::END, &open_content(b"")).unwrap();
    assert!(lone.machine.poll_event().is_none());
    assert_eq!(lone.frames()[0].0.kind, Some(FrameKind::Reset));
}

#[test]
fn fault_23_pings_are_answered_until_they_come_too_often() {
    let mut lone = Lone::server();
    let content = *b"12345678";
    for _ in 0..100 {
        lone.feed(FrameKind::Ping, StreamId::CONNECTION, Flags::NONE, &content).unwrap();
        let (header, echo) = lone.frames().remove(0);
        assert_eq!((header.kind, &echo[..]), (Some(FrameKind::Pong), &content[..]));
        lone.now += Duration::from_secs(5);
    }
    let refused = (0..20).find_map(|at| {
        lone.feed(FrameKind::Ping, StreamId::CONNECTION, Flags::NONE, &content)
            .err()
            .map(|fatal| (at, fatal.code))
    });
    assert_eq!(refused, Some((10, CloseCode::TooManyPings)));
}

#[test]
fn fault_23_empty_credits_and_farewells_are_counted_too() {
    for (kind, content) in [(FrameKind::Credit, &[0; 4][..]), (FrameKind::GoAway, &[0; 10][..])] {
        let mut lone = Lone::client();
        let refused = (0..20).find_map(|_| lone.feed(kind, StreamId::CONNECTION, Flags::NONE, content).err());
        assert_eq!(refused.expect("they lead nowhere").code, CloseCode::Protocol);
    }
}

#[test]
fn more_credit_than_there_can_be_is_a_flow_control_error() {
    let mut lone = Lone::server();
    let refused = (0..1000)
        .find_map(|_| lone.feed(FrameKind::Credit, StreamId::CONNECTION, Flags::NONE, &[0xff; 4]).err());
    assert_eq!(refused.expect("there is an end to it").code, CloseCode::FlowControl);
}

/// Metadata of so many entries with keys of so many bytes, as an OPEN frame holds it.
fn metadata(entries: usize, key_bytes: usize) -> Vec<u8> {
    let mut raw = Vec::new();
    for entry in 0..entries {
        raw.extend_from_slice(&[0, key_bytes as u8, (key_bytes >> 8) as u8, 0, 0, 0, 0]);
        let number = entry.to_string();
        raw.resize(raw.len() + key_bytes - number.len(), b'0');
        raw.extend_from_slice(number.as_bytes());
    }
    let bytes = u32::try_from(raw.len()).unwrap();
    [&bytes.to_le_bytes()[..], &raw].concat()
}

/// How a server with these settings ends a call with this metadata; none where it passes it on.
fn verdict(settings: Settings, metadata: &[u8]) -> Option<Code> {
    let mut lone = Lone::new(Side::Server, config(|config| config.settings = settings), Settings::default());
    let flags = Flags::METADATA.with_if(Flags::END, true);
    lone.feed(FrameKind::Open, id(1, 0), flags, &open_content(metadata)).unwrap();
    if let Some(Event::Call(_)) = lone.machine.poll_event() {
        return None;
    }
    assert!(lone.machine.is_idle());
    let (_, content) = lone.frames().remove(0);
    Some(Code::from_u16(u16::from_le_bytes([content[0], content[1]])))
}

#[test]
fn fault_24_metadata_over_a_limit_ends_the_call() {
    assert_eq!(verdict(Settings::default(), &metadata(1000, 9)), None);
    assert_eq!(verdict(Settings::default(), &metadata(1025, 9)), Some(Code::ResourceExhausted));
    assert_eq!(verdict(Settings::default(), &metadata(1, 256)), None);
    assert_eq!(verdict(Settings::default(), &metadata(1, 257)), Some(Code::InvalidArgument));
    let mut lone = Lone::server();
    let flags = Flags::METADATA.with_if(Flags::END, true);
    let code = lone.refuses(FrameKind::Open, id(1, 0), flags, &open_content(&metadata(1, 1 << 20)));
    assert_eq!(code, CloseCode::FrameTooLarge);
}

#[test]
fn fault_24_a_hundred_thousand_entries_are_read_in_no_more_than_their_share_of_time() {
    let wide = Settings { frame_bytes_max: 1 << 24, metadata_bytes_max: 1 << 23, ..Settings::default() };
    let mut twice = metadata(100_000, 6);
    assert_eq!(verdict(wide.clone(), &twice), None);
    // The last entry bears the name of the first.
    let end = twice.len();
    twice[end - 6..].copy_from_slice(b"000000");
    assert_eq!(verdict(wide, &twice), Some(Code::InvalidArgument));
}

#[test]
fn a_reason_of_any_length_is_kept_short() {
    let mut lone = Lone::client();
    let call = lone.machine.open(&unary("")).unwrap();
    let farewell = [&[0; 8][..], &[1, 0], &[0xff; 60_000]].concat();
    lone.feed(FrameKind::GoAway, StreamId::CONNECTION, Flags::NONE, &farewell).unwrap();
    assert!(lone.machine.closed_reason().unwrap().len() < 1200);
    assert!(error_of(&mut lone.machine, call).to_string().len() < 1200);
}
