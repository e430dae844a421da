//! Rules L1 to L3 and E1 to E4: limits, budgets and codes.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::kit::{END, End, F_END, FIRST, FRAMES, RESET, call_id, frame, open, vector, vectors};
use crate::connection::{Config, OpenCall, OpenError, Reply, Side};
use crate::wire::{CloseCode, FrameHeader, HEADER_BYTES, ResetCode, Settings, StreamId};
use crate::{Code, ErrorKind, Fate, Metadata, MethodId, Status};

fn calls_max(calls_max: u32) -> Settings {
    Settings { calls_max, ..Settings::default() }
}

#[test]
fn rule_l1_calls_over_the_lower_limit_wait() {
    for (own, peer) in [(2, 1024), (1024, 2)] {
        let config = Config { settings: calls_max(own), ..Config::default() };
        let mut client = End::open_with(Side::Client, config, calls_max(peer));
        let first = client.calls(b"");
        client.calls(b"");
        assert!(matches!(client.try_open(false, Bytes::new()), Err(OpenError::Full)));
        assert_eq!(client.told(), b"");
        client.machine.cancel(first, ResetCode::Cancelled);
        assert!(client.try_open(false, Bytes::new()).is_ok());
    }
}

#[test]
fn rule_l2_a_sender_keeps_to_the_receivers_limits() {
    let peer = Settings { message_bytes_max: 8, metadata_bytes_max: 15, ..Settings::default() };
    let mut metadata = Metadata::new();
    metadata.insert("k", "1234567");
    let mut client = End::open_with(Side::Client, Config::default(), peer.clone());
    let call = |message| OpenCall::new(MethodId::new(7), 1, Bytes::from_static(message), &metadata);
    client.machine.open(&call(b"12345678")).unwrap();
    client.told();
    let mut wider = metadata.clone();
    wider.insert("k", "12345678");
    for call in [call(b"123456789"), OpenCall { metadata: &wider, ..call(b"") }] {
        let Err(OpenError::Failed(error)) = client.machine.open(&call) else { panic!("it is over a limit") };
        assert_eq!((error.kind(), error.fate()), (ErrorKind::LimitExceeded, Fate::NeverSent));
        assert_eq!(client.told(), b"");
    }
    let long = Reply::new(1, Bytes::from_static(b"123456789"));
    for reply in [long, Reply { metadata: wider, ..Reply::new(1, Bytes::new()) }] {
        let mut server = End::open_with(Side::Server, Config::default(), peer.clone());
        server.hears(&open(F_END, FIRST, b""));
        let id = server.taken().id;
        server.machine.reply(id, &reply);
        assert_eq!(server.frame().content[..2], [8, 0]);
    }
}

#[test]
fn rule_l3_calls_that_are_cancelled_or_refused_have_a_budget() {
    let config = Config { settings: calls_max(4), ..Config::default() };
    let server = || End::open_with(Side::Server, config.clone(), Settings::default());
    let opened = |sequence| open(F_END, call_id(sequence, 0), b"");
    let reset = |sequence| frame(RESET, 0, call_id(sequence, 0), &[1, 0]);
    let cancelled = |sequence| [opened(sequence), reset(sequence)].concat();
    let mut cancels = server();
    (1..=200).for_each(|sequence| cancels.hears(&cancelled(sequence)));
    cancels.now += Duration::from_millis(11);
    cancels.hears(&cancelled(201));
    for sequence in 202..300 {
        cancels.hears(&opened(sequence));
        let id = StreamId::from_u64(call_id(sequence, 0));
        cancels.machine.reply(id, &Reply { items: true, ..Reply::new(1, Bytes::new()) });
        cancels.hears(&reset(sequence));
    }
    cancels.hears(&opened(300));
    cancels.machine.end_items(StreamId::from_u64(call_id(300, 0)));
    cancels.hears(&cancelled(301));
    assert_eq!(cancels.faults(&cancelled(302)), CloseCode::TooManyResets);
    let refused = |sequence| open(F_END, call_id(sequence, 4), b"");
    let mut refusals = server();
    (1..=200).for_each(|sequence| refusals.hears(&refused(sequence)));
    assert_eq!(refusals.faults(&refused(201)), CloseCode::TooManyResets);
}

