//! Setting up a server.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rpc_core::{Compression, Error, Handler, Identity, Layer, Router, Service, Stack};
use tokio::sync::{Semaphore, mpsc, watch};

use super::accept::{Acceptor, accept_loop};
use super::age::Age;
use super::inspector::Facts;
use super::placement::Placement;
use super::{Inspector, Phase, Server, ServerHandle};
use crate::limits::Limits;
use crate::link::{Listener, RunsEarly, Security};
#[cfg(feature = "tls")]
use crate::tls::TlsServer;
use crate::uri::Uri;

/// Sets up a [`Server`]: services, layers, addresses, limits.
///
/// Mistakes, such as two services with the same method id, are reported by [`bind`](Self::bind) and [`build`](Self::build).
#[must_use]
pub struct ServerBuilder<L = Identity> {
    router: Result<Router, Error>,
    layers: L,
    uris: Vec<String>,
    limits: Limits,
    compression: Option<Compression>,
    connections_max: usize,
    oneway_max: usize,
    grace: Duration,
    age_max: Option<Duration>,
    drain_delay: Duration,
    inspector: Inspector,
    discreet: bool,
    security: Security,
}

impl ServerBuilder {
    pub(super) fn new() -> Self {
        Self {
            router: Ok(Router::new()),
            layers: Identity::new(),
            uris: Vec::new(),
            limits: Limits::default(),
            compression: None,
            connections_max: 10_000,
            oneway_max: 10_000,
            grace: Duration::from_secs(10),
            age_max: None,
            drain_delay: Duration::ZERO,
            inspector: Inspector::new(),
            discreet: false,
            security: Security::default(),
        }
    }
}

impl<L> ServerBuilder<L> {
    /// Adds a service; calls find it by their method.
    pub fn service(mut self, service: impl Handler) -> Self {
        self.router = self.router.and_then(|router| router.with(service));
        self
    }

    /// Wraps all services in a layer; of several layers the one that was added first sees a request first.
    pub fn layer<N>(self, layer: N) -> ServerBuilder<Stack<L, N>> {
        ServerBuilder {
            router: self.router,
            layers: Stack::new(self.layers, layer),
            uris: self.uris,
            limits: self.limits,
            compression: self.compression,
            connections_max: self.connections_max,
            oneway_max: self.oneway_max,
            grace: self.grace,
            age_max: self.age_max,
            drain_delay: self.drain_delay,
            inspector: self.inspector,
            discreet: self.discreet,
            security: self.security,
        }
    }

    /// Listens on a further address beside the one that [`bind`](Self::bind) takes.
    pub fn listen(mut self, uri: impl Into<String>) -> Self {
        self.uris.push(uri.into());
        self
    }

