//! The calling side: a channel makes calls to one address, and makes its connection again when it is lost.

mod builder;
mod calling;
mod connecting;
mod dial;
mod members;
mod pool;
mod upkeep;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rpc_core::{Error, ErrorKind, Request, Response, Service};

use crate::backoff::Backoff;
use crate::call::{self, Called, Calling, Chosen};
use crate::connection::ClientConnection;
use crate::limits::Limits;
use crate::link::ClientSecurity;
use crate::uri::Uri;
use crate::waits::{Stage, Waiting, Waits};
use calling::ChannelCall;
use connecting::State;
use members::Member;

pub use builder::ChannelBuilder;
pub use pool::{ChannelStats, Pool};

/// Calls a server over one connection, or a [`Pool`] of them, which are made again when they are lost.
///
/// Cloning costs a reference count, and clones share the connections: give one to each client of the services at that address. When
/// a connection is lost the calls in flight on it fail at once, and the next call makes a new one, or goes to another one of the pool. While that fails, calls wait for the next
/// try, which comes later each time (see [`Backoff`]), and fail with it; a call whose deadline is earlier than that fails
/// at once.
///
/// A connection is closed when the last clone of the channel, and the last stream of its calls, is dropped.
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
    /// The connections that calls go to; they may have ended.
    // Not a lock, which all callers would write to for each call.
    members: ArcSwap<Vec<Member>>,
    state: Mutex<State>,
    /// Somebody makes connections, or waits for the next try.
    is_growing: AtomicBool,
    /// How often the server found that this side pings too often.
    pings_halved: AtomicU32,
}

struct Options {
    limits: Limits,
    backoff: Backoff,
    connect_timeout: Duration,
    pool: Pool,
    security: ClientSecurity,
    calling: Calling,
}

/// A call goes to so many connections that turn out to have ended before it gives up.
const CONNECTIONS_TRIED_MAX: u32 = 3;

impl Channel {
    /// Connects to a server: `tcp://HOST:PORT`, `unix:///PATH`, `mem://NAME`, or `ws://HOST:PORT/PATH` with the feature `websocket`. For `tls://`,
    /// `wss://` and `quic://` use a [`builder`](Self::builder), which is told whom to trust.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for an address that cannot be used, [`ErrorKind::Connect`] where no connection can be made.
    pub async fn connect(uri: impl AsRef<str>) -> Result<Self, Error> {
        Self::builder(uri).connect().await
    }

    /// Starts a channel with other settings than the usual ones.
    pub fn builder(uri: impl AsRef<str>) -> ChannelBuilder {
        ChannelBuilder::new(uri.as_ref())
    }

    /// Returns the server's address.
    pub fn uri(&self) -> String {
        self.inner.uri.to_string()
    }

    /// Returns how many connections there are, and what they do.
    ///
    /// It takes a lock that calls do not take; ask as often as a gauge is read.
    pub fn stats(&self) -> ChannelStats {
        self.inner.stats()
    }

    fn new(uri: Uri, options: Options) -> Self {
        let inner = Inner {
            uri,
            options,
            members: ArcSwap::default(),
            state: Mutex::default(),
            is_growing: AtomicBool::new(false),
            pings_halved: AtomicU32::new(0),
        };
        Self { inner: Arc::new(inner) }
    }
}

impl Inner {
    /// Makes a call that has something to wait for beside its answer, beginning with the connection that was chosen; `ended` connections turned
    /// out to have ended.
    async fn call(
        self: Arc<Self>,
        mut request: Request,
        mut chosen: Option<Chosen>,
        mut ended: u32,
    ) -> Result<Response, Error> {
        let mut waits = Waits::default();
        while ended <= CONNECTIONS_TRIED_MAX {
            let chosen_now = match chosen.take() {
                Some(chosen) => chosen,
                None => Chosen::new(self.wait_for_connection(&request, &mut waits).await?, &request),
            };
            match call::call(chosen_now, &mut request, &self.options.calling, &mut waits).await? {
                Called::Answered(response) => return Ok(response),
                // No slot was free, and now there is another connection.
                Called::Elsewhere => {
                    chosen = self.choose().map(|connection| Chosen::new(connection, &request));
                }
                // The connection has ended, or its server drains. The handler did not run, so another connection takes the call.
                Called::Ended => ended = ended.saturating_add(1),
            }
        }
        let text = "connections are made and closed again before they take a call: the server may be full or shutting down; try again later, or elsewhere";
        let error = Error::new(ErrorKind::Refused, text).with_peer(self.uri.to_string());
        Err(error.with_timeline(waits.in_vain()))
    }

    /// Reconnects for a call, and notes how long that took.
    async fn wait_for_connection(
        self: &Arc<Self>,
        request: &Request,
        waits: &mut Waits,
    ) -> Result<Arc<ClientConnection>, Error> {
        let waiting = Waiting::begin(waits, Stage::Connecting, &self.uri, request.descriptor());
        let made = self.reconnect(request.deadline()).await;
        waiting.end();
        made.map_err(|error| error.with_timeline(waits.in_vain()))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(upkeep) = &state.upkeep {
            upkeep.abort();
        }
    }
}

impl Service for Channel {
    fn call(&self, request: Request) -> impl Future<Output = Result<Response, Error>> + Send {
        ChannelCall::new(self, request)
    }

    fn call_owned(self: Arc<Self>, request: Request) -> impl Future<Output = Result<Response, Error>> + Send {
        ChannelCall::new(self, request)
    }

    fn describe(&self, lines: &mut Vec<String>) {
        let (uri, pool) = (&self.inner.uri, &self.inner.options.pool);
        lines.push(match (pool.min, pool.max) {
            (_, 1) => format!("Channel({uri})"),
            (min, max) if min == max => format!("Channel({uri}, {max} connections)"),
            (min, max) => format!("Channel({uri}, {min} to {max} connections)"),
        });
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("uri", &self.uri())
            .field("connected", &self.inner.usable().is_some())
            .finish_non_exhaustive()
    }
}
