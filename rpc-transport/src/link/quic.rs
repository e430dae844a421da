//! Links over QUIC (RFC 9000): a stream for each call, so that a packet that is lost holds up its own call only.
//!
//! quinn has the packets; [`mux`] has the streams, and [`early`] what is sent before a handshake is done. The settings of `tls://` say who is who.

mod arrivals;
mod calls;
mod early;
mod frames;
mod mux;

use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{
    AsyncTimer, AsyncUdpSocket, ClientConfig, Connection, ConnectionError, Endpoint, EndpointConfig,
    IdleTimeout, Runtime, ServerConfig, TokioRuntime, TransportConfig, VarInt,
};
use rpc_core::wire::Settings;
use rpc_core::{Error, ErrorKind, Peer};
use rustls::pki_types::CertificateDer;
use tokio::net::lookup_host;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{Link, RunsEarly};
use crate::connection::ClientConnection;
use crate::limits::{Limits, QUIC_FRAME_BYTES_MAX};
use crate::tls::{FaultSide, TlsClient, TlsServer, alert_in_words};
pub(crate) use early::Rejected;
use early::{EarlyCalls, Watching};
use mux::{End, Mux};

/// How far ahead of what has arrived a large message may be sent (rule C9).
const AHEAD_BYTES: u32 = 4 << 20;
/// Streams of calls that are over may still be there beside those of calls under way; QUIC's numbers of streams are held to slots.
const STREAMS_MAX: u32 = 65_535;
/// With more handshakes under way, a client must first prove that it is where it says (RFC 9000, section 8.1.2), at the cost of a round trip.
const UNPROVED_MAX: usize = 64;

/// Connects to `HOST:PORT`, within the time that a handshake may take, and opens a connection there.
pub(crate) async fn connect(host: &str, tls: &TlsClient, limits: &Limits) -> Result<ClientConnection, Error> {
    let (config, name) = tls.for_quic(host).await?;
    let crypto = QuicClientConfig::try_from(config).map_err(|error| failed(&error.to_string()))?;
    let mut config = ClientConfig::new(Arc::new(crypto));
    config.transport_config(Arc::new(transport(limits, 0)));
    let addresses = lookup_host(host).await.map_err(|error| failed(&error.to_string()))?;
    let mut addresses: Vec<_> = addresses.collect();
    let known = tls.known().and_then(|servers| servers.take(host));
    let mut known = known.filter(|(address, _)| addresses.contains(address));
    // The one that is known first.
    addresses.sort_by_key(|address| known.as_ref().is_none_or(|(known, _)| known != address));
    // A port where nobody listens says nothing: each address has its share of the time.
    let share =
        u32::try_from(addresses.len()).ok().and_then(|count| limits.handshake_timeout.checked_div(count));
    let mut last = failed("the host has no address");
    for address in addresses {
        let assumed = known.take().map(|(_, settings)| settings);
        let early = assumed.is_some().then_some(tls);
        let connected =
            timeout(share.unwrap_or_default(), connect_to(address, &name, config.clone(), limits, early));
        last = match connected.await {
            Ok(Ok((mux, is_early))) => {
                let link = Link { stream: Box::new(mux), peer: Peer::new(format!("quic://{host}")) };
                let (servers, host) = (tls.known().cloned(), host.to_owned());
                let opened = move |settings: &Settings| {
                    if let Some(servers) = &servers {
                        servers.note(&host, address, settings.clone());
                    }
                };
                if let Some(assumed) = assumed.filter(|_| is_early) {
                    return Ok(ClientConnection::open_early(link, limits, assumed, opened));
                }
                tls.count(true);
                let connection = ClientConnection::open(link, limits).await?;
                connection.shared.peer_settings().iter().for_each(opened);
                return Ok(connection);
            }
            Ok(Err(error)) => failed(&error),
            Err(_) => failed(&format!(
                "nobody answered at {address} in time: check that a server listens there, and that UDP gets through"
            )),
        };
        tls.count(false);
    }
    Err(last)
}

fn failed(why: &str) -> Error {
    Error::new(ErrorKind::Connect, format!("no QUIC connection could be made: {why}"))
}