#[test]
fn rule_e1_an_unknown_status_code_is_unknown() {
    let (mut client, id) = End::calling();
    client.hears(&vector(FRAMES, "end_status_unknown_code"));
    assert_eq!(client.failure(id).status().map(Status::code), Some(Code::Unknown));
    for number in 0..=u16::MAX {
        let is_known = (1..=16).contains(&number);
        assert_eq!(Code::from_u16(number) as u16, if is_known { number } else { 2 });
    }
}

#[test]
fn rule_e2_an_unknown_reset_code_is_cancelled() {
    let (mut client, id) = End::calling();
    client.hears(&vector(FRAMES, "reset_unknown_code"));
    assert_eq!(client.failure(id).kind(), ErrorKind::Cancelled);
    for number in 0..=u16::MAX {
        let is_known = (1..=4).contains(&number);
        assert_eq!(ResetCode::from_u16(number) as u16, if is_known { number } else { 1 });
    }
}

#[test]
fn rule_e3_an_unknown_close_code_is_protocol() {
    let mut client = End::client();
    client.hears(&vector(FRAMES, "goaway_unknown_code"));
    assert!(client.machine.is_closed());
    for number in 0..=u16::MAX {
        let is_known = number <= 9;
        assert_eq!(CloseCode::from_u16(number) as u16, if is_known { number } else { 1 });
    }
}

#[test]
fn rule_e4_no_frame_ends_the_process() {
    for (_, bytes) in vectors(FRAMES) {
        assert_eq!(
            FrameHeader::parse(bytes.first_chunk::<HEADER_BYTES>().unwrap()).bytes as usize + 16,
            bytes.len()
        );
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            for mut end in [End::calling().0, End::called().0] {
                if let Err(fatal) = end.try_hear(&flipped) {
                    end.machine.close(&fatal);
                    assert_eq!(end.frames().last().map(|frame| frame.kind), Some(super::kit::GOAWAY));
                }
            }
        }
    }
}

#[test]
fn a_long_frame_gets_room_as_it_comes() {
    let long = 4 << 20;
    let settings = Settings { frame_bytes_max: long, ..Settings::default() };
    let mut server =
        End::open_with(Side::Server, Config { settings, ..Config::default() }, Settings::default());
    let mut input = BytesMut::from(&long.to_le_bytes()[..]);
    input.extend_from_slice(&[1; 12]);
    server.machine.receive(&mut input, server.now).unwrap();
    assert_eq!(server.machine.missing_bytes(), long as usize);
    assert!(input.capacity() < 128 << 10, "a length alone gets {} bytes", input.capacity());
    input.extend_from_slice(&[0; 32 << 10]);
    server.machine.receive(&mut input, server.now).unwrap();
    assert_eq!(server.machine.missing_bytes(), (long as usize) - (32 << 10));
    assert!(input.capacity() >= long as usize, "the rest of it needs no further memory");
}

#[test]
fn rule_p8_a_text_that_nobody_reads_to_its_end_is_cut() {
    let settings = Settings { frame_bytes_max: 4 << 20, ..Settings::default() };
    let mut client =
        End::open_with(Side::Client, Config { settings, ..Config::default() }, Settings::default());
    let id = client.try_open(false, Bytes::new()).unwrap();
    let text = "x".repeat(60 << 10) + &"é".repeat(4 << 10);
    let content = [&2_u16.to_le_bytes()[..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat();
    client.hears(&frame(END, F_END, id.as_u64(), &content));
    let error = client.failure(id);
    let bytes = error.status().map_or(0, |status| status.message().len());
    assert!(((64 << 10) - 2..=64 << 10).contains(&bytes), "{bytes} of {}", text.len());
}
