//! Messages in fewer bytes: what compresses them, when, and the bounds on what is inflated.
//!
//! Both ends do it in the tasks of callers and handlers, never in the machine of a connection.

#[cfg(feature = "gzip")]
mod gzip;
#[cfg(any(feature = "gzip", feature = "zstd"))]
mod inflate;
#[cfg(feature = "lz4")]
mod lz4;
#[cfg(feature = "zstd")]
mod zstd;

use bytes::Bytes;

use crate::{BoxError, Code, Status};

/// A way to make messages smaller that both ends know.
///
/// Each hangs on a feature of its own; a build without any of them has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compressor {
    /// gzip, as everybody knows it: slow, and found everywhere.
    #[cfg(feature = "gzip")]
    Gzip,
    /// Zstandard: smaller than gzip as a rule, and faster.
    #[cfg(feature = "zstd")]
    Zstd,
    /// LZ4: the fastest, and the least small.
    #[cfg(feature = "lz4")]
    Lz4,
}

impl Compressor {
    /// The compressors of this build.
    pub const ALL: &'static [Self] = &[
        #[cfg(feature = "gzip")]
        Self::Gzip,
        #[cfg(feature = "zstd")]
        Self::Zstd,
        #[cfg(feature = "lz4")]
        Self::Lz4,
    ];

    /// Returns the number on the wire.
    pub const fn id(self) -> u8 {
        match self {
            #[cfg(feature = "gzip")]
            Self::Gzip => 1,
            #[cfg(feature = "zstd")]
            Self::Zstd => 2,
            #[cfg(feature = "lz4")]
            Self::Lz4 => 3,
        }
    }

    /// Returns the name.
    pub const fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "gzip")]
            Self::Gzip => "gzip",
            #[cfg(feature = "zstd")]
            Self::Zstd => "zstd",
            #[cfg(feature = "lz4")]
            Self::Lz4 => "lz4",
        }
    }

    /// Appends the message, compressed; none where that does not work.
    #[cfg_attr(
        not(any(feature = "gzip", feature = "lz4", feature = "zstd")),
        expect(unused_variables, clippy::needless_pass_by_value, reason = "there is no compressor")
    )]
    fn compress(self, message: &[u8], out: Vec<u8>) -> Option<Vec<u8>> {
        match self {
            #[cfg(feature = "gzip")]
            Self::Gzip => gzip::compress(message, out),
            #[cfg(feature = "zstd")]
            Self::Zstd => zstd::compress(message, out),
            #[cfg(feature = "lz4")]
            Self::Lz4 => lz4::compress(message, out),
        }
    }

    #[cfg_attr(not(any(feature = "gzip", feature = "lz4", feature = "zstd")), expect(unused_variables))]
    fn inflate(self, compressed: &[u8], bytes_max: usize) -> Result<Vec<u8>, Fault> {
        match self {
            #[cfg(feature = "gzip")]
            Self::Gzip => gzip::inflate(compressed, bytes_max),
            #[cfg(feature = "zstd")]
            Self::Zstd => zstd::inflate(compressed, bytes_max),
            #[cfg(feature = "lz4")]
            Self::Lz4 => lz4::inflate(compressed, bytes_max),
        }
    }
}

/// Why a message cannot be inflated.
#[derive(Debug)]
#[cfg_attr(not(any(feature = "gzip", feature = "lz4", feature = "zstd")), expect(dead_code))]
enum Fault {
    /// It would be longer than the limit.
    TooLong,
    /// It is not what the compressor writes.
    Malformed(BoxError),
}

/// Which messages a side compresses, and how.
///
/// A channel and a server take one each, for what they send; without it they send messages as they are. What comes compressed is inflated
/// whatever is set here, see `Limits::compressors`. A peer that knows none of the compressors gets messages as they are.
///
/// Compress over slow or costly networks, and what repeats itself: text, JSON, rows. Between processes of one machine, and for what is
/// compressed already, it costs time and saves nothing. Do not compress messages in which a secret stands beside what an attacker may
/// choose: who can watch their lengths can guess the secret.
///
/// ```
/// # #[cfg(feature = "zstd")] {
/// use rpc_core::{Compression, Compressor};
/// let compression = Compression::new(Compressor::Zstd).min_bytes(4096);
/// # let _ = compression;
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Compression {
    compressors: Vec<Compressor>,
    bytes_min: usize,
}

