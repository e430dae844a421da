//! What one side of a connection allows.

use std::sync::Arc;
use std::time::Duration;

use rpc_core::connection::Config;
use rpc_core::{CodecKind, Compression, Compressor, Peer};

/// The limits and times of a connection; the peer is told of those that concern it, and held to them.
///
/// Servers and channels take one each. What is over a limit fails one call, or, where framing can no longer be trusted, the connection; it
/// never takes memory first.
///
/// ```
/// use rpc_transport::Limits;
/// let limits = Limits::default().message_bytes(64 << 20).calls_in_flight(64);
/// # let _ = limits;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Limits {
    pub(crate) config: Config,
    pub(crate) codecs: Arc<[CodecKind]>,
    pub(crate) compressors: Arc<[Compressor]>,
    /// What is compressed of what goes out; set by the builder of a channel or a server.
    pub(crate) compression: Option<Compression>,
    pub(crate) handshake_timeout: Duration,
    pub(crate) write_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let config = Config::default();
        let message_bytes = config.settings.message_bytes_max;
        Self {
            config,
            codecs: CodecKind::ALL.into(),
            compressors: Compressor::ALL.into(),
            compression: None,
            handshake_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(20),
        }
        .message_bytes(message_bytes)
    }
}

/// Room in a frame for the metadata of a call and what else stands before its message, and so the shortest limit on frames.
const FRAME_HEAD_BYTES: u32 = 64 << 10;
/// The limit on frames where one of each call may have come in part.
#[cfg_attr(not(feature = "quic"), allow(dead_code))]
pub(crate) const QUIC_FRAME_BYTES_MAX: u32 = 64 << 10;
/// Longer messages always come in parts.
const WHOLE_MESSAGE_BYTES_MAX: u32 = 4 << 20;

impl Limits {
    /// Caps the calls in flight on one connection; further calls of a client wait their turn.
    ///
    /// Default: 1,024; at least 1, at most 65,536. Each slot costs about 500 bytes while it is in use. Too low starves pipelining; too high lets
    /// one peer hold the memory of many. The lower of the two sides' limits holds.
    pub fn calls_in_flight(mut self, calls: u32) -> Self {
        self.config.settings.calls_max = calls.clamp(1, 1 << 16);
        self
    }

    /// Caps a message that comes in, in bytes.
    ///
    /// Default: 4 MiB, also for what is inflated. Too low refuses honest messages; too high lets a peer make this side hold that much.
    ///
    /// A frame may be 64 KiB longer, though of 4 MiB and 64 KiB at most: a peer that knows its link to be fast sends messages of up to that
    /// in one piece.
    pub fn message_bytes(mut self, bytes: u32) -> Self {
        let settings = &mut self.config.settings;
        settings.message_bytes_max = bytes;
        settings.frame_bytes_max = bytes.min(WHOLE_MESSAGE_BYTES_MAX).saturating_add(FRAME_HEAD_BYTES);
        self
    }

    /// What the machine of a connection with this peer is held to.
    pub(crate) fn config(&self, peer: &Peer) -> Config {
        let mut config = self.config.clone();
        if peer.uri().starts_with("quic://") {
            // Each call has a stream of its own there, and a frame that has come in part: as many at once as there may be calls.
            config.settings.frame_bytes_max = QUIC_FRAME_BYTES_MAX;
        }
        config
    }

    /// Caps the metadata of one call, in bytes on the wire.
    ///
    /// Default: 16 KiB. At most 32 KiB, so that it fits into a frame.
    pub fn metadata_bytes(mut self, bytes: u32) -> Self {
        self.config.settings.metadata_bytes_max = bytes.min(32 << 10);
        self
    }

    /// Sets how much one stream may send before its reader has taken it, in bytes.
    ///
    /// Default: 64 KiB; at least 1 KiB, at most 1 GiB. Too low makes a stream wait for each round trip; too high lets unread streams hold memory.
    pub fn stream_window_bytes(mut self, bytes: u32) -> Self {
        self.config.settings.stream_window_bytes = bytes.clamp(1 << 10, 1 << 30);
        self
    }

