//! Where frames end in a stream of bytes.

use bytes::Bytes;
use rpc_core::wire::{FrameHeader, HEADER_BYTES};

/// Magic, versions and the length of what follows: the fixed part of an opening.
const OPENING_BYTES: usize = 12;

/// Follows one direction of a connection.
#[derive(Default)]
pub struct Frames {
    is_open: bool,
    head: Vec<u8>,
    /// The present frame, once its header is there, and what is missing of it.
    present: Option<(Frame, usize)>,
}

/// What a connection's direction consists of.
#[derive(Clone, Copy)]
pub enum Frame {
    Opening,
    Frame(FrameHeader),
}

impl Frames {
    /// Takes the bytes up to the end of a frame, or all of them, and tells which frame they have completed.
    pub fn next(&mut self, bytes: &mut Bytes) -> (Bytes, Option<Frame>) {
        let mut end = 0;
        while end < bytes.len() && self.present.is_none() {
            self.head.push(bytes[end]);
            end += 1;
            self.parse_head();
        }
        let Some((frame, missing)) = self.present else { return (bytes.split_to(end), None) };
        let part = missing.min(bytes.len() - end);
        self.present = Some((frame, missing - part));
        if part < missing {
            return (bytes.split_to(end + part), None);
        }
        self.present = None;
        (bytes.split_to(end + part), Some(frame))
    }

    fn parse_head(&mut self) {
        if !self.is_open {
            if let [.., low, high] = self.head[..]
                && self.head.len() == OPENING_BYTES
            {
                self.present = Some((Frame::Opening, u16::from_le_bytes([low, high]).into()));
                self.is_open = true;
                self.head.clear();
            }
        } else if let Some(raw) = self.head.first_chunk::<HEADER_BYTES>() {
            let header = FrameHeader::parse(raw);
            self.present = Some((Frame::Frame(header), header.bytes as usize));
            self.head.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use rpc_core::wire::{FrameKind, Hello, Settings, StreamId};

    use super::*;

    #[test]
    fn frames_are_found_wherever_the_bytes_are_cut() {
        let mut bytes = BytesMut::new();
        Hello::new(Settings::default()).encode(&mut bytes);
        let mut ends = vec![bytes.len()];
        for content in [0, 1, 500] {
            let header = FrameHeader::new(FrameKind::Data, StreamId::new(1, 0, false), content);
            bytes.extend_from_slice(&header.to_bytes());
            bytes.extend_from_slice(&vec![7; content as usize]);
            ends.push(bytes.len());
        }
        let bytes = bytes.freeze();
        for cut in 0..=bytes.len() {
            let (mut frames, mut at, mut found) = (Frames::default(), 0, Vec::new());
            for mut part in [bytes.slice(..cut), bytes.slice(cut..)] {
                while !part.is_empty() {
                    let (taken, frame) = frames.next(&mut part);
                    at += taken.len();
                    found.extend(frame.map(|_| at));
                }
            }
            assert_eq!(found, ends, "cut at {cut}");
        }
    }
}
