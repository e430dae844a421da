//! Byte streams to a peer, whatever carries them.

mod mem;
mod tcp;
mod unix;

use std::io;

use rpc_core::Peer;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::uri::Uri;

/// A byte stream to a peer, in its two directions.
pub(crate) struct Link {
    pub(crate) reader: Box<dyn AsyncRead + Send + Unpin>,
    pub(crate) writer: Box<dyn AsyncWrite + Send + Unpin>,
    pub(crate) peer: Peer,
}

impl Link {
    fn new(
        reader: impl AsyncRead + Send + Unpin + 'static,
        writer: impl AsyncWrite + Send + Unpin + 'static,
        peer: impl Into<std::sync::Arc<str>>,
    ) -> Self {
        Self { reader: Box::new(reader), writer: Box::new(writer), peer: Peer::new(peer) }
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