    /// Sets the limits and times of each connection.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Compresses what the server sends, where the client knows how: results, and the items that follow them.
    ///
    /// Default: nothing is compressed. What a client compresses is its own affair; this side inflates it, see [`Limits::compressors`].
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = Some(compression);
        self
    }

    /// Caps the connections at one time; a further one is told so and closed.
    ///
    /// Default: 10,000. Each idle connection costs about 7 KB.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.connections_max = connections.min(Semaphore::MAX_PERMITS);
        self
    }

    /// Caps the handlers of oneway methods at one time, over all connections; a further call is refused, and nobody is told.
    ///
    /// Default: 10,000. They outlive their callers and connections, so the limits of a connection do not bound them.
    pub fn max_oneway_calls(mut self, calls: usize) -> Self {
        self.oneway_max = calls.min(Semaphore::MAX_PERMITS);
        self
    }

    /// Sets how long calls may go on once the server shuts down.
    ///
    /// Default: 10 s. Too short ends honest calls; too long holds up a deployment.
    pub fn shutdown_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Sets for how long a server that shuts down goes on as before, once its services have heard of it ([`Service::leave`]).
    ///
    /// Default: 0. Clients and balancers that ask for its health, or watch it, go elsewhere in that time without a call being refused: choose
    /// somewhat more than their interval. Too long holds up a deployment.
    pub fn drain_delay(mut self, delay: Duration) -> Self {
        self.drain_delay = delay;
        self
    }

    /// Lets an inspector see into the server: one that was made before, so that a service of the server can hold it. Without this the server
    /// makes its own, see [`Server::inspector`].
    pub fn inspector(mut self, inspector: &Inspector) -> Self {
        self.inspector = inspector.clone();
        self
    }

    /// Sets whether callers are told no more than they have to know, as befits a server that strangers reach.
    ///
    /// Default: they are told where the time of a call went: how long it waited here and how long its handler took, where they ask (see
    /// [`Error::timeline`]), and of a call onward that failed the endpoint, the method, and its timeline. A discreet server says that a service
    /// behind it failed, and no times, from which more can be learned than from those that a caller takes over a network.
    /// A refusal for want of proof is always so; a deadline that passes while a caller is being let in is not.
    pub fn discreet(mut self, discreet: bool) -> Self {
        self.discreet = discreet;
        self
    }

    /// Sets how old a connection may become, give or take a tenth by chance; then it takes no more calls, and its client makes a new one.
    ///
    /// Calls under way have the time of [`shutdown_grace`](Self::shutdown_grace) to finish; after it they are ended with `UNAVAILABLE`, oneway ones
    /// too. Clients that come back are verified again, by the certificates and revocation lists of that time, and go where a balancer sends them.
    ///
    /// Default: without end. Too short costs handshakes and ends long streams; too long lets a client stay whose certificate was revoked.
    pub fn max_connection_age(mut self, age: Duration) -> Self {
        self.age_max = Some(age);
        self
    }

    /// Lets pages of these origins call over `ws://` and `wss://`, such as `https://app.example`; `*` lets all.
    ///
    /// A browser says whose page asks, and a page of anywhere can ask for any address that the browser reaches, this machine's included. Clients
    /// that are no browsers say nothing and are let in: this is no replacement for knowing who calls.
    ///
    /// Default: pages of the host and port that the server is called by. Behind a proxy that calls it by another name, name the pages' origin.
    #[cfg(feature = "websocket")]
    pub fn web_origins(mut self, origins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.security.origins.extend(origins.into_iter().map(Into::into));
        self
    }

    /// Sets how `tls://`, `wss://` and `quic://` addresses are secured; all of a server's share it.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: TlsServer) -> Self {
        self.security.server = Some(tls);
        self
    }

    /// Makes the services with their layers a service of their own, without a socket.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](rpc_core::ErrorKind::Config) where two methods have the same id.
    pub fn build(self) -> Result<L::Service, Error>
    where
        L: Layer<Router>,
    {
        Ok(self.layers.layer(self.router?))
    }

    /// Listens and serves.
    ///
    /// Port 0 lets the system choose: [`Server::uri`] says which. On `mem://` an empty name does the same.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](rpc_core::ErrorKind::Config) for an address that cannot be used, two methods with the same id, or `tls://` and the
    /// like without a certificate, [`ErrorKind::Connect`](rpc_core::ErrorKind::Connect) where the address cannot be listened on.
    pub async fn bind(mut self, uri: impl Into<String>) -> Result<Server, Error>
    where
        L: Layer<Router>,
    {
        self.uris.insert(0, uri.into());
        let services = self.router.as_ref().map(Clone::clone).unwrap_or_default();
        let known = services.clone();
        let runs_early: RunsEarly =
            Arc::new(move |id| known.method(id).is_some_and(|method| method.is_idempotent()));
        let mut listeners = Vec::new();
        for uri in &self.uris {
            let uri = Uri::parse(uri)?;
            listeners.push(Listener::bind(&uri, &self.security, &self.limits, &runs_early).await?);
        }
        let (grace, mut limits) = (self.grace, self.limits.clone());
        limits.compression = self.compression.take();
        let age = self.age_max.map(|max| Age { max, grace });
        let slots = Arc::new(Semaphore::new(self.connections_max));
        let oneway = Arc::new(Semaphore::new(self.oneway_max));
        let (inspector, drain_delay) = (self.inspector.clone(), self.drain_delay);
        let (connections_max, oneway_max, discreet) = (self.connections_max, self.oneway_max, self.discreet);
        let service = Arc::new(self.build()?);
        let mut layers = Vec::new();
        service.describe(&mut layers);
        let (phase, _) = watch::channel(Phase::Running);
        let phase = Arc::new(phase);
        tokio::spawn(ServerHandle::drain_in_time(phase.clone(), drain_delay));
        let (task, tasks) = mpsc::channel(1);
        let placement = Arc::new(Placement::new());
        let uris: Vec<_> = listeners.iter().map(|(_, uri)| uri.to_string()).collect();
        // Before the first call can come: a service may ask the inspector.
        inspector.start(Facts {
            uris: uris.clone(),
            layers: layers.clone(),
            services: services.services().to_vec(),
            connections: (slots.clone(), connections_max),
            oneway: (oneway.clone(), oneway_max),
            phase: phase.subscribe(),
        });
        for (listener, _) in listeners {
            let acceptor = Acceptor {
                service: service.clone(),
                limits: limits.clone(),
                slots: slots.clone(),
                phase: phase.subscribe(),
                age,
                placement: placement.clone(),
                oneway: oneway.clone(),
                task: task.clone(),
                inspector: inspector.clone(),
                discreet,
            };
            tokio::spawn(accept_loop(listener, acceptor));
        }
        let handle = ServerHandle { phase, services, drain_delay };
        Ok(Server { uris, layers, handle, inspector, grace, tasks })
    }
}

impl<L> fmt::Debug for ServerBuilder<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerBuilder")
            .field("services", &self.router)
            .field("uris", &self.uris)
            .finish_non_exhaustive()
    }
}
