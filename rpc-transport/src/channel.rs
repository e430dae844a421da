//! The calling side: a channel makes calls to one address, and makes its connection again when it is lost.

mod connecting;

use std::fmt;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use rpc_core::{Error, ErrorKind, Request, Response, Service};

use crate::backoff::Backoff;
use crate::call;
use crate::connection::ClientConnection;
use crate::limits::Limits;
#[cfg(feature = "tls")]
use crate::tls::TlsClient;
use crate::uri::Uri;
use connecting::Tries;

/// Calls a server over one connection, which is made again when it is lost.
///
/// Cloning costs a reference count, and clones share the connection: give one to each client of the services at that address. When
/// the connection is lost the calls in flight fail at once, and the next call makes a new one. While that fails, calls wait for the next
/// try, which comes later each time (see [`Backoff`]), and fail with it; a call whose deadline is earlier than that fails
/// at once.
///
/// The connection is closed when the last clone, and the last stream of its calls, is dropped.
///
/// ```no_run
/// # async fn example() -> Result<(), rpc_core::Error> {
/// use rpc_transport::Channel;
/// let channel = Channel::connect("tcp://127.0.0.1:7000").await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Channel {
    inner: Arc<Inner>,
}

struct Inner {
    uri: Uri,
    options: Options,
    /// The connection that calls go to; it may have ended.
    // Not a lock, which all callers would write to for each call.
    current: ArcSwapOption<ClientConnection>,
    tries: Mutex<Tries>,
    /// How often the server found that this side pings too often.
    pings_halved: AtomicU32,
}

struct Options {
    limits: Limits,
    backoff: Backoff,
    connect_timeout: Duration,
    #[cfg(feature = "tls")]
    tls: Option<TlsClient>,
}

/// A call goes to so many connections that turn out to have ended before it gives up.
const CONNECTIONS_TRIED_MAX: u32 = 3;

impl Channel {
    /// Connects to a server: `tcp://HOST:PORT`, `unix:///PATH` or `mem://NAME`. For `tls://HOST:PORT` use a [`builder`](Self::builder), which
    /// is told whom to trust.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for an address that cannot be used, [`ErrorKind::Connect`] where no connection can be made.
    pub async fn connect(uri: impl AsRef<str>) -> Result<Self, Error> {
        Self::builder(uri).connect().await
    }

    /// Starts a channel with other settings than the usual ones.
    pub fn builder(uri: impl AsRef<str>) -> ChannelBuilder {
        let options = Options {
            limits: Limits::default(),
            backoff: Backoff::default(),
            connect_timeout: Duration::from_secs(20),
            #[cfg(feature = "tls")]
            tls: None,
        };
        ChannelBuilder { uri: uri.as_ref().to_owned(), options }
    }

    /// Returns the server's address.
    pub fn uri(&self) -> String {
        self.inner.uri.to_string()
    }
}

impl Inner {
    /// Returns the connection; it may have ended, which the next call on it finds out.
    fn current(&self) -> Option<Arc<ClientConnection>> {
        self.current.load_full()
    }
}

impl Service for Channel {
    #[expect(clippy::manual_async_fn, reason = "an `async fn` would hold the request twice")]
    fn call(&self, mut request: Request) -> impl Future<Output = Result<Response, Error>> + Send {
        async move {
            for tried in 0..=CONNECTIONS_TRIED_MAX {
                let connection = match self.inner.current() {
                    Some(connection) if tried == 0 => connection,
                    // Apart: most calls find a connection, and need no room for this.
                    _ => Box::pin(self.inner.reconnect(request.deadline())).await?,
                };
                // None: the connection has ended, or its server drains. The handler did not run, so another connection takes the call.
                if let Some(response) = call::call(connection, &mut request).await? {
                    return Ok(response);
                }
            }
            let text = "connections are made and closed again before they take a call: the server may be full or shutting down";
            Err(Error::new(ErrorKind::Refused, text).with_peer(self.uri()))
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("uri", &self.uri())
            .field("connected", &self.inner.current().is_some_and(|connection| connection.takes_calls()))
            .finish_non_exhaustive()
    }
}

/// Sets up a [`Channel`].
///
/// ```no_run
/// # async fn example() -> Result<(), rpc_core::Error> {
/// use std::time::Duration;
/// use rpc_transport::{Channel, Limits};
/// let channel = Channel::builder("tcp://127.0.0.1:7000")
///     .connect_timeout(Duration::from_secs(2))
///     .limits(Limits::default().message_bytes(64 << 20))
///     .connect()
///     .await?;
/// # Ok(()) }
/// ```
#[must_use]
pub struct ChannelBuilder {
    uri: String,
    options: Options,
}

impl ChannelBuilder {
    /// Sets how long making the link may take; the handshake has a time of its own in [`Limits`].
    ///
    /// Default: 20 s, as gRPC's. Too short gives up on servers that are far or busy.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.options.connect_timeout = timeout;
        self
    }

    /// Sets how tries to connect are spaced while they fail.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.options.backoff = backoff;
        self
    }

    /// Sets the limits and times of the connection.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.options.limits = limits;
        self
    }

    /// Sets whom the channel trusts on `tls://`, and who it is there; such an address cannot be used without.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: TlsClient) -> Self {
        self.options.tls = Some(tls);
        self
    }

    /// Connects.
    ///
    /// # Errors
    /// As [`Channel::connect`].
    pub async fn connect(self) -> Result<Channel, Error> {
        let channel = self.lazy()?;
        channel.inner.reconnect(None).await?;
        Ok(channel)
    }

    /// Makes the channel without a connection: the first call makes that.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for an address that cannot be used, or `tls://` where nothing says whom to trust.
    pub fn lazy(self) -> Result<Channel, Error> {
        let uri = Uri::parse(&self.uri)?;
        #[cfg(feature = "tls")]
        if matches!(uri, Uri::Tls(_)) && self.options.tls.is_none() {
            let text = format!("{uri} needs trust roots: set them with ChannelBuilder::tls");
            return Err(Error::new(ErrorKind::Config, text));
        }
        let inner = Inner {
            uri,
            options: self.options,
            current: ArcSwapOption::empty(),
            tries: Mutex::default(),
            pings_halved: AtomicU32::new(0),
        };
        Ok(Channel { inner: Arc::new(inner) })
    }
}

impl fmt::Debug for ChannelBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelBuilder").field("uri", &self.uri).finish_non_exhaustive()
    }
}
