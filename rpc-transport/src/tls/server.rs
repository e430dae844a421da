//! The serving side of TLS.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rpc_core::{Error, Peer};
use rustls::ServerConfig;
use rustls::crypto::ring::Ticketer;
use rustls::pki_types::CertificateDer;
#[cfg(feature = "quic")]
use rustls::server::ServerSessionMemoryCache;
use rustls::server::{NoClientAuth, WebPkiClientVerifier, danger::ClientCertVerifier};
use rustls::sign::SingleCertAndKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::fault::{Side, explain};
use super::live::{Live, RELOAD_INTERVAL, Recipe, TlsCounts};
use super::pem::{Pair, Pem, revocation_lists, roots, unusable};
use super::{Protocol, TlsVersions, certificate, provider};
use crate::connection::FAREWELL_MAX;
use crate::link::Link;

/// How a server shows who it is on `tls://`, and whom it lets in.
///
/// It is given to [`ServerBuilder::tls`](crate::ServerBuilder::tls). Clones are the same: keep one to [`reload`](Self::reload) or to read
/// [`counts`](Self::counts).
///
/// Sessions are resumed for up to twelve hours, which saves clients that come back a round trip and both sides the signatures. A reload forgets
/// them: whom the new trust roots and revocation lists refuse does not come back by an old session.
///
/// ```no_run
/// # async fn example() -> Result<(), rpc_core::Error> {
/// use rpc_transport::{Pem, Server, TlsServer};
/// let tls = TlsServer::builder(Pem::file("server.pem"), Pem::file("server.key"))
///     .require_clients(Pem::file("clients-ca.pem"))
///     .build()?;
/// let server = Server::builder().tls(tls.clone()).bind("tls://127.0.0.1:7443").await?;
/// # let _ = server;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct TlsServer {
    live: Arc<Live<Settings>>,
}

impl TlsServer {
    /// Starts with the server's certificate, intermediate ones after it, and the key that goes with it, both in PEM.
    pub fn builder(chain: Pem, key: Pem) -> TlsServerBuilder {
        let settings = Settings {
            pair: Pair { chain, key },
            client_roots: Vec::new(),
            clients_required: false,
            revocation_lists: Vec::new(),
            versions: TlsVersions::default(),
            #[cfg(feature = "quic")]
            early_data: false,
        };
        TlsServerBuilder { settings, reload_interval: RELOAD_INTERVAL }
    }

    /// Reads all files again, for handshakes from now on; connections stay as they are.
    ///
    /// Files that change are also read by themselves: see [`TlsServerBuilder::reload_interval`]. This blocks while it reads them.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](rpc_core::ErrorKind::Config): a file cannot be read, the key does not go with the certificate, or that has
    /// expired. All old ones stay in use.
    pub fn reload(&self) -> Result<(), Error> {
        self.live.reload()
    }

    /// Returns how often handshakes and reloads have happened.
    pub fn counts(&self) -> TlsCounts {
        self.live.tally.counts()
    }
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsServer").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

/// Sets up a [`TlsServer`].
#[derive(Clone, Debug)]
#[must_use]
pub struct TlsServerBuilder {
    settings: Settings,
    reload_interval: Duration,
}

impl TlsServerBuilder {
    /// Lets only clients in that show a certificate from one of these authorities (mutual TLS).
    ///
    /// Handlers find it with [`Peer::certificate`]. Called more than once, it adds authorities: both the old and the new one while an authority is
    /// replaced. Default: clients are asked for no certificate.
    pub fn require_clients(mut self, roots: Pem) -> Self {
        self.settings.client_roots.push(roots);
        self.settings.clients_required = true;
        self
    }

    /// Asks clients for a certificate from one of these authorities, and lets those in as well that show none.
    ///
    /// A handler decides what they may do: [`Peer::certificate`] gives none for them. A certificate that is not valid is refused all the same.
    pub fn accept_clients(mut self, roots: Pem) -> Self {
        self.settings.client_roots.push(roots);
        self
    }

    /// Refuses clients whose certificate is on one of these lists.
    ///
    /// Each authority in a client's chain needs a list, though it be empty, or the client is refused: a list that is missing must not let
    /// anybody in. When a list should have been renewed is not looked at.
    pub fn revocation_lists(mut self, lists: Pem) -> Self {
        self.settings.revocation_lists.push(lists);
        self
    }

    /// Sets which versions of TLS are spoken. Default: 1.3, and 1.2 with clients that do not know it.
    pub fn versions(mut self, versions: TlsVersions) -> Self {
        self.settings.versions = versions;
        self
    }

