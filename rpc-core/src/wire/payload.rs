//! What stands in frames after their headers (rules P1 to P10 and P17).
//!
//! Parsers take what they read off the front of a `Bytes`, and say what is wrong in words for a person.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::{CloseCode, Flags, StreamId};
use crate::metadata::{self, Entry, Value};
use crate::{Code, Metadata, MethodId, ServerTimes, Status};

/// What is wrong with a frame's content.
pub(crate) type Fault = &'static str;

/// The start of an OPEN frame, before the arguments (rule P1).
#[derive(Debug)]
pub(crate) struct OpenHead {
    pub(crate) method: MethodId,
    pub(crate) timeout_micros: Option<u64>,
    pub(crate) metadata: Option<Bytes>,
}

/// A GOAWAY frame (rule P10).
#[derive(Debug)]
pub(crate) struct GoAway {
    pub(crate) last: StreamId,
    pub(crate) code: CloseCode,
    pub(crate) reason: String,
}

pub(crate) fn parse_open(flags: Flags, payload: &mut Bytes) -> Result<OpenHead, Fault> {
    let method = MethodId::new(take_u64(payload)?);
    let timeout_micros = flags.has(Flags::DEADLINE).then(|| take_u64(payload)).transpose()?;
    Ok(OpenHead { method, timeout_micros, metadata: take_metadata(flags, payload)? })
}

/// Takes how long the callee took, and the metadata.
pub(crate) fn parse_reply(
    flags: Flags,
    payload: &mut Bytes,
) -> Result<(Option<ServerTimes>, Option<Bytes>), Fault> {
    Ok((take_times(flags, payload)?, take_metadata(flags, payload)?))
}

/// Takes how long the callee took (rule P24).
fn take_times(flags: Flags, payload: &mut Bytes) -> Result<Option<ServerTimes>, Fault> {
    if !flags.has(Flags::TIMES) {
        return Ok(None);
    }
    Ok(Some(ServerTimes::from_bytes(take_u32(payload)?.to_le_bytes())))
}

/// Appends how long this side took.
pub(crate) fn put_times(times: ServerTimes, out: &mut BytesMut) {
    out.put_slice(&times.to_bytes());
}

/// Takes the length of the whole message, which stands before the first part of one that goes on (rule P6).
pub(crate) fn split_total(flags: Flags, payload: &mut Bytes) -> Result<Option<u32>, Fault> {
    if !flags.has(Flags::MORE) {
        return Ok(None);
    }
    Ok(Some(take_u32(payload)?))
}

fn take_metadata(flags: Flags, payload: &mut Bytes) -> Result<Option<Bytes>, Fault> {
    if !flags.has(Flags::METADATA) {
        return Ok(None);
    }
    take_bytes(payload, "metadata longer than its frame").map(Some)
}

fn take_bytes(payload: &mut Bytes, fault: Fault) -> Result<Bytes, Fault> {
    let length = usize::try_from(take_u32(payload)?).map_err(|_| fault)?;
    split_to(payload, length).ok_or(fault)
}

/// Takes so many bytes off the front; none where there are fewer.
fn split_to(payload: &mut Bytes, length: usize) -> Option<Bytes> {
    (length <= payload.len()).then(|| payload.split_to(length))
}

fn take_u32(payload: &mut Bytes) -> Result<u32, Fault> {
    payload.try_get_u32_le().map_err(|_| "a frame that ends within a number")
}

fn take_u64(payload: &mut Bytes) -> Result<u64, Fault> {
    payload.try_get_u64_le().map_err(|_| "a frame that ends within a number")
}

pub(crate) fn parse_u16(payload: &[u8]) -> Result<u16, Fault> {
    payload.try_into().map(u16::from_le_bytes).map_err(|_| "a frame that is not two bytes long")
}

pub(crate) fn parse_u32(payload: &[u8]) -> Result<u32, Fault> {
    payload.try_into().map(u32::from_le_bytes).map_err(|_| "a frame that is not four bytes long")
}

pub(crate) fn parse_u64(payload: &[u8]) -> Result<u64, Fault> {
    payload.try_into().map(u64::from_le_bytes).map_err(|_| "a frame that is not eight bytes long")
}

/// A status, and how long the callee took for it.
pub(crate) type TimedStatus = (Status, Option<ServerTimes>);

/// A longer text of a status is cut: it is printed whole.
const STATUS_TEXT_BYTES_MAX: usize = 64 << 10;

/// Reads an END frame: nothing, or a status (rule P8).
pub(crate) fn parse_end(flags: Flags, mut payload: Bytes) -> Result<Option<TimedStatus>, Fault> {
    if payload.is_empty() {
        return Ok(None);
    }
    let times = take_times(flags, &mut payload)?;
    let code = payload.try_get_u16_le().map_err(|_| "a status without a code")?;
    let message = take_bytes(&mut payload, "a status longer than its frame")?;
    let message = cut(&String::from_utf8_lossy(&message), STATUS_TEXT_BYTES_MAX).to_owned();
    Ok(Some((Status::new(Code::from_u16(code), message).with_details(payload), times)))
}

