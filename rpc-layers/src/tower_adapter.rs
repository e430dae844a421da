//! Between farcall's services and layers and those of [tower](https://docs.rs/tower): each may stand in the other's place.

mod fault;

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rpc_core::{BoxError, Error, Layer, MethodDescriptor, MethodId, Request, Response, Service};

use fault::{not_ready, own_error};

/// Makes a farcall layer of a tower one, for a channel, a server or any other service.
///
/// The layer's service is cloned for each call, as tower has it, and asked for readiness within the call: where it is not ready, the call waits
/// and no other does, and a call that is dropped while it waits gives back what it took. Layers that keep a count or a budget share it between clones.
/// One that is not `Clone`, such as tower's rate limit, goes into its `Buffer`; there the
/// ambient [`Context`](rpc_core::Context) is lost, since calls run in a task of their own.
///
/// Layers that watch each other's readiness, as tower's load shed does its limits', go into one `ServiceBuilder`: a farcall service between
/// them is always ready.
///
/// What fails in the layer becomes an [`Error`]:
///
/// | tower's error | error |
/// |---|---|
/// | an [`Error`] | itself |
/// | one with an [`Error`] among its sources | of the same kind, fate and code, with the whole chain as source |
/// | a [`Status`](rpc_core::Status) | that status |
/// | `tower::timeout::error::Elapsed` | [`DeadlineExceeded`](rpc_core::ErrorKind::DeadlineExceeded): the call may have run |
/// | `tower::load_shed::error::Overloaded` | [`Refused`](rpc_core::ErrorKind::Refused): it did not run |
/// | any other | a status with [`Code::Unknown`](rpc_core::Code::Unknown), and the error as its source, which a server keeps to itself |
///
/// What fails while the service gets ready has not been sent. A permit that tower's layers hold is given back with the response: items that
/// follow it are not counted, other than by [`ConcurrencyLimit`](crate::ConcurrencyLimit). A call costs an allocation, and what tower's layers take.
///
/// ```
/// use std::time::Duration;
/// use rpc_core::{Layer, Router};
/// use rpc_layers::{describe, tower};
/// use ::tower::ServiceBuilder;
/// let layers = ServiceBuilder::new().timeout(Duration::from_secs(1)).load_shed().concurrency_limit(8);
/// let service = tower(layers).layer(Router::new());
/// assert_eq!(
///     describe(&service),
///     ["tower TimeoutLayer", "tower LoadShedLayer", "tower ConcurrencyLimitLayer", "{}"]
/// );
/// ```
pub const fn tower<L>(layer: L) -> Tower<L> {
    Tower { layer }
}

/// The layer that [`tower()`] makes.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Tower<L> {
    layer: L,
}

impl<S, L, T> Layer<S> for Tower<L>
where
    S: Service,
    L: ::tower::Layer<ToTower<S>, Service = T>,
    T: ::tower::Service<Request, Response = Response> + Clone + Send + Sync + 'static,
    T::Error: Into<BoxError>,
    T::Future: Send,
{
    type Service = TowerService<S, T>;

    fn layer(self, inner: S) -> Self::Service {
        let inner = ToTower::new(inner);
        let outer = FromTower::new(self.layer.layer(inner.clone()));
        TowerService { names: layer_names::<L>(), outer, inner }
    }
}

/// The service that the layer of [`tower()`] makes.
#[derive(Debug)]
pub struct TowerService<S, T> {
    /// Of the layers, the outermost first.
    names: Vec<&'static str>,
    outer: FromTower<T>,
    /// For what tower's services do not tell.
    inner: ToTower<S>,
}

