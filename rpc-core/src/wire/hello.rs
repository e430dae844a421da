//! The opening of a connection: magic, version, settings (rules H1 to H12).

use std::fmt;

use bytes::{Buf, BufMut, BytesMut};

use crate::{CodecKind, Compressor};

/// What a connection starts with.
pub const MAGIC: [u8; 8] = *b"farcall/";
/// The version of the protocol; another one is refused.
pub const VERSION_MAJOR: u8 = 1;
/// The minor version: settings and frame kinds may be added with it, and are skipped by those who do not know them.
pub const VERSION_MINOR: u8 = 0;

/// Magic, versions, and the length of the settings.
const FIXED_BYTES: usize = 12;
/// More settings than this are not read.
const SETTINGS_BYTES_MAX: usize = 4096;
/// What a frame has room for beside metadata: what else an OPEN starts with, and the first part of its message.
const START_BYTES: u32 = 1024;

/// What a side says about itself when a connection opens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// How many calls this side answers at once. Default: 1,024.
    pub calls_max: u32,
    /// The longest message that this side takes, in bytes. Default: 4 MiB.
    pub message_bytes_max: u32,
    /// The longest frame that this side takes, in bytes. Default: 64 KiB.
    pub frame_bytes_max: u32,
    /// The most metadata of one call that this side takes, in bytes. Default: 16 KiB.
    pub metadata_bytes_max: u32,
    /// How much a call may send before it is granted more, in bytes. Default: 64 KiB.
    pub stream_window_bytes: u32,
    /// How much all calls may send before they are granted more, in bytes. Default: 1 MiB.
    pub connection_window_bytes: u32,
    /// The codecs that this side knows, by number.
    pub codecs: Vec<u8>,
    /// The compressors that this side knows, by number.
    pub compressors: Vec<u8>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            calls_max: 1024,
            message_bytes_max: 4 << 20,
            frame_bytes_max: 64 << 10,
            metadata_bytes_max: 16 << 10,
            stream_window_bytes: 64 << 10,
            connection_window_bytes: 1 << 20,
            codecs: CodecKind::ALL.iter().map(|codec| codec.id()).collect(),
            compressors: Compressor::ALL.iter().map(|compressor| compressor.id()).collect(),
        }
    }
}

/// The opening of one side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hello {
    /// The minor version that the side speaks.
    pub minor: u8,
    /// What the side says about itself.
    pub settings: Settings,
}

/// Why an opening is none of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HelloError {
    /// It is HTTP.
    Http,
    /// It is TLS.
    Tls,
    /// It is neither farcall nor anything known here; holds what came.
    Foreign(Vec<u8>),
    /// It speaks another major version.
    Version(u8),
    /// A setting cannot be.
    Setting(&'static str),
}

impl fmt::Display for HelloError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http => {
                f.write_str("the peer speaks HTTP, not farcall: put a gateway in front of this port")
            }
            Self::Tls => f.write_str("the peer speaks TLS, and this end does not"),
            Self::Foreign(start) => {
                write!(f, "the peer does not speak farcall: it starts with \"{}\"", start.escape_ascii())
            }
            Self::Version(major) => {
                write!(f, "the peer speaks version {major} of the protocol, this end version {VERSION_MAJOR}")
            }
            Self::Setting(what) => write!(f, "the peer opens with a setting that cannot be: {what}"),
        }
    }
}

impl std::error::Error for HelloError {}

// Numbers of the settings; a number is never used again for another meaning.
const CALLS_MAX: u16 = 1;
const MESSAGE_BYTES_MAX: u16 = 2;
const FRAME_BYTES_MAX: u16 = 3;
const METADATA_BYTES_MAX: u16 = 4;
const STREAM_WINDOW_BYTES: u16 = 5;
const CONNECTION_WINDOW_BYTES: u16 = 6;
const CODECS: u16 = 7;
const COMPRESSORS: u16 = 8;

impl Hello {
    /// Opens with these settings, in this version.
    pub fn new(settings: Settings) -> Self {
        Self { minor: VERSION_MINOR, settings }
    }

    /// Tells whether whoever keeps to the other opening keeps to this one as well.
    pub(crate) fn allows_all_of(&self, other: &Self) -> bool {
        let mut numbers = self.numbers().into_iter().zip(other.numbers());
        let has_all = |own: &[u8], other: &[u8]| other.iter().all(|number| own.contains(number));
        let (own, other) = (&self.settings, &other.settings);
        numbers.all(|((_, own), (_, other))| own >= other)
            && has_all(&own.codecs, &other.codecs)
            && has_all(&own.compressors, &other.compressors)
    }