/// Makes a connection, and tells whether it may be sent to before its handshake is done, where `early` wants that.
async fn connect_to(
    address: SocketAddr,
    name: &str,
    config: ClientConfig,
    limits: &Limits,
    early: Option<&TlsClient>,
) -> Result<(Mux, bool), String> {
    let own: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let endpoint = Endpoint::client(own).map_err(|error| error.to_string())?;
    let connecting = endpoint.connect_with(config, address, name).map_err(|error| error.to_string())?;
    let connected = |made: Result<Connection, ConnectionError>| made.map_err(|error| words(&error));
    let (connection, early) = match early {
        Some(tls) => match connecting.into_0rtt() {
            Ok((connection, accepted)) => (connection, Some((accepted, tls.clone()))),
            // There is no session to be resumed.
            Err(connecting) => (connected(connecting.await)?, None),
        },
        None => (connected(connecting.await)?, None),
    };
    let control = connection.open_bi().await.map_err(|error| words(&error))?;
    let is_early = early.is_some();
    Ok((Mux::new(connection, control, limits, End::Client { endpoint, early }), is_early))
}

/// Says what has ended a connection.
fn words(error: &ConnectionError) -> String {
    match error {
        // What a TLS alert means, rather than its number (RFC 9001, section 4.8).
        ConnectionError::ConnectionClosed(closed) => match u64::from(closed.error_code) {
            code @ 0x100..=0x1ff => {
                let alert = u8::try_from(code.saturating_sub(0x100)).unwrap_or_default();
                alert_in_words(alert, FaultSide::Client)
            }
            _ => error.to_string(),
        },
        ConnectionError::TransportError(fault) if !fault.reason.is_empty() => fault.reason.clone(),
        ConnectionError::TimedOut => "nothing was heard from the peer for too long".to_owned(),
        other => other.to_string(),
    }
}

/// Holds a connection to the limits of this side; the peer opens so many streams at most.
fn transport(limits: &Limits, streams_max: u32) -> TransportConfig {
    let config = &limits.config;
    let settings = &config.settings;
    // More than a peer may send that keeps to its credit: farcall's windows are the ones that are felt, each call's by itself.
    let frames = QUIC_FRAME_BYTES_MAX.saturating_mul(2);
    let stream = settings.stream_window_bytes.saturating_add(AHEAD_BYTES).saturating_add(frames);
    let all = settings.connection_window_bytes.saturating_add(config.buffer_bytes_max).saturating_add(stream);
    // The machine's own PINGs are answered before that.
    let idle =
        config.ping_interval.saturating_add(config.ping_timeout).saturating_add(Duration::from_secs(5));
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(streams_max))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(stream.min(1 << 30)))
        .receive_window(VarInt::from_u32(all.min(1 << 30)))
        .max_idle_timeout(IdleTimeout::try_from(idle).ok())
        .datagram_receive_buffer_size(None);
    transport
}

/// Where QUIC connections come in.
pub(crate) struct Listener {
    endpoint: Endpoint,
    local: SocketAddr,
    tls: TlsServer,
    limits: Limits,
    runs_early: RunsEarly,
    /// Held by each handshake.
    under_way: Arc<()>,
    /// Closes once the socket is.
    released: mpsc::Receiver<()>,
}

impl Listener {
    /// Listens on `HOST:PORT`.
    pub(super) async fn bind(
        host: &str,
        tls: TlsServer,
        limits: Limits,
        runs_early: RunsEarly,
    ) -> Result<Self, Error> {
        let cannot = |error: io::Error| {
            let text = format!("cannot listen on quic://{host}: {error}");
            Error::new(ErrorKind::Connect, text).with_source(error)
        };
        let config = server_config(&tls, &limits).await?;
        let address = lookup_host(host).await.map_err(cannot)?.next();
        let address = address.ok_or_else(|| cannot(io::ErrorKind::AddrNotAvailable.into()))?;
        let socket = std::net::UdpSocket::bind(address).map_err(cannot)?;
        let (runtime, released) = Watched::new();
        let endpoint = Endpoint::new(EndpointConfig::default(), Some(config), socket, Arc::new(runtime));
        let endpoint = endpoint.map_err(cannot)?;
        let local = endpoint.local_addr().map_err(cannot)?;
        Ok(Self { endpoint, local, tls, limits, runs_early, under_way: Arc::new(()), released })
    }

    pub(super) fn local(&self) -> String {
        self.local.to_string()
    }

    pub(super) async fn accept(&self) -> io::Result<Handshake> {
        loop {
            let incoming = self.endpoint.accept().await;
            let incoming = incoming.ok_or_else(|| io::Error::other("the QUIC endpoint has ended"))?;
            // Whoever makes addresses up must not take the places of those who are there.
            let under_way = Arc::strong_count(&self.under_way);
            if under_way > UNPROVED_MAX && !incoming.remote_address_validated() && incoming.may_retry() {
                // It fails only where it may not be done.
                let _ = incoming.retry();
                continue;
            }
            let (tls, limits, runs_early) = (self.tls.clone(), self.limits.clone(), self.runs_early.clone());
            return Ok(Handshake { incoming, tls, limits, runs_early, under_way: self.under_way.clone() });
        }
    }

