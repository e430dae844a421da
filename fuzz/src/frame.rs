//! Frame headers, openings and all payloads: arbitrary bytes are read or refused, and what was read means the same once written again.

use bytes::{Bytes, BytesMut};
use rpc_core::wire::{FrameHeader, HEADER_BYTES, Hello, ResetCode};

// Included because it is private there: the parsers, without a machine before them.
#[path = "../../rpc-core/src/wire/payload.rs"]
mod payload;

// The names by which the included file knows these.
use rpc_core::wire::{CloseCode, Flags, StreamId};

use crate::server_times::ServerTimes;

/// Reads the input as each thing that stands on the wire.
pub fn run(input: &[u8]) {
    opening(input);
    let Some((raw, content)) = input.split_first_chunk::<HEADER_BYTES>() else { return };
    let header = header(raw);
    let content = Bytes::copy_from_slice(content);
    open(header.flags, &content);
    reply(header.flags, &content);
    end(header.flags, &content);
    goaway(&content);
    metadata(&content);
    numbers(&content);
}

fn header(raw: &[u8; HEADER_BYTES]) -> FrameHeader {
    let header = FrameHeader::parse(raw);
    let written = header.to_bytes();
    assert_eq!(FrameHeader::parse(&written), header);
    let mut canonical = *raw;
    canonical[4] = header.kind.map_or(0, |kind| kind as u8);
    canonical[7] = 0;
    assert_eq!(written, canonical);
    let id = header.id;
    assert_eq!(StreamId::new(id.sequence(), id.slot(), id.by_acceptor()), id);
    header
}

fn opening(input: &[u8]) {
    let mut rest = BytesMut::from(input);
    let whole = Hello::parse(&mut rest);
    // Rule F7: what is known after fewer bytes is not another thing after more.
    let cut = input.last().map_or(0, |last| usize::from(*last) % input.len());
    match (Hello::parse(&mut BytesMut::from(&input[..cut])), &whole) {
        (Ok(None), _) => {}
        (Ok(Some(early)), Ok(Some(late))) => assert_eq!(early, *late),
        (Err(_), Err(_)) => {}
        (early, late) => panic!("{cut} bytes give {early:?}, all give {late:?}"),
    }
    let Ok(Some(hello)) = whole else { return };
    let mut written = BytesMut::new();
    hello.encode(&mut written);
    let again = Hello::parse(&mut written).expect("what is written can be read").expect("all of it is there");
    let mut settings = hello.settings;
    // So many are written at most.
    settings.codecs.truncate(256);
    assert_eq!((again.minor, again.settings), (hello.minor, settings));
    assert!(written.is_empty());
}

fn open(flags: Flags, content: &Bytes) {
    let mut rest = content.clone();
    let Ok(head) = payload::parse_open(flags, &mut rest) else { return };
    let mut written = head.method.as_u64().to_le_bytes().to_vec();
    assert_eq!(head.timeout_micros.is_some(), flags.has(Flags::DEADLINE));
    written.extend(head.timeout_micros.iter().flat_map(|micros| micros.to_le_bytes()));
    after_head(flags, head.metadata, rest, written, content);
}

fn reply(flags: Flags, content: &Bytes) {
    let mut rest = content.clone();
    let Ok((times, metadata)) = payload::parse_reply(flags, &mut rest) else { return };
    assert_eq!(times.is_some(), flags.has(Flags::TIMES));
    // Times that are too long are read as the longest, and not written as they came.
    let written = content[..times.map_or(0, |_| ServerTimes::BYTES)].to_vec();
    after_head(flags, metadata, rest, written, content);
    let Some(times) = times else { return };
    let mut again = BytesMut::new();
    payload::put_times(times, &mut again);
    assert_eq!(ServerTimes::from_bytes(again[..].try_into().expect("that is their length")), times);
    assert!(times.queue() <= times.total() && times.total().as_secs() < 51 * 24 * 3600);
}

/// Reads what OPEN and REPLY have in common, and holds all that was read against what came.
fn after_head(flags: Flags, metadata: Option<Bytes>, mut rest: Bytes, mut written: Vec<u8>, content: &Bytes) {
    assert_eq!(metadata.is_some(), flags.has(Flags::METADATA));
    if let Some(metadata) = &metadata {
        written.extend(length(metadata.len()));
        written.extend_from_slice(metadata);
        self::metadata(metadata);
    }
    let Ok(total) = payload::split_total(flags, &mut rest) else { return };
    assert_eq!(total.is_some(), flags.has(Flags::MORE));
    written.extend(total.iter().flat_map(|total| total.to_le_bytes()));
    written.extend_from_slice(&rest);
    assert_eq!(written, *content);
}

fn metadata(raw: &Bytes) {
    let Ok(metadata) = payload::decode_metadata(raw.clone()) else { return };
    let mut written = BytesMut::new();
    payload::encode_metadata(&metadata, &mut written);
    assert_eq!(written[..4], length(raw.len()));
    assert_eq!(payload::metadata_bytes(&metadata), raw.len());
    let again = payload::decode_metadata(written.freeze().slice(4..)).expect("what is written can be read");
    assert!(again == metadata, "metadata has changed: {again:?}");
    assert!(metadata.iter().all(|entry| metadata.value(entry.key()) == Some(entry.value())));
}

fn end(flags: Flags, content: &Bytes) {
    let Ok(Some((status, times))) = payload::parse_end(flags, content.clone()) else { return };
    assert_eq!(times.is_some(), flags.has(Flags::TIMES));
    let mut written = BytesMut::new();
    payload::encode_status(&status, usize::MAX, &mut written);
    let again = payload::parse_end(Flags::NONE, written.freeze()).expect("what is written can be read");
    let (again, _) = again.expect("a status is more than nothing");
    let parts =
        |status: &crate::Status| (status.code(), status.message().to_owned(), status.details().clone());
    assert_eq!(parts(&again), parts(&status));

    let bytes_max = 6 + usize::from(content[0]);
    let mut cut = BytesMut::new();
    payload::encode_status(&status, bytes_max, &mut cut);
    assert!(cut.len() <= bytes_max, "a status of {} bytes where {bytes_max} fit", cut.len());
    let cut = payload::parse_end(Flags::NONE, cut.freeze()).expect("what is cut can be read");
    let (cut, _) = cut.expect("a code is left");
    assert!(status.message().starts_with(cut.message()));
}

fn goaway(content: &Bytes) {
    let Ok(farewell) = payload::parse_goaway(content.clone()) else { return };
    assert!(farewell.reason.len() <= payload::REASON_BYTES_MAX);
    assert_eq!(farewell.last.as_u64().to_le_bytes(), content[..8]);
    assert_eq!(CloseCode::from_u16(farewell.code as u16), farewell.code);
}

fn numbers(content: &[u8]) {
    assert_eq!(payload::parse_u16(content).ok().map(|n| n.to_le_bytes().to_vec()), exactly(content, 2));
    assert_eq!(payload::parse_u32(content).ok().map(|n| n.to_le_bytes().to_vec()), exactly(content, 4));
    assert_eq!(payload::parse_u64(content).ok().map(|n| n.to_le_bytes().to_vec()), exactly(content, 8));
    if let Ok(number) = payload::parse_u16(content) {
        let code = ResetCode::from_u16(number);
        assert_eq!(ResetCode::from_u16(code as u16), code);
    }
}

fn exactly(content: &[u8], length: usize) -> Option<Vec<u8>> {
    (content.len() == length).then(|| content.to_vec())
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).expect("an input is short").to_le_bytes()
}
