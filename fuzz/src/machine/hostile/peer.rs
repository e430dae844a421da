//! What the peer sends: openings and frames that are nearly right.

use bytes::{BufMut, BytesMut};
use rpc_core::wire::{Flags, FrameHeader, FrameKind, HEADER_BYTES, Hello, StreamId};

use super::super::content::{body, length, settings};
use crate::machine::content::Part;
use crate::source::Source;

/// Opens, and grants more than a peer could ever send where it is generous.
pub(super) fn opening(source: &mut Source<'_>, is_generous: bool) -> BytesMut {
    let (mut opening, mut settings) = (BytesMut::new(), settings(source));
    if is_generous {
        (settings.stream_window_bytes, settings.connection_window_bytes) = (1 << 30, 1 << 30);
    }
    Hello::new(settings).encode(&mut opening);
    opening
}

/// Makes a frame: its id is one that may be in use, its content one that may fit its kind, each more often than not.
pub(super) fn frame(source: &mut Source<'_>, in_flight: usize) -> BytesMut {
    use FrameKind::{Credit, Data, End, GoAway, Open, Ping, Pong, Reply, Reset};
    let kind = source
        .choose(&[Open, Open, Open, Reply, Reply, Data, Data, Data, End, Reset, Credit, Ping, Pong, GoAway]);
    let id = id(source, in_flight);
    let flags = Flags::from_bits(source.choose(&[0, 0, 1, 1, 2, 2, 4, 5, 6, 8, 9, 32, 33, 0xff]));
    let mut content = BytesMut::new();
    head(kind, flags, source, &mut content);
    if matches!(kind, Open | Reply | Data) {
        // A few bytes of the input, or many of no interest.
        match source.byte() {
            short @ 0..16 => content.put_slice(source.bytes(usize::from(short))),
            _ => content.put(body(0, Part::Arguments, length(source))),
        }
    }
    // Few bytes more or less now and then.
    match source.byte() {
        0 => content.put_u8(0),
        1 => content.truncate(content.len().saturating_sub(1)),
        2 => content.clear(),
        _ => {}
    }
    let bytes = u32::try_from(content.len()).expect("a content is short");
    let mut frame = BytesMut::with_capacity(HEADER_BYTES + content.len());
    frame.put_slice(&FrameHeader::new(kind, id, bytes).with_flags(flags).with_codec(1).to_bytes());
    frame.put(content);
    if source.byte() == 1 {
        let at = usize::from(source.byte()) % frame.len();
        frame[at] = source.byte();
    }
    frame
}

/// A call in one of the first slots: the next, or an earlier one.
fn id(source: &mut Source<'_>, in_flight: usize) -> StreamId {
    let choice = source.byte();
    let (sequence, slot) = match choice {
        0..192 => (u64::from(choice % 32), u16::from(choice % 32 % 9).saturating_sub(1)),
        192..250 => (u64::from(source.byte()), u16::try_from(in_flight).unwrap_or(0)),
        _ => return StreamId::from_u64(u64::from_le_bytes(source.number())),
    };
    StreamId::new(sequence, slot, choice == 17)
}

/// What stands before the message of a frame, or the content of one without.
fn head(kind: FrameKind, flags: Flags, source: &mut Source<'_>, content: &mut BytesMut) {
    match kind {
        FrameKind::Open | FrameKind::Reply => {
            if kind == FrameKind::Open {
                content.put_u64_le(7);
                if flags.has(Flags::DEADLINE) {
                    content.put_slice(&source.number::<8>());
                }
            }
            if flags.has(Flags::METADATA) {
                metadata(source, content);
            }
        }
        FrameKind::End if source.flag() => {
            content.put_u16_le(u16::from(source.byte()));
            content.put_u32_le(u32::from(source.byte() % 4));
            content.put_slice(b"why");
        }
        FrameKind::Reset => content.put_u16_le(u16::from(source.byte() % 6)),
        FrameKind::Credit => content.put_u32_le(source.choose(&[1 << 16, 0, 1, 300, u32::MAX])),
        FrameKind::Ping | FrameKind::Pong => content.put_u64_le(1),
        FrameKind::GoAway => {
            content.put_u64_le(id(source, 0).as_u64());
            content.put_u16_le(u16::from(source.byte() % 11));
            content.put_slice(b"why");
        }
        _ => {}
    }
    if flags.has(Flags::MORE) && matches!(kind, FrameKind::Open | FrameKind::Reply | FrameKind::Data) {
        let total = source.choose(&[1, 41, 257, 601, 1101, 9001, 16_385, 40_001, 64 << 10, u32::MAX]);
        content.put_u32_le(total);
    }
}

fn metadata(source: &mut Source<'_>, content: &mut BytesMut) {
    let key = [b'a' + source.byte() % 28];
    let value = source.bytes(3);
    content.put_u32_le(u32::try_from(8 + value.len()).expect("a value is short"));
    content.put_u8(source.byte());
    content.put_u16_le(1);
    content.put_u32_le(u32::try_from(value.len()).expect("a value is short"));
    content.put_slice(&key);
    content.put_slice(value);
}