impl<S, T> Service for TowerService<S, T>
where
    S: Service,
    T: ::tower::Service<Request, Response = Response> + Clone + Send + Sync + 'static,
    T::Error: Into<BoxError>,
    T::Future: Send,
{
    fn call(&self, mut request: Request) -> impl Future<Output = Result<Response, Error>> + Send {
        request.find_descriptor(&self.inner.service);
        self.outer.call(request)
    }

    fn find_method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.inner.service.find_method(id)
    }

    fn describe(&self, lines: &mut Vec<String>) {
        lines.extend(self.names.iter().map(|name| format!("tower {name}")));
        self.inner.service.describe(lines);
    }
}

/// A tower service that calls a farcall one, for whatever takes tower's.
///
/// It is always ready: farcall's services wait within the call. Cloning costs a reference count; a call costs an allocation.
///
/// ```
/// use rpc_core::Router;
/// use rpc_layers::ToTower;
/// use ::tower::ServiceBuilder;
/// let service = ServiceBuilder::new().concurrency_limit(8).service(ToTower::new(Router::new()));
/// # let _ = service;
/// ```
pub struct ToTower<S> {
    service: Arc<S>,
}

impl<S: Service> ToTower<S> {
    /// Makes a tower service of a farcall one.
    pub fn new(service: S) -> Self {
        Self { service: Arc::new(service) }
    }
}

impl<S> Clone for ToTower<S> {
    fn clone(&self) -> Self {
        Self { service: self.service.clone() }
    }
}

impl<S> fmt::Debug for ToTower<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ToTower")
    }
}

impl<S: Service> ::tower::Service<Request> for ToTower<S> {
    type Response = Response;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let service = self.service.clone();
        Box::pin(async move { service.call(request).await })
    }
}

/// A farcall service that calls a tower one, for a client, a server or a layer around it.
///
/// Each call has a clone of its own, waits until that is ready, and fails as [`tower()`] says.
///
/// ```
/// use rpc_core::Router;
/// use rpc_layers::{FromTower, ToTower, describe};
/// use ::tower::ServiceBuilder;
/// let tower = ServiceBuilder::new().concurrency_limit(8).service(ToTower::new(Router::new()));
/// assert_eq!(describe(&FromTower::new(tower)), ["tower ConcurrencyLimit"]);
/// ```
///
/// # Cancel safety
/// Dropping a call drops its clone, and with that the permit that it has or waits for.
#[derive(Clone)]
pub struct FromTower<T> {
    service: T,
}

impl<T> FromTower<T> {
    /// Makes a farcall service of a tower one.
    pub const fn new(service: T) -> Self {
        Self { service }
    }
}

impl<T> fmt::Debug for FromTower<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FromTower({})", short_name::<T>())
    }
}

impl<T> Service for FromTower<T>
where
    T: ::tower::Service<Request, Response = Response> + Clone + Send + Sync + 'static,
    T::Error: Into<BoxError>,
    T::Future: Send,
{
    async fn call(&self, request: Request) -> Result<Response, Error> {
        // The clone that became ready is the one that is called: readiness is a permit that it holds.
        let mut service = self.service.clone();
        poll_fn(|cx| service.poll_ready(cx)).await.map_err(|error| not_ready(error.into()))?;
        service.call(request).await.map_err(|error| own_error(error.into()))
    }

    fn describe(&self, lines: &mut Vec<String>) {
        lines.push(format!("tower {}", short_name::<T>()));
    }
}

/// Returns the names of the layers that a `ServiceBuilder` holds, the outermost first, or that of the one layer.
fn layer_names<L>() -> Vec<&'static str> {
    let name = short_name::<L>();
    if name != "ServiceBuilder" && name != "Stack" {
        return vec![name];
    }
    // tower's stack has the outer layers behind the inner ones.
    let words = std::any::type_name::<L>().rsplit(|char: char| !char.is_alphanumeric() && char != '_');
    words.filter(|word| word.ends_with("Layer")).collect()
}

/// Returns a type's name without its path and parameters.
fn short_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    let name = name.split_once('<').map_or(name, |(name, _)| name);
    name.rsplit_once("::").map_or(name, |(_, name)| name)
}
