//! Byte streams to a peer, whatever carries them.

mod mem;
mod tcp;
mod unix;

use std::io;

use rpc_core::{Error, ErrorKind, Peer};
use tokio::io::{AsyncRead, AsyncWrite};

#[cfg(feature = "tls")]
use crate::tls::{Handshake, TlsServer};
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

    /// Connects to where a server listens; a link to `tls://` is still to be secured.
    pub(crate) async fn connect(uri: &Uri) -> io::Result<Self> {
        match uri {
            Uri::Tcp(host) => tcp::connect(host).await,
            #[cfg(feature = "tls")]
            Uri::Tls(host) => Ok(Self::new(tcp::connect_stream(host).await?, uri.to_string())),
            Uri::Unix(path) => unix::connect(path).await,
            Uri::Mem(name) => mem::connect(name).await,
        }
    }
}

/// What a listener takes in.
pub(crate) enum Incoming {
    Open(Link),
    /// Its handshake takes time and processor, which others must not wait for.
    #[cfg(feature = "tls")]
    Tls(Handshake),
}

/// How links that come in are secured.
#[derive(Clone, Default)]
pub(crate) struct Security {
    #[cfg(feature = "tls")]
    pub(crate) server: Option<TlsServer>,
}

impl Security {
    /// Tells whether all is set that listening on the address needs.
    fn allows(&self, uri: &Uri) -> Result<(), Error> {
        match uri {
            #[cfg(feature = "tls")]
            Uri::Tls(_) if self.server.is_none() => {
                let text = format!("{uri} needs a certificate: set one with ServerBuilder::tls");
                Err(Error::new(ErrorKind::Config, text))
            }
            _ => Ok(()),
        }
    }
}

/// Where links come in.
pub(crate) enum Listener {
    Tcp(tokio::net::TcpListener),
    #[cfg(feature = "tls")]
    Tls(tokio::net::TcpListener, TlsServer),
    Unix(unix::Listener),
    Mem(mem::Listener),
}

impl Listener {
    /// Listens, and gives the address with what the system has chosen filled in.
    pub(crate) async fn bind(uri: &Uri, security: &Security) -> Result<(Self, Uri), Error> {
        security.allows(uri)?;
        Self::listen(uri, security).await.map_err(|error| {
            Error::new(ErrorKind::Connect, format!("cannot listen on {uri}: {error}")).with_source(error)
        })
    }

    #[cfg_attr(not(feature = "tls"), expect(unused_variables, reason = "nothing needs security"))]
    async fn listen(uri: &Uri, security: &Security) -> io::Result<(Self, Uri)> {
        match uri {
            Uri::Tcp(host) => {
                let listener = tokio::net::TcpListener::bind(host).await?;
                let local = Uri::Tcp(listener.local_addr()?.to_string());
                Ok((Self::Tcp(listener), local))
            }
            #[cfg(feature = "tls")]
            Uri::Tls(host) => {
                let server = security.server.clone().ok_or(io::ErrorKind::InvalidInput)?;
                let listener = tokio::net::TcpListener::bind(host).await?;
                let local = Uri::Tls(listener.local_addr()?.to_string());
                Ok((Self::Tls(listener, server), local))
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
    pub(crate) async fn accept(&mut self) -> io::Result<Incoming> {
        let link = match self {
            Self::Tcp(listener) => tcp::accept(listener).await,
            #[cfg(feature = "tls")]
            Self::Tls(listener, server) => {
                let (stream, peer) = tcp::accept_stream(listener).await?;
                return Ok(Incoming::Tls(Handshake::new(stream, format!("tls://{peer}"), server.clone())));
            }
            Self::Unix(listener) => listener.accept().await,
            Self::Mem(listener) => listener.accept().await,
        };
        link.map(Incoming::Open)
    }
}
