//! The calling side of TLS.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use rpc_core::{Error, ErrorKind};
use rustls::ClientConfig;
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::sign::SingleCertAndKey;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;

use super::fault::{Side, explain, words};
#[cfg(feature = "quic")]
use super::known::KnownServers;
use super::live::{Live, RELOAD_INTERVAL, Recipe, TlsCounts};
use super::pem::{Pair, Pem, revocation_lists, roots, unusable};
use super::{Protocol, TlsVersions, provider};
use crate::link::Link;

/// Whom a channel to `tls://` trusts, and how it shows who it is.
///
/// It is given to [`ChannelBuilder::tls`](crate::ChannelBuilder::tls); channels may share one, and their sessions with it. Nothing is trusted
/// that is not named here: for the public web's authorities, name the system's file of them, such as `/etc/ssl/certs/ca-certificates.crt`.
///
/// ```no_run
/// # async fn example() -> Result<(), rpc_core::Error> {
/// use rpc_transport::{Channel, Pem, TlsClient};
/// let tls = TlsClient::builder(Pem::file("ca.pem"))
///     .identity(Pem::file("billing.pem"), Pem::file("billing.key"))
///     .build()?;
/// let channel = Channel::builder("tls://orders.internal:7443").tls(tls).connect().await?;
/// # let _ = channel;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct TlsClient {
    live: Arc<Live<Settings>>,
    server_name: Option<ServerName<'static>>,
    /// None where no early data is sent.
    #[cfg(feature = "quic")]
    known: Option<Arc<KnownServers>>,
}

impl TlsClient {
    /// Starts with the authorities that servers' certificates must come from, in PEM.
    pub fn builder(roots: Pem) -> TlsClientBuilder {
        let settings = Settings {
            roots: vec![roots],
            pair: None,
            revocation_lists: Vec::new(),
            versions: TlsVersions::default(),
        };
        TlsClientBuilder {
            settings,
            server_name: None,
            reload_interval: RELOAD_INTERVAL,
            #[cfg(feature = "quic")]
            early_data: false,
        }
    }

    /// Reads all files again, for connections from now on; those that are there stay as they are.
    ///
    /// Files that change are also read by themselves: see [`TlsClientBuilder::reload_interval`]. This blocks while it reads them.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: a file cannot be read, the key does not go with the certificate, or that has expired. All old ones stay in use.
    pub fn reload(&self) -> Result<(), Error> {
        self.live.reload()
    }

    /// Returns how often handshakes and reloads have happened.
    pub fn counts(&self) -> TlsCounts {
        self.live.tally.counts()
    }

    /// Gives what a QUIC connection to `HOST:PORT` is secured with, and the name that the server must have.
    #[cfg(feature = "quic")]
    pub(crate) async fn for_quic(&self, host: &str) -> Result<(Arc<ClientConfig>, String), Error> {
        super::no_quic(self.live.recipe().versions)?;
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => name_in(host)?,
        };
        let mut config = self.live.latest().await;
        let own = Arc::make_mut(&mut config);
        own.alpn_protocols = Protocol::Farcall.alpn();
        own.enable_early_data = self.known.is_some();
        Ok((config, name.to_str().into_owned()))
    }

    /// Returns what is known of servers that early data may be sent to; none where none is sent.
    #[cfg(feature = "quic")]
    pub(crate) fn known(&self) -> Option<&Arc<KnownServers>> {
        self.known.as_ref()
    }

    /// Counts a handshake that was done elsewhere.
    #[cfg(feature = "quic")]
    pub(crate) fn count(&self, is_done: bool) {
        if is_done { self.live.tally.done(None) } else { self.live.tally.failed() }
    }

    /// Secures a link to `HOST:PORT`.
    pub(crate) async fn secure(&self, link: Link, host: &str, protocol: Protocol) -> Result<Link, Error> {
        let server_name = match &self.server_name {
            Some(name) => name.clone(),
            None => name_in(host)?,
        };
        let mut config = self.live.latest().await;
        // What costs is shared by the copy.
        Arc::make_mut(&mut config).alpn_protocols = protocol.alpn();
        let connected = TlsConnector::from(config).connect(server_name, link.stream).await;
        let stream = connected.map_err(|error| {
            self.live.tally.failed();
            let text = format!("the TLS handshake failed: {}", words(&error, Side::Client));
            Error::new(ErrorKind::Connect, text).with_source(error)
        })?;
        self.live.tally.done(stream.get_ref().1.handshake_kind());
        Ok(Link { stream: Box::new(Explained { stream }), peer: link.peer })
    }
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsClient")
            .field("server_name", &self.server_name)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

/// Sets up a [`TlsClient`].
#[derive(Clone, Debug)]
#[must_use]
pub struct TlsClientBuilder {
    settings: Settings,
    server_name: Option<String>,
    reload_interval: Duration,
    #[cfg(feature = "quic")]
    early_data: bool,
}

impl TlsClientBuilder {
    /// Trusts further authorities: both the old and the new one while an authority is replaced.
    pub fn roots(mut self, roots: Pem) -> Self {
        self.settings.roots.push(roots);
        self
    }

