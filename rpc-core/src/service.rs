//! The one seam: everything that answers calls is a [`Service`], everything that wraps one is a [`Layer`].

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use crate::{Error, MethodDescriptor, MethodId, Request, Response};

/// Something that answers calls: a channel, a generated server, a whole server, or one of them wrapped in layers.
///
/// `call` takes `&self` and asks for no readiness first: whoever must wait for a permit waits inside the future. Dropping the
/// future cancels the call.
///
/// ```
/// use rpc_core::{Error, Request, Response, Service};
/// struct Logged<S>(S);
/// impl<S: Service> Service for Logged<S> {
///     async fn call(&self, request: Request) -> Result<Response, Error> {
///         println!("calling {}", request.method_name());
///         self.0.call(request).await
///     }
/// }
/// ```
pub trait Service: Send + Sync + 'static {
    /// Answers a call.
    ///
    /// # Errors
    /// An [`Error`] that holds a [`Status`](crate::Status) where the service ruled on the call, any other kind where it could not be reached.
    fn call(&self, request: Request) -> impl Future<Output = Result<Response, Error>> + Send;

    /// Answers a call, like [`call`](Self::call), which keeps the service alive by itself.
    ///
    /// Generated clients call this. There is no need to implement it: that is for services whose calls hold all they need anyway, and are smaller
    /// for it.
    ///
    /// # Errors
    /// Those of [`call`](Self::call).
    fn call_owned(
        self: Arc<Self>,
        request: Request,
    ) -> impl Future<Output = Result<Response, Error>> + Send + 'static
    where
        Self: Sized,
    {
        async move { self.call(request).await }
    }

    /// Finds the description of a method that it answers, where it knows its methods; what wraps a service asks that one.
    ///
    /// On the calling side a request brings its description along; on the answering side a layer finds it here.
    fn find_method(&self, _id: MethodId) -> Option<&'static MethodDescriptor> {
        None
    }

    /// Adds a line about itself, and lines about what it wraps: the outermost comes first.
    ///
    /// What does not say otherwise is known by its type.
    fn describe(&self, lines: &mut Vec<String>) {
        lines.push(std::any::type_name::<Self>().to_owned());
    }

    /// Hears that the server which it was added to begins to shut down, before anything else happens; calls still come.
    ///
    /// A service that tells others where to call, such as one for health, says here that they should call elsewhere.
    fn leave(&self) {}
}

impl<S: Service> Service for Arc<S> {
    fn call(&self, request: Request) -> impl Future<Output = Result<Response, Error>> + Send {
        S::call(self, request)
    }

    fn call_owned(
        self: Arc<Self>,
        request: Request,
    ) -> impl Future<Output = Result<Response, Error>> + Send + 'static {
        S::call_owned(Self::clone(&self), request)
    }

    fn find_method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        S::find_method(self, id)
    }

    fn describe(&self, lines: &mut Vec<String>) {
        S::describe(self, lines);
    }

    fn leave(&self) {
        S::leave(self);
    }
}

/// Wraps one service in another.
pub trait Layer<S> {
    /// The service that it makes.
    type Service: Service;

    /// Wraps `inner`.
    fn layer(self, inner: S) -> Self::Service;
}

/// The layer that changes nothing.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Identity;

impl Identity {
    /// Creates the layer.
    pub const fn new() -> Self {
        Self
    }
}

impl<S: Service> Layer<S> for Identity {
    type Service = S;

    fn layer(self, inner: S) -> S {
        inner
    }
}

/// Two layers as one: the outer sees a request first.
///
/// ```
/// use rpc_core::{Identity, Layer, Router, Stack};
/// let (outer, middle, inner) = (Identity::new(), Identity::new(), Identity::new());
/// let service = Stack::new(outer, middle).then(inner).layer(Router::new());
/// # let _ = service;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Stack<Outer, Inner> {
    outer: Outer,
    inner: Inner,
}

impl<Outer, Inner> Stack<Outer, Inner> {
    /// Puts `outer` around `inner`.
    pub const fn new(outer: Outer, inner: Inner) -> Self {
        Self { outer, inner }
    }

    /// Puts both around a further one, which sees a request last.
    pub fn then<N>(self, inner: N) -> Stack<Self, N> {
        Stack::new(self, inner)
    }
}

impl<S, Outer, Inner> Layer<S> for Stack<Outer, Inner>
where
    Inner: Layer<S>,
    Outer: Layer<Inner::Service>,
{
    type Service = Outer::Service;

    fn layer(self, service: S) -> Self::Service {
        self.outer.layer(self.inner.layer(service))
    }
}