    /// Takes calls that come with the first packet of a client that comes back on `quic://`, before the handshake is done: those of methods that are
    /// marked `idempotent` run at once, all others once it is done. [`TlsClientBuilder::early_data`](super::TlsClientBuilder::early_data) sends them.
    ///
    /// Default: off. Who sees such a packet can send it too, before the client's own or after it (RFC 8446, section 8): a handler may run twice then. A session
    /// is good for one connection, so it does not run more often. Sessions are kept in memory for that, up to 10,000 of them, and end with the
    /// process. Without effect where clients are asked for certificates.
    #[cfg(feature = "quic")]
    pub fn early_data(mut self, takes: bool) -> Self {
        self.settings.early_data = takes;
        self
    }

    /// Sets how often the files are looked at: when a handshake begins and the last look is longer ago, those that have changed are read first.
    ///
    /// Default: 10 s. Zero looks at each handshake; [`Duration::MAX`] never does. Too long serves an old certificate; short costs a `stat` of each file.
    pub fn reload_interval(mut self, interval: Duration) -> Self {
        self.reload_interval = interval;
        self
    }

    /// Reads the files.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](rpc_core::ErrorKind::Config): a file cannot be read, or the key does not go with the certificate. One that
    /// has expired is only logged: the server starts, and its clients say so.
    pub fn build(self) -> Result<TlsServer, Error> {
        Ok(TlsServer { live: Arc::new(Live::new(self.settings, self.reload_interval)?) })
    }
}

/// A server that takes early data remembers so many sessions.
#[cfg(feature = "quic")]
const SESSIONS_MAX: usize = 10_000;

#[derive(Clone, Debug)]
struct Settings {
    pair: Pair,
    client_roots: Vec<Pem>,
    clients_required: bool,
    revocation_lists: Vec<Pem>,
    versions: TlsVersions,
    #[cfg(feature = "quic")]
    early_data: bool,
}

impl Recipe for Settings {
    type Config = ServerConfig;

    fn parts(&self) -> impl Iterator<Item = &Pem> {
        self.pair.parts().into_iter().chain(&self.client_roots).chain(&self.revocation_lists)
    }

    fn make(&self) -> Result<(ServerConfig, Option<CertificateDer<'static>>), Error> {
        let certified = self.pair.read()?;
        let own = certified.cert.first().cloned();
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(self.versions.list())
            .map_err(|error| unusable("these versions of TLS", &error))?
            .with_client_cert_verifier(self.verifier()?)
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        #[cfg(feature = "quic")]
        if self.takes_early_data() {
            // A session is used once, so that its early data is taken once: that needs a memory of them.
            config.session_storage = ServerSessionMemoryCache::new(SESSIONS_MAX);
            return Ok((config, own));
        }
        // What a session says travels with the client, so that it costs no memory here; the key is this configuration's own.
        config.ticketer = Ticketer::new().map_err(|error| unusable("tickets for sessions", &error))?;
        Ok((config, own))
    }
}

impl Settings {
    /// Who a client is is known once the handshake is done.
    #[cfg(feature = "quic")]
    fn takes_early_data(&self) -> bool {
        self.early_data && self.client_roots.is_empty()
    }

    fn verifier(&self) -> Result<Arc<dyn ClientCertVerifier>, Error> {
        if self.client_roots.is_empty() {
            return Ok(Arc::new(NoClientAuth));
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(roots(&self.client_roots)?, provider())
            .with_crls(revocation_lists(&self.revocation_lists)?);
        let verifier = if self.clients_required { verifier } else { verifier.allow_unauthenticated() };
        verifier.build().map_err(|error| unusable("the clients' roots and revocation lists", &error))
    }
}

/// A link that a client has made and not secured yet.
pub(crate) struct Handshake {
    stream: TcpStream,
    peer: String,
    server: TlsServer,
    protocol: Protocol,
}

/// What a TLS connection starts with: a record of the handshake (RFC 8446, section 5.1).
const HANDSHAKE_RECORD: u8 = 0x16;
const HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n\
    This port speaks farcall over TLS, not plain HTTP.\n";
/// An alert record of TLS 1.2: fatal, protocol_version. A farcall client without TLS knows it.
const ALERT: &[u8] = &[0x15, 3, 3, 0, 2, 2, 70];

impl Handshake {
    pub(crate) fn new(stream: TcpStream, peer: String, server: TlsServer, protocol: Protocol) -> Self {
        Self { stream, peer, server, protocol }
    }