    /// Sets the certificate that servers are shown when they ask for one, intermediate ones after it, and the key that goes with it.
    ///
    /// Default: none, which servers with [`require_clients`](super::TlsServerBuilder::require_clients) refuse.
    pub fn identity(mut self, chain: Pem, key: Pem) -> Self {
        self.settings.pair = Some(Pair { chain, key });
        self
    }

    /// Sets the name that servers' certificates must be for: a DNS name or an IP address.
    ///
    /// Default: the host of the channel's address. Set it where the address is not what the certificate names, as behind a tunnel.
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Refuses servers whose certificate is on one of these lists.
    ///
    /// Each authority in a server's chain needs a list, though it be empty, or the server is refused. When a list should have been renewed
    /// is not looked at.
    pub fn revocation_lists(mut self, lists: Pem) -> Self {
        self.settings.revocation_lists.push(lists);
        self
    }

    /// Sets which versions of TLS are spoken. Default: 1.3, and 1.2 with servers that do not know it.
    pub fn versions(mut self, versions: TlsVersions) -> Self {
        self.settings.versions = versions;
        self
    }

    /// Sends calls of methods that are marked `idempotent` along with the first packet of a connection on `quic://`, where the server has been called
    /// before and [takes them](super::TlsServerBuilder::early_data): they are answered after one round trip, and not after three.
    ///
    /// Default: off. Whoever sees such a packet can send it again (RFC 8446, section 8), and the handler may run again, which idempotent
    /// methods allow; all other calls wait until the server has answered. What a server does not take goes out again by itself, over another connection.
    #[cfg(feature = "quic")]
    pub fn early_data(mut self, sends: bool) -> Self {
        self.early_data = sends;
        self
    }

    /// Sets how often the files are looked at: when a connection is made and the last look is longer ago, those that have changed are read first.
    ///
    /// Default: 10 s. Zero looks at each connection; [`Duration::MAX`] never does.
    pub fn reload_interval(mut self, interval: Duration) -> Self {
        self.reload_interval = interval;
        self
    }

    /// Reads the files.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: a file cannot be read, the key does not go with the certificate, or the server's name is none.
    pub fn build(self) -> Result<TlsClient, Error> {
        let server_name = self.server_name.map(|name| parse_name(&name)).transpose()?;
        Ok(TlsClient {
            live: Arc::new(Live::new(self.settings, self.reload_interval)?),
            server_name,
            #[cfg(feature = "quic")]
            known: self.early_data.then(Arc::default),
        })
    }
}

/// The name in an address: `HOST:PORT`, with an IPv6 address in brackets.
fn name_in(host: &str) -> Result<ServerName<'static>, Error> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    parse_name(name.trim_start_matches('[').trim_end_matches(']'))
}

fn parse_name(name: &str) -> Result<ServerName<'static>, Error> {
    ServerName::try_from(name.to_owned()).map_err(|error| {
        Error::new(ErrorKind::Config, format!("\"{name}\" is no name that a certificate can be for: {error}"))
    })
}

#[derive(Clone, Debug)]
struct Settings {
    roots: Vec<Pem>,
    pair: Option<Pair>,
    revocation_lists: Vec<Pem>,
    versions: TlsVersions,
}

impl Recipe for Settings {
    type Config = ClientConfig;

    fn parts(&self) -> impl Iterator<Item = &Pem> {
        let pair = self.pair.iter().flat_map(Pair::parts);
        pair.chain(&self.roots).chain(&self.revocation_lists)
    }

    fn make(&self) -> Result<(ClientConfig, Option<CertificateDer<'static>>), Error> {
        let verifier = WebPkiServerVerifier::builder_with_provider(roots(&self.roots)?, provider())
            .with_crls(revocation_lists(&self.revocation_lists)?)
            .build()
            .map_err(|error| unusable("the roots and revocation lists", &error))?;
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(self.versions.list())
            .map_err(|error| unusable("these versions of TLS", &error))?
            .with_webpki_verifier(verifier);
        let certified = self.pair.as_ref().map(Pair::read).transpose()?;
        let own = certified.as_ref().and_then(|certified| certified.cert.first().cloned());
        let config = match certified {
            Some(certified) => config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified))),
            None => config.with_no_client_auth(),
        };
        Ok((config, own))
    }
}

pin_project! {
    /// A stream whose errors say what to do: under TLS 1.3 a server that refuses a client's certificate says so after the handshake.
    struct Explained<S> {
        #[pin]
        stream: S,
    }
}

fn explained<T>(poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
    poll.map_err(|error| explain(error, Side::Client))
}

impl<S: AsyncRead> AsyncRead for Explained<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        explained(self.project().stream.poll_read(cx, buf))
    }
}

impl<S: AsyncWrite> AsyncWrite for Explained<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        explained(self.project().stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        explained(self.project().stream.poll_write_vectored(cx, parts))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        explained(self.project().stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        explained(self.project().stream.poll_shutdown(cx))
    }
}
