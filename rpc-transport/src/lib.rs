//! Links, connections, channels and servers of farcall.
//!
//! This crate moves frames between sockets and the state machine of `rpc-core`, and knows no service. A [`Channel`] makes calls, a [`Server`]
//! answers them; both run over `tcp://`, `tls://`, `quic://`, `ws://`, `unix://` and `mem://` links with the same loop.

// What a peer sends passes through this crate. What could panic there is argued where it stands.
#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

mod backoff;
mod call;
mod channel;
mod clock;
mod coding;
mod connection;
mod items;
mod limits;
mod link;
mod panics;
mod server;
#[cfg(feature = "tls")]
mod tls;
mod uri;
mod waits;

pub use backoff::Backoff;
pub use channel::{Channel, ChannelBuilder, ChannelStats, Pool};
pub use limits::Limits;
pub use server::{
    ConnectionView, Ended, Failure, Inspector, Server, ServerBuilder, ServerHandle, ServerView, Totals,
};
#[cfg(feature = "tls")]
pub use tls::{Pem, TlsClient, TlsClientBuilder, TlsCounts, TlsServer, TlsServerBuilder, TlsVersions};
