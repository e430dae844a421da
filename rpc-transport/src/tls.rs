//! TLS for links: who may serve under a name, who may call, and how either changes without a restart.
//!
//! A [`TlsServer`] or [`TlsClient`] holds a whole rustls configuration, made anew when files change: a handshake takes the latest, and what is
//! connected already keeps the one that it was made with.

mod certificate;
mod client;
mod fault;
#[cfg(feature = "quic")]
mod known;
mod live;
mod pem;
mod server;

use std::sync::Arc;

use rustls::SupportedProtocolVersion;
use rustls::crypto::CryptoProvider;

pub use client::{TlsClient, TlsClientBuilder};
#[cfg(feature = "quic")]
pub(crate) use fault::{Side as FaultSide, alert_in_words};
pub use live::TlsCounts;
pub use pem::Pem;
pub(crate) use server::Handshake;
pub use server::{TlsServer, TlsServerBuilder};

/// What is spoken within TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Farcall's own frames.
    Farcall,
    /// HTTP/1.1, which opens a WebSocket.
    #[cfg(feature = "websocket")]
    Http,
}

impl Protocol {
    /// Its name in ALPN (RFC 7301).
    pub(crate) fn alpn(self) -> Vec<Vec<u8>> {
        match self {
            Self::Farcall => vec![b"farcall/1".to_vec()],
            #[cfg(feature = "websocket")]
            Self::Http => vec![b"http/1.1".to_vec()],
        }
    }
}

/// Which versions of TLS a side speaks.
///
/// Default: both. TLS 1.3 alone is the stricter choice where all peers know it; 1.2 alone is for peers that must not speak 1.3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsVersions {
    /// TLS 1.2 alone.
    Tls12,
    /// TLS 1.3 alone.
    Tls13,
    /// TLS 1.3, and 1.2 with a peer that does not know it.
    #[default]
    Both,
}

impl TlsVersions {
    fn list(self) -> &'static [&'static SupportedProtocolVersion] {
        static TLS12: [&SupportedProtocolVersion; 1] = [&rustls::version::TLS12];
        static TLS13: [&SupportedProtocolVersion; 1] = [&rustls::version::TLS13];
        match self {
            Self::Tls12 => &TLS12,
            Self::Tls13 => &TLS13,
            Self::Both => rustls::ALL_VERSIONS,
        }
    }
}

/// Named at each use: where a program has several providers compiled in, rustls' default would panic.
/// Why a side cannot speak QUIC.
#[cfg(feature = "quic")]
fn no_quic(versions: TlsVersions) -> Result<(), rpc_core::Error> {
    match versions {
        TlsVersions::Tls12 => {
            let text = "quic:// speaks TLS 1.3 only, and these settings allow 1.2 only: change TlsVersions";
            Err(rpc_core::Error::new(rpc_core::ErrorKind::Config, text))
        }
        _ => Ok(()),
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