    /// Secures the link, or tells the client why not; none where it comes to nothing in this time.
    pub(crate) async fn run(self, limit: Duration) -> Option<Link> {
        let Self { stream, peer, server, protocol } = self;
        let (error, stream) = match timeout(limit, server.secure(stream, &peer, protocol)).await {
            Ok(Ok(link)) => return Some(link),
            Ok(Err(failed)) => failed,
            Err(_) => (io::Error::new(io::ErrorKind::TimedOut, "it was not done in time"), None),
        };
        server.live.tally.failed();
        tracing::debug!(peer, %error, "a TLS handshake failed");
        if let Some(stream) = stream {
            // It is a courtesy: a client that does not take it is closed all the same.
            let _ = timeout(limit.min(FAREWELL_MAX), linger(stream)).await;
        }
        None
    }
}

/// A link that stays plain, to be closed after a farewell was said on it; none where nobody is left to hear it.
type Failed = (io::Error, Option<TcpStream>);

impl TlsServer {
    async fn secure(&self, mut stream: TcpStream, peer: &str, protocol: Protocol) -> Result<Link, Failed> {
        match first_byte(&stream).await {
            Ok(HANDSHAKE_RECORD) => {}
            Ok(other) => {
                // Every method of HTTP starts with a capital, and farcall's own opening with none.
                let farewell = if other.is_ascii_uppercase() { HTTP } else { ALERT };
                let said = stream.write_all(farewell).await;
                let error = io::Error::new(io::ErrorKind::InvalidData, "the client does not speak TLS");
                return Err((error, said.is_ok().then_some(stream)));
            }
            Err(error) => return Err((error, None)),
        }
        let mut config = self.live.latest().await;
        // What costs is shared by the copy.
        Arc::make_mut(&mut config).alpn_protocols = protocol.alpn();
        let accepted = TlsAcceptor::from(config).accept(stream).into_fallible().await;
        let stream = accepted.map_err(|(error, stream)| (explain(error, Side::Server), Some(stream)))?;
        let session = stream.get_ref().1;
        let peer = match session.peer_certificates() {
            Some(chain) => match certificate::of_peer(chain) {
                Ok(certificate) => Peer::new(peer).with_certificate(certificate),
                Err(error) => return Err((io::Error::new(io::ErrorKind::InvalidData, error), None)),
            },
            None => Peer::new(peer),
        };
        self.live.tally.done(session.handshake_kind());
        Ok(Link { stream: Box::new(stream), peer })
    }
}

#[cfg(feature = "quic")]
impl TlsServer {
    /// Gives what a QUIC connection that comes in is secured with.
    pub(crate) async fn for_quic(&self) -> Result<Arc<ServerConfig>, Error> {
        super::no_quic(self.live.recipe().versions)?;
        let mut config = self.live.latest().await;
        let own = Arc::make_mut(&mut config);
        own.alpn_protocols = Protocol::Farcall.alpn();
        if self.takes_early_data() {
            // QUIC knows this and none (RFC 9001, section 4.6.1).
            own.max_early_data_size = u32::MAX;
        }
        Ok(config)
    }

    /// Tells whether calls may come with a client's first packet.
    pub(crate) fn takes_early_data(&self) -> bool {
        self.live.recipe().takes_early_data()
    }

    /// Counts a handshake that was done elsewhere.
    pub(crate) fn count(&self, is_done: bool) {
        if is_done { self.live.tally.done(None) } else { self.live.tally.failed() }
    }

    /// Reads the certificate that a peer has shown in a handshake that was done elsewhere.
    pub(crate) fn peer(uri: String, chain: Option<&[CertificateDer<'_>]>) -> io::Result<Peer> {
        let Some(chain) = chain else { return Ok(Peer::new(uri)) };
        let certificate = certificate::of_peer(chain);
        let certificate = certificate.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Ok(Peer::new(uri).with_certificate(certificate))
    }
}

async fn first_byte(stream: &TcpStream) -> io::Result<u8> {
    let mut first = [0];
    match stream.peek(&mut first).await? {
        0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the client said nothing")),
        _ => Ok(u8::from_be_bytes(first)),
    }
}

/// Closes after the farewell was heard: what the client has sent and nobody read would make the system drop it.
async fn linger(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut rest = [0; 4096];
    for _ in 0..16 {
        if stream.read(&mut rest).await? == 0 {
            break;
        }
    }
    Ok(())
}