/// Appends a status, cut to what fits into `bytes_max`: the message first, then the details as a whole or not at all.
pub(crate) fn encode_status(status: &Status, bytes_max: usize, out: &mut BytesMut) {
    let room = bytes_max.saturating_sub(6);
    let message = cut(status.message(), room);
    out.put_u16_le(status.code() as u16);
    put_length(out, message.len());
    out.put_slice(message.as_bytes());
    if status.details().len() <= room.saturating_sub(message.len()) {
        out.put_slice(status.details());
    }
}

/// Cuts a text to at most so many bytes, between two characters.
pub(crate) fn cut(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or_default()
}

/// A reason for a farewell is cut to this.
pub(crate) const REASON_BYTES_MAX: usize = 1024;

pub(crate) fn parse_goaway(mut payload: Bytes) -> Result<GoAway, Fault> {
    let last = StreamId::from_u64(take_u64(&mut payload)?);
    let code = payload.try_get_u16_le().map_err(|_| "a farewell without a code")?;
    // Each call that ends with it keeps a copy.
    let reason = cut(&String::from_utf8_lossy(&payload), REASON_BYTES_MAX).to_owned();
    Ok(GoAway { last, code: CloseCode::from_u16(code), reason })
}

const BINARY: u8 = 1;
const PROPAGATE: u8 = 2;

/// The bytes that an entry takes beside its key and value.
const ENTRY_BYTES: usize = 7;

/// Returns how many bytes the metadata takes on the wire; this is what the limit counts.
pub(crate) fn metadata_bytes(metadata: &Metadata) -> usize {
    // It is held against a limit. Values may share memory, so that together they are longer than any.
    metadata.iter().fold(0_usize, |bytes, entry| {
        bytes
            .saturating_add(ENTRY_BYTES)
            .saturating_add(entry.key.len())
            .saturating_add(entry.value.as_bytes().len())
    })
}

/// Appends the metadata with its length before it.
#[expect(
    clippy::expect_used,
    reason = "`Metadata` takes no key that is longer, from the user or from a peer"
)]
pub(crate) fn encode_metadata(metadata: &Metadata, out: &mut BytesMut) {
    put_length(out, metadata_bytes(metadata));
    for Entry { key, value, propagate } in metadata.iter() {
        let binary = if matches!(value, Value::Binary(_)) { BINARY } else { 0 };
        let value = value.as_bytes();
        out.put_u8(binary | if *propagate { PROPAGATE } else { 0 });
        out.put_u16_le(u16::try_from(key.len()).expect("a metadata key has at most 256 bytes"));
        put_length(out, value.len());
        out.put_slice(key.as_bytes());
        out.put_slice(value);
    }
}

/// Reads metadata whose length has been held against the limit (rules P4 and P5).
pub(crate) fn decode_metadata(mut raw: Bytes) -> Result<Metadata, Fault> {
    let mut metadata = Metadata::new();
    while !raw.is_empty() {
        let (flags, key, value) = take_entry(&mut raw).ok_or("metadata that is cut off")?;
        let key = str::from_utf8(&key).ok().filter(|key| Metadata::is_valid_key(key));
        let key = key.ok_or("a metadata key that is not 1 to 256 of a-z 0-9 - _ .")?;
        let value = if flags & BINARY != 0 {
            Value::Binary(Bytes::copy_from_slice(&value))
        } else {
            Value::Text(String::from_utf8(value.to_vec()).map_err(|_| "a metadata text that is not UTF-8")?)
        };
        metadata.push(Entry { key: metadata::own(key), value, propagate: flags & PROPAGATE != 0 });
    }
    if has_repeated_key(&metadata) {
        return Err("a metadata key that stands there twice");
    }
    Ok(metadata)
}

/// Takes an entry's flags, key and value off the front; none where it is cut off.
fn take_entry(raw: &mut Bytes) -> Option<(u8, Bytes, Bytes)> {
    let flags = raw.try_get_u8().ok()?;
    let key_bytes = raw.try_get_u16_le().ok()?;
    let value_bytes = usize::try_from(raw.try_get_u32_le().ok()?).ok()?;
    Some((flags, split_to(raw, key_bytes.into())?, split_to(raw, value_bytes)?))
}

/// Sorts instead of comparing each with each, which would let a peer that sends thousands take the processor's time.
fn has_repeated_key(metadata: &Metadata) -> bool {
    if metadata.len() < 2 {
        return false;
    }
    let mut keys: Vec<&str> = metadata.iter().map(Entry::key).collect();
    keys.sort_unstable();
    !keys.is_sorted_by(|key, next| key < next)
}

/// Appends the length of a message, or of a part of a frame.
#[expect(
    clippy::expect_used,
    reason = "each caller holds it against a limit of the peer's before, and those are u32"
)]
pub(crate) fn put_length(out: &mut BytesMut, length: usize) {
    out.put_u32_le(u32::try_from(length).expect("what is sent is within the peer's limits, which are u32"));
}
