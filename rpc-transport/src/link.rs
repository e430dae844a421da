//! Byte streams to a peer, whatever carries them.

mod mem;
mod tcp;
mod unix;

use std::io;

use rpc_core::Peer;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::uri::Uri;

/// A byte stream to a peer.
pub(crate) struct Link {
    pub(crate) stream: Box<dyn ByteStream>,
    pub(crate) peer: Peer,
}

/// What a link reads from and writes to.
pub(crate) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for S {}

impl Link {
    fn new(stream: impl ByteStream + 'static, peer: impl Into<std::sync::Arc<str>>) -> Self {
        Self { stream: Box::new(stream), peer: Peer::new(peer) }
    }

    /// Connects to where a server listens.
    pub(crate) async fn connect(uri: &Uri) -> io::Result<Self> {
        match uri {
            Uri::Tcp(host) => tcp::connect(host).await,
            Uri::Unix(path) => unix::connect(path).await,
            Uri::Mem(name) => mem::connect(name).await,
        }
    }
}

/// Where links come in.
pub(crate) enum Listener {
    Tcp(tokio::net::TcpListener),
    Unix(unix::Listener),
    Mem(mem::Listener),
}

impl Listener {
    /// Listens, and gives the address with what the system has chosen filled in.
    pub(crate) async fn bind(uri: &Uri) -> io::Result<(Self, Uri)> {
        match uri {
            Uri::Tcp(host) => {
                let listener = tokio::net::TcpListener::bind(host).await?;
                let local = Uri::Tcp(listener.local_addr()?.to_string());
                Ok((Self::Tcp(listener), local))
            }
            Uri::Unix(path) => Ok((Self::Unix(unix::Listener::bind(path).await?), uri.clone())),
            Uri::Mem(name) => {
                let listener = mem::Listener::bind(name)?;
                let local = Uri::Mem(listener.name().to_owned());
                Ok((Self::Mem(listener), local))
            }
        }
    }

    /// Waits for the next link.
    ///
    /// # Cancel safety
    /// It can be dropped at any time; no link is lost.
    pub(crate) async fn accept(&mut self) -> io::Result<Link> {
        match self {
            Self::Tcp(listener) => tcp::accept(listener).await,
            Self::Unix(listener) => listener.accept().await,
            Self::Mem(listener) => listener.accept().await,
        }
    }
}
