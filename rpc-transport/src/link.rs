//! Byte streams to a peer, whatever carries them.

mod mem;
#[cfg(feature = "quic")]
pub(crate) mod quic;
mod tcp;
mod unix;
#[cfg(feature = "websocket")]
mod ws;

use std::io;
use std::sync::Arc;
#[cfg(any(feature = "tls", feature = "websocket"))]
use std::time::Duration;

use rpc_core::{Error, ErrorKind, MethodId, Peer};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::limits::Limits;
#[cfg(feature = "tls")]
use crate::tls::{self, Protocol, TlsClient, TlsServer};
use crate::uri::Uri;
#[cfg(feature = "websocket")]
use crate::uri::WebUri;

/// A byte stream to a peer.
pub(crate) struct Link {
    pub(crate) stream: Box<dyn ByteStream>,
    pub(crate) peer: Peer,
}

/// What a link reads from and writes to.
pub(crate) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for S {}

impl Link {
    fn new(stream: impl ByteStream + 'static, peer: impl Into<Box<str>>) -> Self {
        Self { stream: Box::new(stream), peer: Peer::new(peer) }
    }

    /// Connects to where a server listens, which is not for QUIC; a [handshake](Self::shake_hands) may be due on the link.
    pub(crate) async fn connect(uri: &Uri) -> io::Result<Self> {
        match uri {
            Uri::Tcp(host) => tcp::connect(host).await,
            #[cfg(feature = "tls")]
            Uri::Tls(host) => Ok(Self::new(tcp::connect_stream(host).await?, uri.to_string())),
            #[cfg(feature = "quic")]
            Uri::Quic(_) => Err(io::ErrorKind::Unsupported.into()),
            #[cfg(feature = "websocket")]
            Uri::Ws(web) => Ok(Self::new(tcp::connect_stream(&web.host).await?, uri.to_string())),
            Uri::Unix(path) => unix::connect(path).await,
            Uri::Mem(name) => mem::connect(name).await,
        }
    }

    /// Secures a link that was made to the address, and opens a WebSocket on it, where the address says so.
    #[cfg(any(feature = "tls", feature = "websocket"))]
    #[cfg_attr(not(feature = "tls"), expect(unused_variables, reason = "nothing needs security"))]
    pub(crate) async fn shake_hands(self, uri: &Uri, security: &ClientSecurity) -> Result<Self, Error> {
        let link = self;
        #[cfg(feature = "tls")]
        let link = match (uri.secure_host(), &security.tls) {
            (Some(host), Some(tls)) => tls.secure(link, host, protocol(uri)).await?,
            _ => link,
        };
        #[cfg(feature = "websocket")]
        if let Uri::Ws(web) = uri {
            return ws::open(link, web).await;
        }
        Ok(link)
    }
}

/// What is spoken within TLS at the address.
#[cfg(feature = "tls")]
fn protocol(uri: &Uri) -> Protocol {
    match uri {
        #[cfg(feature = "websocket")]
        Uri::Ws(_) => Protocol::Http,
        _ => Protocol::Farcall,
    }
}

/// What a listener takes in.
pub(crate) enum Incoming {
    Open(Link),
    /// It takes time and processor, which others must not wait for.
    #[cfg(any(feature = "tls", feature = "websocket"))]
    Handshake(Handshake),
}

/// What is to be done on a link that has come in before a connection is opened on it.
#[cfg(any(feature = "tls", feature = "websocket"))]
pub(crate) enum Handshake {
    #[cfg(feature = "tls")]
    Tls(tls::Handshake),
    #[cfg(feature = "websocket")]
    Ws(ws::Handshake),
    #[cfg(feature = "quic")]
    Quic(Box<quic::Handshake>),
}

#[cfg(any(feature = "tls", feature = "websocket"))]
impl Handshake {
    /// Does it, or tells the client why not; none where it comes to nothing in this time.
    pub(crate) async fn run(self, limit: Duration) -> Option<Link> {
        match self {
            #[cfg(feature = "tls")]
            Self::Tls(handshake) => handshake.run(limit).await,
            #[cfg(feature = "websocket")]
            Self::Ws(handshake) => handshake.run(limit).await,
            #[cfg(feature = "quic")]
            Self::Quic(handshake) => handshake.run(limit).await,
        }
    }
}

/// How links that are made are secured.
#[derive(Clone, Default)]
pub(crate) struct ClientSecurity {
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<TlsClient>,
}

impl ClientSecurity {
    /// Tells whether all is set that connecting to the address needs.
    #[cfg_attr(not(feature = "tls"), expect(unused_variables, reason = "nothing needs security"))]
    pub(crate) fn allows(&self, uri: &Uri) -> Result<(), Error> {
        #[cfg(feature = "tls")]
        if uri.secure_host().is_some() && self.tls.is_none() {
            let text = format!("{uri} needs trust roots: set them with ChannelBuilder::tls");
            return Err(Error::new(ErrorKind::Config, text));
        }
        Ok(())
    }
}

/// Tells of a method whether its calls may run that may have been sent by somebody else once more: early data of QUIC.
pub(crate) type RunsEarly = Arc<dyn Fn(MethodId) -> bool + Send + Sync>;

