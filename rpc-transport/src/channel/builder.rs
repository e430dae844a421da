//! Setting up a channel.

use std::fmt;
use std::time::Duration;

use rpc_core::{Compression, Error, Identity, Layer, Stack};

use super::{Channel, Options, Pool};
use crate::backoff::Backoff;
use crate::call::Calling;
use crate::limits::Limits;
use crate::link::ClientSecurity;
#[cfg(feature = "tls")]
use crate::tls::TlsClient;
use crate::uri::Uri;

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
///
/// With layers it makes a channel that they stand around, for any client:
///
/// ```
/// # use rpc_core::{Identity, Request, Next, layer_fn};
/// use rpc_transport::Channel;
/// # fn example() -> Result<(), rpc_core::Error> {
/// let tagged = layer_fn(|mut request: Request, next: Next| async move {
///     request.metadata_mut().insert("tenant", "acme");
///     next.call(request).await
/// });
/// let service = Channel::builder("tcp://127.0.0.1:7000").layer(tagged).lazy()?;
/// # Ok(()) }
/// # example().unwrap();
/// ```
#[must_use]
pub struct ChannelBuilder<L = Identity> {
    uri: String,
    options: Options,
    compression: Option<Compression>,
    layers: L,
}

impl ChannelBuilder {
    pub(super) fn new(uri: &str) -> Self {
        let options = Options {
            limits: Limits::default(),
            backoff: Backoff::default(),
            connect_timeout: Duration::from_secs(20),
            pool: Pool::default(),
            security: ClientSecurity::default(),
            calling: Calling::default(),
        };
        Self { uri: uri.to_owned(), options, compression: None, layers: Identity::new() }
    }
}

impl<L> ChannelBuilder<L> {
    /// Puts a layer around the channel; of several layers the one that was added first sees a request first.
    ///
    /// What [`connect`](Self::connect) and [`lazy`](Self::lazy) give is the outermost layer's service then: keep it in an
    /// [`Arc`](std::sync::Arc) or a [`BoxService`](rpc_core::BoxService) where several clients share it.
    pub fn layer<N>(self, layer: N) -> ChannelBuilder<Stack<L, N>> {
        let Self { uri, options, compression, layers } = self;
        ChannelBuilder { uri, options, compression, layers: Stack::new(layers, layer) }
    }

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

    /// Compresses what the channel sends, where the server knows how: requests, and the items that follow them.
    ///
    /// Default: nothing is compressed. What a server compresses is its own affair; this side inflates it, see [`Limits::compressors`].
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = Some(compression);
        self
    }

    /// Sets whether servers are asked with each call how long they take, see [`Response::server_times`](rpc_core::Response::server_times).
    ///
    /// Default: they are not, except by calls that [ask](rpc_core::Call::with_server_times) themselves. It costs 4 bytes in each answer, and the
    /// server a look at the clock. What fails says so unasked, see [`Error::timeline`](rpc_core::Error::timeline).
    pub fn server_times(mut self, asked: bool) -> Self {
        self.options.calling.times = asked;
        self
    }

    /// Tells servers to have so much less time than a call's deadline leaves, so that their answer that it was too late, which says how long
    /// the handler took, is here before the call is given up.
    ///
    /// Default: zero, and at a deadline both sides give up by themselves. A little more than the way there and back is enough; more takes that
    /// time from the handlers, though at most half of what a call has left. Oneway calls, which have no answer, keep all of theirs.
    pub fn deadline_margin(mut self, margin: Duration) -> Self {
        self.options.calling.deadline_margin = margin;
        self
    }

    /// Sets how many connections the channel has. Default: one.
    pub fn pool(mut self, pool: Pool) -> Self {
        self.options.pool = pool;
        self
    }

    /// Sets whom the channel trusts on `tls://`, `wss://` and `quic://`, and who it is there; such an address cannot be used without.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: TlsClient) -> Self {
        self.options.security.tls = Some(tls);
        self
    }

    /// Connects.
    ///
    /// # Errors
    /// As [`Channel::connect`].
    pub async fn connect(self) -> Result<L::Service, Error>
    where
        L: Layer<Channel>,
    {
        let channel = Self::channel(&self.uri, self.options, self.compression)?;
        channel.inner.reconnect(None).await?;
        Ok(self.layers.layer(channel))
    }

    /// Makes the channel without a connection: the first call makes that.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](rpc_core::ErrorKind::Config) for an address that cannot be used, or `tls://` where nothing says whom to trust.
    pub fn lazy(self) -> Result<L::Service, Error>
    where
        L: Layer<Channel>,
    {
        Ok(self.layers.layer(Self::channel(&self.uri, self.options, self.compression)?))
    }

    fn channel(uri: &str, mut options: Options, compression: Option<Compression>) -> Result<Channel, Error> {
        options.limits.compression = compression;
        let uri = Uri::parse(uri)?;
        options.security.allows(&uri)?;
        Ok(Channel::new(uri, options))
    }
}

impl<L> fmt::Debug for ChannelBuilder<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelBuilder").field("uri", &self.uri).finish_non_exhaustive()
    }
}