impl Compression {
    /// Compresses messages of 1 KiB and more.
    pub fn new(compressor: Compressor) -> Self {
        Self { compressors: vec![compressor], bytes_min: 1024 }
    }

    /// Takes this one where the peer knows none of those before.
    pub fn or(mut self, compressor: Compressor) -> Self {
        self.compressors.push(compressor);
        self
    }

    /// Sets how long a message must be to be compressed, in bytes.
    ///
    /// Default: 1,024. Too low costs time for messages that fit into one packet anyway; too high leaves savings. A message that does not
    /// become shorter goes as it is.
    pub fn min_bytes(mut self, bytes: usize) -> Self {
        self.bytes_min = bytes;
        self
    }

    /// Agrees with a peer that knows compressors of these numbers and takes messages of so many bytes; none where it knows none of them.
    #[must_use]
    pub fn agree(&self, known: &[u8], bytes_max: u32) -> Option<Agreed> {
        let compressor =
            self.compressors.iter().copied().find(|compressor| known.contains(&compressor.id()))?;
        Some(Agreed { compressor, bytes_min: self.bytes_min, bytes_max: bytes_max as usize })
    }
}

/// What both ends of a connection agree on, for one direction (rules P20 and P21).
#[derive(Clone, Copy, Debug)]
pub struct Agreed {
    compressor: Compressor,
    bytes_min: usize,
    bytes_max: usize,
}

/// What begins a message that is not compressed, where those of its direction may be.
const PLAIN: u8 = 0;

impl Agreed {
    /// Tells whether compressing the message is tried, which takes time.
    #[must_use]
    pub fn is_tried(&self, message: &[u8]) -> bool {
        // What is over the peer's limit stays so: it is refused with its own length.
        (self.bytes_min..=self.bytes_max).contains(&message.len())
    }

    /// Compresses a message, with the number of the compressor before it; none where it goes as it is.
    #[must_use]
    pub fn compress(&self, message: &[u8]) -> Option<Bytes> {
        if !self.is_tried(message) {
            return None;
        }
        let compressed = self.compressor.compress(message, vec![self.compressor.id()])?;
        let is_shorter = compressed.len() < message.len();
        is_shorter.then(|| compressed.into_boxed_slice().into())
    }

    /// Compresses a message, or puts before it that it is not.
    #[must_use]
    pub fn pack(&self, message: &[u8]) -> Bytes {
        self.compress(message).unwrap_or_else(|| [&[PLAIN], message].concat().into())
    }
}

/// Inflates a message of a direction in which they may be compressed: by one of the compressors that are `known`, to at most so many bytes.
///
/// # Errors
/// A status: [`Code::Unimplemented`] for a compressor that is not known, with those that are; [`Code::ResourceExhausted`] for a message that
/// would be longer, which has taken no more memory than twice the limit by then, and a window as long as that; [`Code::InvalidArgument`] where it is broken.
pub fn unpack(message: &Bytes, known: &[Compressor], bytes_max: u32) -> Result<Bytes, Status> {
    let Some((id, compressed)) = message.split_first() else {
        return Err(Status::new(
            Code::InvalidArgument,
            "a message came without the byte that says how it is compressed",
        ));
    };
    if *id == PLAIN {
        return Ok(message.slice(1..));
    }
    let compressor = known.iter().find(|known| known.id() == *id).ok_or_else(|| unsupported(*id, known))?;
    let inflated = compressor.inflate(compressed, bytes_max as usize).map_err(|fault| match fault {
        Fault::TooLong => {
            let text = format!(
                "a message of {} bytes, compressed, is over the receiver's limit of {bytes_max} (message_bytes): send less, or raise it there",
                message.len()
            );
            Status::new(Code::ResourceExhausted, text)
        }
        Fault::Malformed(error) => {
            let text = format!(
                "a message of {} bytes is not what {} writes: {error}",
                message.len(),
                compressor.name()
            );
            Status::new(Code::InvalidArgument, text)
        }
    })?;
    Ok(inflated.into())
}

/// The status for a compressor that is none of those that are known.
fn unsupported(id: u8, known: &[Compressor]) -> Status {
    let known: Vec<_> = known.iter().map(|compressor| compressor.name()).collect();
    let known = if known.is_empty() { "none is".into() } else { format!("known are {}", known.join(", ")) };
    Status::new(Code::Unimplemented, format!("compressor {id} is not known here; {known}"))
}

#[cfg(all(test, any(feature = "gzip", feature = "lz4", feature = "zstd")))]
mod tests;
