//! What one side of a connection is set to.

use std::time::Duration;

use crate::wire::Settings;

/// The limits and times of one side of a connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// What the peer is told, and held to.
    pub settings: Settings,
    /// The longest part of a message in one frame, in bytes. Default: 16 KiB. Smaller parts let small calls pass large ones sooner,
    /// larger parts cost less.
    pub chunk_bytes: u32,
    /// How much of unfinished messages and unread items is kept before the peer is slowed down, in bytes. Default: 16 MiB.
    pub buffer_bytes_max: u32,
    /// How long nothing may be heard before a sign of life is asked for. Default: 30 s.
    pub ping_interval: Duration,
    /// After how much silence a call is made only once a sign of life has come. Default: 10 s.
    pub ping_after: Duration,
    /// How long the answer may take. Default: 20 s.
    pub ping_timeout: Duration,
    /// How often the peer may ping: so often in the long run, and ten times at once. Default: 5 s.
    pub ping_interval_min: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            chunk_bytes: 16 << 10,
            buffer_bytes_max: 16 << 20,
            ping_interval: Duration::from_secs(30),
            ping_after: Duration::from_secs(10),
            ping_timeout: Duration::from_secs(20),
            ping_interval_min: Duration::from_secs(5),
        }
    }
}