/// Makes a layer from one async function that gets each request and what comes next.
///
/// ```
/// use rpc_core::{layer_fn, Next, Request};
/// let tagged = layer_fn(|mut request: Request, next: Next| async move {
///     request.metadata_mut().insert("tagged", "yes");
///     next.call(request).await
/// });
/// # let _ = tagged;
/// ```
pub fn layer_fn<F, Fut>(function: F) -> LayerFn<F>
where
    F: Fn(Request, Next) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Response, Error>> + Send,
{
    LayerFn { function }
}

/// The layer that [`layer_fn`] makes.
#[derive(Clone, Copy)]
pub struct LayerFn<F> {
    function: F,
}

impl<F> fmt::Debug for LayerFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LayerFn")
    }
}

impl<S, F, Fut> Layer<S> for LayerFn<F>
where
    S: Service,
    F: Fn(Request, Next) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Response, Error>> + Send,
{
    type Service = FnService<F>;

    fn layer(self, inner: S) -> Self::Service {
        FnService { function: self.function, next: Next(BoxService::new(inner)) }
    }
}

/// The service that the layer of [`layer_fn`] makes.
#[derive(Debug)]
pub struct FnService<F> {
    function: F,
    next: Next,
}

impl<F, Fut> Service for FnService<F>
where
    F: Fn(Request, Next) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Response, Error>> + Send,
{
    fn call(&self, mut request: Request) -> impl Future<Output = Result<Response, Error>> + Send {
        request.find_descriptor(&self.next.0);
        (self.function)(request, self.next.clone())
    }

    fn find_method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.next.0.find_method(id)
    }

    fn describe(&self, lines: &mut Vec<String>) {
        lines.push("layer_fn".to_owned());
        self.next.0.describe(lines);
    }
}

/// What comes after the function of a [`layer_fn`]; it may be called never, once or several times.
#[derive(Clone, Debug)]
pub struct Next(BoxService);

impl Next {
    /// Passes a request on.
    ///
    /// # Errors
    /// Whatever the inner service fails with.
    pub async fn call(&self, request: Request) -> Result<Response, Error> {
        self.0.call(request).await
    }
}

/// A service whose type is forgotten: it can be stored, and services of several types kept in one list.
///
/// Each call through it costs one allocation. Cloning costs a reference count.
#[derive(Clone)]
pub struct BoxService {
    inner: Arc<dyn DynService>,
}

impl BoxService {
    /// Forgets the type of a service.
    pub fn new(service: impl Service) -> Self {
        Self { inner: Arc::new(service) }
    }

    /// Makes a call that holds what it needs.
    pub(crate) fn start(&self, request: Request) -> BoxFuture<'static> {
        self.inner.clone().call_boxed_owned(request)
    }
}

impl Service for BoxService {
    fn call(&self, request: Request) -> impl Future<Output = Result<Response, Error>> + Send {
        self.inner.call_boxed(request)
    }

    fn call_owned(
        self: Arc<Self>,
        request: Request,
    ) -> impl Future<Output = Result<Response, Error>> + Send + 'static {
        self.start(request)
    }

    fn find_method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.inner.find_method_boxed(id)
    }

    fn describe(&self, lines: &mut Vec<String>) {
        self.inner.describe_boxed(lines);
    }

    fn leave(&self) {
        self.inner.leave_boxed();
    }
}

impl fmt::Debug for BoxService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxService")
    }
}

pub(crate) type BoxFuture<'a> = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send + 'a>>;

trait DynService: Send + Sync + 'static {
    fn call_boxed(&self, request: Request) -> BoxFuture<'_>;
    fn call_boxed_owned(self: Arc<Self>, request: Request) -> BoxFuture<'static>;
    fn find_method_boxed(&self, id: MethodId) -> Option<&'static MethodDescriptor>;
    fn describe_boxed(&self, lines: &mut Vec<String>);
    fn leave_boxed(&self);
}

impl<S: Service> DynService for S {
    fn call_boxed(&self, request: Request) -> BoxFuture<'_> {
        Box::pin(self.call(request))
    }

    fn call_boxed_owned(self: Arc<Self>, request: Request) -> BoxFuture<'static> {
        // Made where it stays: `Box::pin` would make it elsewhere, and move it there.
        let made = Box::write(Box::new_uninit(), self.call_owned(request));
        Box::into_pin(made)
    }

    fn find_method_boxed(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.find_method(id)
    }

    fn leave_boxed(&self) {
        self.leave();
    }

    fn describe_boxed(&self, lines: &mut Vec<String>) {
        self.describe(lines);
    }
}