    /// Refuses whoever comes until the connections that are there have ended, and waits until the port is free.
    pub(super) async fn close(self) {
        let Self { endpoint, mut released, .. } = self;
        drain(&endpoint).await;
        drop(endpoint);
        released.recv().await;
    }
}

async fn drain(endpoint: &Endpoint) {
    // An endpoint that ignored them would have them wait until their time is up.
    let mut refused = pin!(async {
        while let Some(incoming) = endpoint.accept().await {
            incoming.refuse();
        }
    });
    let mut idle = pin!(endpoint.wait_idle());
    poll_fn(|cx| {
        let _ = refused.as_mut().poll(cx);
        idle.as_mut().poll(cx)
    })
    .await;
}

/// Tokio, for an endpoint of which it is known when the last of it is gone: its port is in use until then.
#[derive(Debug)]
struct Watched {
    inner: TokioRuntime,
    /// Never sent to.
    _held: mpsc::Sender<()>,
}

impl Watched {
    fn new() -> (Self, mpsc::Receiver<()>) {
        let (held, released) = mpsc::channel(1);
        (Self { inner: TokioRuntime, _held: held }, released)
    }
}

impl Runtime for Watched {
    fn new_timer(&self, at: Instant) -> Pin<Box<dyn AsyncTimer>> {
        self.inner.new_timer(at)
    }

    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        self.inner.spawn(future);
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        self.inner.wrap_udp_socket(socket)
    }

    fn now(&self) -> Instant {
        self.inner.now()
    }
}

async fn server_config(tls: &TlsServer, limits: &Limits) -> Result<ServerConfig, Error> {
    let crypto = QuicServerConfig::try_from(tls.for_quic().await?);
    let crypto = crypto.map_err(|error| Error::new(ErrorKind::Config, error.to_string()))?;
    let mut config = ServerConfig::with_crypto(Arc::new(crypto));
    let streams_max = limits.config.settings.calls_max.saturating_mul(2).saturating_add(16).min(STREAMS_MAX);
    config.transport_config(Arc::new(transport(limits, streams_max)));
    Ok(config)
}

/// A connection that a client wants to make.
pub(crate) struct Handshake {
    incoming: quinn::Incoming,
    tls: TlsServer,
    limits: Limits,
    runs_early: RunsEarly,
    under_way: Arc<()>,
}

impl Handshake {
    /// Makes it; none where it comes to nothing in this time.
    pub(super) async fn run(self, limit: Duration) -> Option<Link> {
        let (tls, peer) = (self.tls.clone(), self.incoming.remote_address());
        let mut is_watched = false;
        let made = timeout(limit, self.make(&mut is_watched)).await;
        let made = made.unwrap_or_else(|_| Err("it was not done in time".to_owned()));
        if !is_watched {
            tls.count(made.is_ok());
        }
        made.inspect_err(|why| tracing::debug!(%peer, why, "a QUIC handshake failed")).ok()
    }

    /// Makes it, and tells whether its handshake is watched over from then on, and counted, by a task of its own.
    async fn make(self, is_watched: &mut bool) -> Result<Link, String> {
        let uri = format!("quic://{}", self.incoming.remote_address());
        let config = server_config(&self.tls, &self.limits).await.map_err(|error| error.to_string())?;
        let connecting = self.incoming.accept_with(Arc::new(config)).map_err(|error| error.to_string())?;
        if self.tls.takes_early_data() {
            // It cannot fail: this is the server.
            let (connection, confirmed) = connecting.into_0rtt().map_err(|_| "it takes no early data")?;
            let watched = Watching {
                connection: connection.clone(),
                limit: self.limits.handshake_timeout,
                tls: self.tls,
                under_way: self.under_way,
            };
            let early = EarlyCalls::new(watched, confirmed, self.runs_early);
            *is_watched = true;
            let control = connection.accept_bi().await.map_err(|error| error.to_string())?;
            let end = End::Server { early: Some(early) };
            let mux = Mux::new(connection, control, &self.limits, end);
            return Ok(Link { stream: Box::new(mux), peer: Peer::new(uri) });
        }
        let connection = connecting.await.map_err(|error| error.to_string())?;
        let chain =
            connection.peer_identity().and_then(|any| any.downcast::<Vec<CertificateDer<'static>>>().ok());
        let peer =
            TlsServer::peer(uri, chain.as_deref().map(Vec::as_slice)).map_err(|error| error.to_string())?;
        // The client opens it at once, with its opening.
        let control = connection.accept_bi().await.map_err(|error| error.to_string())?;
        let mux = Mux::new(connection, control, &self.limits, End::Server { early: None });
        Ok(Link { stream: Box::new(mux), peer })
    }
}