/// How links that come in are secured, and whose are let in.
#[derive(Clone, Default)]
pub(crate) struct Security {
    #[cfg(feature = "tls")]
    pub(crate) server: Option<TlsServer>,
    /// The origins of web pages that may call.
    #[cfg(feature = "websocket")]
    pub(crate) origins: Vec<String>,
}

impl Security {
    /// Tells whether all is set that listening on the address needs.
    #[cfg_attr(not(feature = "tls"), expect(unused_variables, reason = "nothing needs security"))]
    fn allows(&self, uri: &Uri) -> Result<(), Error> {
        #[cfg(feature = "tls")]
        if uri.secure_host().is_some() && self.server.is_none() {
            let text = format!("{uri} needs a certificate: set one with ServerBuilder::tls");
            return Err(Error::new(ErrorKind::Config, text));
        }
        Ok(())
    }
}

/// Where links come in.
pub(crate) enum Listener {
    Tcp(tokio::net::TcpListener),
    #[cfg(feature = "tls")]
    Tls(tokio::net::TcpListener, TlsServer),
    #[cfg(feature = "websocket")]
    Ws(tokio::net::TcpListener, ws::Door),
    #[cfg(all(feature = "tls", feature = "websocket"))]
    Wss(tokio::net::TcpListener, ws::Door, TlsServer),
    #[cfg(feature = "quic")]
    Quic(Box<quic::Listener>),
    Unix(unix::Listener),
    Mem(mem::Listener),
}

impl Listener {
    /// Listens, and gives the address with what the system has chosen filled in.
    #[cfg_attr(not(feature = "quic"), expect(unused_variables, reason = "they are held to later"))]
    pub(crate) async fn bind(
        uri: &Uri,
        security: &Security,
        limits: &Limits,
        runs_early: &RunsEarly,
    ) -> Result<(Self, Uri), Error> {
        security.allows(uri)?;
        #[cfg(feature = "quic")]
        if let (Uri::Quic(host), Some(server)) = (uri, &security.server) {
            let (server, limits, runs_early) = (server.clone(), limits.clone(), runs_early.clone());
            let listener = quic::Listener::bind(host, server, limits, runs_early).await?;
            let local = Uri::Quic(listener.local());
            return Ok((Self::Quic(Box::new(listener)), local));
        }
        Self::listen(uri, security).await.map_err(|error| {
            Error::new(ErrorKind::Connect, format!("cannot listen on {uri}: {error}")).with_source(error)
        })
    }

    #[cfg_attr(
        not(any(feature = "tls", feature = "websocket")),
        expect(unused_variables, reason = "nothing needs security")
    )]
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
            #[cfg(feature = "websocket")]
            Uri::Ws(web) => {
                let listener = tokio::net::TcpListener::bind(&web.host).await?;
                let local = WebUri { host: listener.local_addr()?.to_string(), ..web.clone() };
                let path = web.target().split('?').next().unwrap_or("/").to_owned();
                let door = ws::Door { path, origins: security.origins.clone() };
                #[cfg(feature = "tls")]
                if web.secure {
                    let server = security.server.clone().ok_or(io::ErrorKind::InvalidInput)?;
                    return Ok((Self::Wss(listener, door, server), Uri::Ws(local)));
                }
                Ok((Self::Ws(listener, door), Uri::Ws(local)))
            }
            #[cfg(feature = "quic")]
            Uri::Quic(_) => Err(io::ErrorKind::Unsupported.into()),
            Uri::Unix(path) => Ok((Self::Unix(unix::Listener::bind(path).await?), uri.clone())),
            Uri::Mem(name) => {
                let listener = mem::Listener::bind(name)?;
                let local = Uri::Mem(listener.name().to_owned());
                Ok((Self::Mem(listener), local))
            }
        }
    }

    /// Stops listening; the address is free again afterwards.
    ///
    /// # Cancel safety
    /// It can be dropped at any time; the address is free a little later then.
    pub(crate) async fn close(self) {
        #[cfg(feature = "quic")]
        if let Self::Quic(listener) = self {
            listener.close().await;
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
                let peer = format!("tls://{peer}");
                let handshake = tls::Handshake::new(stream, peer, server.clone(), Protocol::Farcall);
                return Ok(Incoming::Handshake(Handshake::Tls(handshake)));
            }
            #[cfg(feature = "websocket")]
            Self::Ws(listener, door) => {
                let (stream, peer) = tcp::accept_stream(listener).await?;
                let lower = ws::Lower::Plain(Link::new(stream, format!("ws://{peer}")));
                return Ok(Incoming::Handshake(Handshake::Ws(ws::Handshake { lower, door: door.clone() })));
            }
            #[cfg(all(feature = "tls", feature = "websocket"))]
            Self::Wss(listener, door, server) => {
                let (stream, peer) = tcp::accept_stream(listener).await?;
                let peer = format!("wss://{peer}");
                let lower = tls::Handshake::new(stream, peer, server.clone(), Protocol::Http);
                let handshake = ws::Handshake { lower: ws::Lower::Tls(lower), door: door.clone() };
                return Ok(Incoming::Handshake(Handshake::Ws(handshake)));
            }
            #[cfg(feature = "quic")]
            Self::Quic(listener) => {
                return Ok(Incoming::Handshake(Handshake::Quic(Box::new(listener.accept().await?))));
            }
            Self::Unix(listener) => listener.accept().await,
            Self::Mem(listener) => listener.accept().await,
        };
        link.map(Incoming::Open)
    }
}
