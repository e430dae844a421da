//! Looking into frames, as far as it takes to know where they go.

use bytes::{BufMut, Bytes, BytesMut};
use rpc_core::MethodId;
use rpc_core::wire::{Flags, FrameHeader, FrameKind, HEADER_BYTES, ResetCode, StreamId};

/// What DATA costs beside its content (rule C1).
const FRAME_COST: u32 = 16;

/// Takes this side's own opening off the front, once it is whole.
pub(super) fn take_opening(written: &mut BytesMut) -> Option<Bytes> {
    const FIXED_BYTES: usize = 12;
    let [.., low, high] = written.first_chunk::<FIXED_BYTES>()?;
    let whole = FIXED_BYTES.saturating_add(u16::from_le_bytes([*low, *high]).into());
    (written.len() >= whole).then(|| written.split_to(whole).freeze())
}

/// Takes a frame off the front, once it is whole.
pub(super) fn take(written: &mut BytesMut) -> Option<(FrameHeader, BytesMut)> {
    let header = FrameHeader::parse(written.first_chunk::<HEADER_BYTES>()?);
    let whole = HEADER_BYTES.saturating_add(header.bytes as usize);
    (written.len() >= whole).then(|| (header, written.split_to(whole)))
}

/// Writes an id into a frame's header, and gives the header as it was.
pub(super) fn set_id(frame: &mut BytesMut, id: StreamId) -> Option<FrameHeader> {
    let raw = frame.first_chunk_mut::<HEADER_BYTES>()?;
    let header = FrameHeader::parse(raw);
    raw.last_chunk_mut::<8>()?.copy_from_slice(&id.as_u64().to_le_bytes());
    Some(header)
}

/// Tells whether a callee's frame is its last in a call (rule S7).
pub(super) fn is_last(header: FrameHeader) -> bool {
    match header.kind {
        Some(FrameKind::End | FrameKind::Reset) => true,
        Some(FrameKind::Reply | FrameKind::Data) => header.flags.has(Flags::END),
        _ => false,
    }
}

/// Tells whether the machine passes over a frame, whatever the call that it is of.
pub(super) fn is_skipped(frame: &[u8]) -> bool {
    let header = frame.first_chunk::<HEADER_BYTES>().map(FrameHeader::parse);
    header.is_some_and(|header| matches!(header.kind, None | Some(FrameKind::Pong)))
}

/// Reads which method an OPEN is of; none of any other frame.
pub(super) fn opened_method(frame: &[u8]) -> Option<MethodId> {
    let (header, content) = frame.split_first_chunk::<HEADER_BYTES>()?;
    let is_open = FrameHeader::parse(header).kind == Some(FrameKind::Open);
    content.first_chunk().filter(|_| is_open).map(|id| MethodId::new(u64::from_le_bytes(*id)))
}

/// Reads which call a GOAWAY names as the last.
pub(super) fn last(goaway: &[u8]) -> Option<u64> {
    goaway.get(HEADER_BYTES..)?.first_chunk().copied().map(u64::from_le_bytes)
}

/// Writes which call a GOAWAY names as the last.
pub(super) fn set_last(goaway: &mut [u8], last: u64) {
    if let Some(place) = goaway.get_mut(HEADER_BYTES..).and_then(|content| content.first_chunk_mut::<8>()) {
        *place = last.to_le_bytes();
    }
}

/// Appends a RESET, as if the peer had sent it.
pub(super) fn put_reset(id: StreamId, code: ResetCode, out: &mut BytesMut) {
    out.put_slice(&FrameHeader::new(FrameKind::Reset, id, 2).to_bytes());
    out.put_u16_le(code as u16);
}

/// Appends the CREDIT that the peer would have answered with to DATA of a call that is over (rule C10).
pub(super) fn grant_again(header: FrameHeader, out: &mut BytesMut) {
    if header.kind == Some(FrameKind::Data) {
        out.put_slice(&FrameHeader::new(FrameKind::Credit, StreamId::CONNECTION, 4).to_bytes());
        out.put_u32_le(header.bytes.saturating_add(FRAME_COST));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_taken_once_they_are_whole() {
        let id = StreamId::new(3, 1, false);
        let mut written = BytesMut::from(&FrameHeader::new(FrameKind::Data, id, 2).to_bytes()[..]);
        written.put_u8(1);
        assert!(take(&mut written).is_none());
        written.put_slice(&[2, 9]);
        let (header, mut frame) = take(&mut written).unwrap();
        assert_eq!((header.id, &written[..]), (id, &[9][..]));
        assert_eq!(set_id(&mut frame, StreamId::CONNECTION), Some(header));
        assert_eq!(take(&mut frame).unwrap().0.id, StreamId::CONNECTION);
    }

    /// Proves rule Q6: DATA and nothing else had a cost.
    #[test]
    fn what_is_not_sent_is_granted_again() {
        let id = StreamId::new(3, 1, false);
        let mut out = BytesMut::new();
        grant_again(FrameHeader::new(FrameKind::Credit, id, 4), &mut out);
        assert!(out.is_empty());
        grant_again(FrameHeader::new(FrameKind::Data, id, 1000), &mut out);
        let (header, frame) = take(&mut out).unwrap();
        assert_eq!((header.kind, header.id), (Some(FrameKind::Credit), StreamId::CONNECTION));
        assert_eq!(frame[HEADER_BYTES..], 1016_u32.to_le_bytes());
    }

    #[test]
    fn a_goaways_last_call_can_be_replaced() {
        let mut goaway =
            BytesMut::from(&FrameHeader::new(FrameKind::GoAway, StreamId::CONNECTION, 10).to_bytes()[..]);
        assert_eq!(last(&goaway), None);
        set_last(&mut goaway, 7);
        goaway.put_bytes(1, 10);
        set_last(&mut goaway, 7);
        assert_eq!(last(&goaway), Some(7));
        assert_eq!(goaway[24..], [1, 1]);
    }
}