    /// Appends the opening.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "there are six numbers, and two lists of 256 bytes at most"
    )]
    pub fn encode(&self, out: &mut BytesMut) {
        let lists = self.lists();
        let numbers = self.numbers();
        let bytes = numbers.len() * 8 + lists.clone().map(|(_, list)| 4 + list.len()).sum::<usize>();
        out.put_slice(&MAGIC);
        out.put_u8(VERSION_MAJOR);
        out.put_u8(self.minor);
        put_u16(out, bytes);
        for (number, value) in numbers {
            out.put_u16_le(number);
            out.put_u16_le(4);
            out.put_u32_le(value);
        }
        for (number, list) in lists {
            out.put_u16_le(number);
            put_u16(out, list.len());
            out.put_slice(list);
        }
    }

    /// The lists that are said: compressors only where there are any.
    fn lists(&self) -> impl Iterator<Item = (u16, &[u8])> + Clone {
        let Settings { codecs, compressors, .. } = &self.settings;
        let compressors = (!compressors.is_empty()).then_some((COMPRESSORS, compressors));
        let lists = [(CODECS, codecs)].into_iter().chain(compressors);
        lists.map(|(number, list)| (number, list.get(..256).unwrap_or(list)))
    }

    fn numbers(&self) -> [(u16, u32); 6] {
        let settings = &self.settings;
        [
            (CALLS_MAX, settings.calls_max),
            (MESSAGE_BYTES_MAX, settings.message_bytes_max),
            (FRAME_BYTES_MAX, settings.frame_bytes_max),
            (METADATA_BYTES_MAX, settings.metadata_bytes_max),
            (STREAM_WINDOW_BYTES, settings.stream_window_bytes),
            (CONNECTION_WINDOW_BYTES, settings.connection_window_bytes),
        ]
    }

    /// Takes an opening off the front; none while it is not all there.
    ///
    /// # Errors
    /// What came is not an opening, as soon as that can be told.
    pub fn parse(input: &mut BytesMut) -> Result<Option<Self>, HelloError> {
        let start = input.get(..MAGIC.len()).unwrap_or(input);
        if !MAGIC.starts_with(start) {
            return foreign(start).map_or(Ok(None), Err);
        }
        let Some(fixed) = input.first_chunk::<FIXED_BYTES>() else { return Ok(None) };
        let [.., major, minor, low, high] = *fixed;
        if major != VERSION_MAJOR {
            return Err(HelloError::Version(major));
        }
        let bytes = usize::from(u16::from_le_bytes([low, high]));
        // Rule H6: before the settings are waited for.
        if bytes > SETTINGS_BYTES_MAX {
            return Err(HelloError::Setting("more than 4,096 bytes of settings"));
        }
        if input.len() < FIXED_BYTES + bytes {
            return Ok(None);
        }
        input.advance(FIXED_BYTES);
        let settings = Settings::parse(&input.split_to(bytes))?;
        Ok(Some(Self { minor, settings }))
    }
}

/// Tells what a start is that is not ours; none while it may still become what deserves an answer of its own (rule H2).
fn foreign(start: &[u8]) -> Option<HelloError> {
    const HTTP: [&[u8]; 11] =
        [b"GET ", b"POST", b"PUT ", b"HEAD", b"PRI ", b"OPTI", b"DELE", b"PATC", b"CONN", b"TRAC", b"HTTP"];
    if HTTP.iter().any(|method| start.starts_with(method)) {
        return Some(HelloError::Http);
    }
    match start {
        [0x16 | 0x15, 0x03, ..] => Some(HelloError::Tls),
        [0x16 | 0x15] => None,
        _ if HTTP.iter().any(|method| method.starts_with(start)) => None,
        _ => Some(HelloError::Foreign(start.to_vec())),
    }
}

impl Settings {
    fn parse(mut raw: &[u8]) -> Result<Self, HelloError> {
        // Rule H7: what a side does not say is what version 1.0 takes for granted, and then it knows postcard only, and no compressor.
        let mut settings =
            Self { codecs: vec![CodecKind::Postcard.id()], compressors: Vec::new(), ..Self::default() };
        while !raw.is_empty() {
            let (number, value) = take_setting(&mut raw)?;
            match number {
                CALLS_MAX => settings.calls_max = number_in(value, 1, 1 << 16, "calls_max")?,
                MESSAGE_BYTES_MAX => {
                    settings.message_bytes_max = number_in(value, 0, u32::MAX, "message_bytes_max")?;
                }
                FRAME_BYTES_MAX => {
                    settings.frame_bytes_max = number_in(value, 16 << 10, 1 << 24, "frame_bytes_max")?;
                }
                METADATA_BYTES_MAX => {
                    settings.metadata_bytes_max = number_in(value, 0, 1 << 24, "metadata_bytes_max")?;
                }
                STREAM_WINDOW_BYTES => {
                    settings.stream_window_bytes = number_in(value, 1 << 10, 1 << 30, "stream_window_bytes")?;
                }
                CONNECTION_WINDOW_BYTES => {
                    settings.connection_window_bytes =
                        number_in(value, 1 << 10, 1 << 30, "connection_window_bytes")?;
                }
                CODECS => settings.codecs = value.to_vec(),
                COMPRESSORS => settings.compressors = value.to_vec(),
                // Rule H5: a later version's.
                _ => {}
            }
        }
        // Rule H8: without this, metadata within its own limit could make a frame that is over the frame's.
        let metadata_bytes_max = settings.frame_bytes_max.saturating_sub(START_BYTES);
        settings.metadata_bytes_max = settings.metadata_bytes_max.min(metadata_bytes_max);
        Ok(settings)
    }
}

fn take_setting<'a>(raw: &mut &'a [u8]) -> Result<(u16, &'a [u8]), HelloError> {
    let cut_off = HelloError::Setting("one that is cut off");
    let Some(([n0, n1, l0, l1], rest)) = raw.split_first_chunk::<4>() else { return Err(cut_off) };
    let length = usize::from(u16::from_le_bytes([*l0, *l1]));
    let Some((value, rest)) = rest.split_at_checked(length) else { return Err(cut_off) };
    *raw = rest;
    Ok((u16::from_le_bytes([*n0, *n1]), value))
}

fn number_in(value: &[u8], min: u32, max: u32, name: &'static str) -> Result<u32, HelloError> {
    let number = value.try_into().map(u32::from_le_bytes).map_err(|_| HelloError::Setting(name))?;
    if (min..=max).contains(&number) { Ok(number) } else { Err(HelloError::Setting(name)) }
}

#[expect(clippy::expect_used, reason = "there are six numbers, and two lists of 256 bytes at most")]
fn put_u16(out: &mut BytesMut, length: usize) {
    out.put_u16_le(u16::try_from(length).expect("settings are shorter than 4,096 bytes"));
}
