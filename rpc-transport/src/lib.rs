//! Links, connections, channels and servers of farcall.

mod channel;

pub use channel::Channel;