    /// Sets how much all streams of a connection may have under way, in bytes.
    ///
    /// Default: 1 MiB; at least 1 KiB, at most 1 GiB. Too low slows large messages down; too high fills buffers.
    pub fn connection_window_bytes(mut self, bytes: u32) -> Self {
        self.config.settings.connection_window_bytes = bytes.clamp(1 << 10, 1 << 30);
        self
    }

    /// Caps what one connection may keep of unfinished messages and unread items, in bytes.
    ///
    /// Default: 16 MiB. One message is always let through. Too low makes large messages wait for each other. As much again may be
    /// held by calls under way whose arguments were compressed to less than a 64th; further ones wait until these are answered.
    pub fn buffer_bytes(mut self, bytes: u32) -> Self {
        self.config.buffer_bytes_max = bytes;
        self
    }

    /// Sets the codecs that calls may come in.
    ///
    /// Default: all of this build. A call in another one is refused by the caller's own side, which is told of them; one that comes all the
    /// same ends with `UNIMPLEMENTED`, and its message lists them.
    pub fn codecs(mut self, codecs: &[CodecKind]) -> Self {
        self.config.settings.codecs = codecs.iter().map(|codec| codec.id()).collect();
        self.codecs = codecs.into();
        self
    }

    /// Lets calls come in this codec too, as a server does for a codec of its user's; it takes the place of one with the same number.
    pub fn codec(self, codec: CodecKind) -> Self {
        let others = self.codecs.iter().copied().filter(|known| known.id() != codec.id());
        let codecs: Vec<_> = others.chain([codec]).collect();
        self.codecs(&codecs)
    }

    /// Sets what messages that come in may be compressed with; the peer is told, and compresses with nothing else.
    ///
    /// Default: all of this build. What is inflated is held to [`message_bytes`](Self::message_bytes) as what comes as it is; none at all
    /// saves the time that a peer could have this side spend on inflating.
    pub fn compressors(mut self, compressors: &[Compressor]) -> Self {
        self.config.settings.compressors = compressors.iter().map(|compressor| compressor.id()).collect();
        self.compressors = compressors.into();
        self
    }

    /// Sets how long nothing may be heard before the peer is pinged.
    ///
    /// Default: 30 s; at least 5 s, as a peer closes a connection that pings more often. Too short wakes idle machines; too long leaves dead connections undetected.
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.config.ping_interval = interval.clamp(Duration::from_secs(5), Duration::from_secs(24 * 60 * 60));
        self
    }

    /// Sets after how much silence a call is not sent before the peer has answered a ping.
    ///
    /// Where no answer comes within [`ping_timeout`](Self::ping_timeout), the call was never sent, and is made on another connection; sent at once, it would end as one that
    /// may have run. A call after such a silence pays one more round trip, others nothing.
    ///
    /// Default: 10 s; at least 5 s, as for [`ping_interval`](Self::ping_interval), from which on it has no effect. Ten seconds are half as many pings as a
    /// server allows, and a client that calls more often than that, to which a round trip may matter, never pays it. Too short makes
    /// rare calls slower; too long sends calls to peers that are gone.
    pub fn ping_after(mut self, silence: Duration) -> Self {
        self.config.ping_after = silence.clamp(Duration::from_secs(5), Duration::from_secs(24 * 60 * 60));
        self
    }

    /// Pings half as often, so many times over.
    pub(crate) fn halve_pings(self, times: u32) -> Self {
        let times = 1_u32.checked_shl(times).unwrap_or(u32::MAX);
        let (interval, after) = (self.config.ping_interval, self.config.ping_after);
        self.ping_interval(interval.saturating_mul(times)).ping_after(after.saturating_mul(times))
    }

    /// Sets how long the answer to a ping may take before the connection counts as dead.
    ///
    /// Default: 20 s.
    pub fn ping_timeout(mut self, timeout: Duration) -> Self {
        self.config.ping_timeout = timeout.clamp(Duration::from_millis(1), Duration::from_secs(24 * 60 * 60));
        self
    }

    /// Sets how long opening a connection may take once the link is there.
    ///
    /// Default: 10 s. Too long lets silent peers hold connections.
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake_timeout = timeout;
        self
    }

    /// Sets how long a write may make no progress before the connection counts as dead.
    ///
    /// Default: 20 s. Too long lets a peer that does not read hold its connection.
    pub fn write_timeout(mut self, timeout: Duration) -> Self {
        self.write_timeout = timeout;
        self
    }
}
