//! Rules H1 to H12: what a connection starts with.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::kit::{End, GOAWAY, OPENINGS, PING, split, vector, vectors};
use crate::connection::{Config, OpenCall, OpenError, Side};
use crate::wire::{CloseCode, Hello, HelloError, Settings};
use crate::{Metadata, MethodId};

fn parse(name: &str) -> Hello {
    let mut input = BytesMut::from(&*vector(OPENINGS, name));
    let hello = Hello::parse(&mut input).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(input.is_empty());
    hello.unwrap_or_else(|| panic!("{name} is not complete"))
}

fn encode(settings: Settings) -> BytesMut {
    let mut out = BytesMut::new();
    Hello::new(settings).encode(&mut out);
    out
}

fn both_codecs() -> Settings {
    Settings { codecs: vec![1, 2], compressors: Vec::new(), ..Settings::default() }
}

#[test]
fn rule_h1_an_opening_is_written_and_read_to_the_byte() {
    let every_number = Settings {
        calls_max: 65_536,
        message_bytes_max: u32::MAX,
        frame_bytes_max: 16_777_216,
        metadata_bytes_max: 4096,
        stream_window_bytes: 1024,
        connection_window_bytes: 1_073_741_824,
        codecs: vec![1],
        compressors: Vec::new(),
    };
    let compressors = Settings { compressors: vec![1, 2, 3], ..both_codecs() };
    for (name, settings) in
        [("default", both_codecs()), ("every_number", every_number), ("compressors", compressors)]
    {
        assert_eq!(encode(settings.clone()), *vector(OPENINGS, name), "{name}");
        assert_eq!(parse(name), Hello::new(settings));
    }
    for side in [Side::Client, Side::Server] {
        let config = Config { settings: both_codecs(), ..Config::default() };
        assert_eq!(End::silent(side, config).told(), vector(OPENINGS, "default"));
    }
}

#[test]
fn rule_h2_a_start_of_something_else_is_told_in_any_pieces() {
    let is_right = |name: &str, error: &HelloError| match error {
        HelloError::Http => name.starts_with("http"),
        HelloError::Tls => name.starts_with("tls"),
        _ => name == "ssh",
    };
    for name in ["http_1", "http_2", "http_answer", "tls", "tls_alert", "ssh"] {
        let bytes = vector(OPENINGS, name);
        let at_once = Hello::parse(&mut BytesMut::from(&*bytes)).unwrap_err();
        assert!(is_right(name, &at_once), "{name}: {at_once}");
        let mut input = BytesMut::new();
        let by_byte = bytes.iter().find_map(|byte| {
            input.extend_from_slice(&[*byte]);
            Hello::parse(&mut input).err()
        });
        assert!(is_right(name, &by_byte.unwrap()), "{name} in single bytes");
        assert!(input.len() <= 4, "{name} was waited for");
    }
    assert!(Hello::parse(&mut BytesMut::from("farcalm")).is_err());
    assert_eq!(Hello::parse(&mut BytesMut::from("farcall")), Ok(None));
}

#[test]
fn rule_h3_another_major_version_is_answered_with_opening_and_goaway() {
    let mut server = End::silent(Side::Server, Config { settings: both_codecs(), ..Config::default() });
    let opening = vector(OPENINGS, "refused_version");
    let error = Hello::parse(&mut BytesMut::from(&opening[..12])).unwrap_err();
    assert_eq!(error, HelloError::Version(2));
    assert_eq!(server.faults(&opening), CloseCode::Version);
    assert_opening_and_goaway(&mut server, 6);
}

fn assert_opening_and_goaway(server: &mut End, code: u8) {
    let told = server.told();
    let (opening, rest) = told.split_at(vector(OPENINGS, "default").len());
    assert_eq!(opening, vector(OPENINGS, "default"));
    let frames = split(rest);
    assert_eq!((frames.len(), frames[0].kind, &frames[0].content[8..10]), (1, GOAWAY, &[code, 0][..]));
}

#[test]
fn rule_h4_h5_what_a_later_version_adds_is_skipped() {
    let hello = parse("unknown_settings");
    assert_eq!(hello.minor, 9);
    assert_eq!(hello.settings, Settings { calls_max: 16, codecs: vec![1, 200], ..both_codecs() });
    assert_eq!(parse("repeated_setting").settings.calls_max, 32);
}

#[test]
fn rule_h6_settings_that_cannot_be_are_refused() {
    let refused = vectors(OPENINGS).into_iter().filter(|(name, _)| name.starts_with("refused_"));
    let refused: Vec<_> = refused.filter(|(name, _)| *name != "refused_version").collect();
    assert_eq!(refused.len(), 13);
    for (name, bytes) in refused {
        let error = Hello::parse(&mut BytesMut::from(&*bytes)).unwrap_err();
        assert!(matches!(error, HelloError::Setting(_)), "{name}: {error}");
        let mut server = End::silent(Side::Server, Config::default());
        assert_eq!(server.faults(&bytes), CloseCode::Protocol, "{name}");
    }
}

#[test]
fn rule_h7_what_is_not_said_has_the_defaults_of_version_1() {
    // Numbers, and not `Settings::default()`: other defaults of this side's must not change what a peer has not said.
    let taken_for_granted = Settings {
        calls_max: 1024,
        message_bytes_max: 4_194_304,
        frame_bytes_max: 65_536,
        metadata_bytes_max: 16_384,
        stream_window_bytes: 65_536,
        connection_window_bytes: 1_048_576,
        codecs: vec![1],
        compressors: Vec::new(),
    };
    assert_eq!(parse("without_settings").settings, taken_for_granted);
}

#[test]
fn rule_h8_metadata_leaves_room_in_a_frame() {
    assert_eq!(parse("metadata_wider_than_a_frame").settings.metadata_bytes_max, 15_360);
}

#[test]
fn rule_h9_calls_wait_for_the_peers_opening_and_pings_do_not() {
    let mut client = End::silent(Side::Client, Config::default());
    let metadata = Metadata::new();
    let call = || OpenCall::new(MethodId::new(7), 1, Bytes::new(), &metadata);
    assert!(matches!(client.machine.open(&call()), Err(OpenError::Closed)));
    let opening = client.told().len();
    assert_eq!(opening, encode(Settings::default()).len());
    client.waits(Duration::from_secs(30)).unwrap();
    assert_eq!(client.frame().kind, PING);
    client.hears(&vector(OPENINGS, "default"));
    assert!(client.machine.open(&call()).is_ok());
}

#[test]
fn rule_h12_anything_else_is_answered_with_opening_and_goaway() {
    let mut server = End::silent(Side::Server, Config { settings: both_codecs(), ..Config::default() });
    assert_eq!(server.faults(&vector(OPENINGS, "ssh")), CloseCode::Protocol);
    assert_opening_and_goaway(&mut server, 1);
}
