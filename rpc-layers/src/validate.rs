//! Looks at requests before the service does.

use std::fmt;

use rpc_core::{Error, Layer, MethodDescriptor, MethodId, Request, Response, Service, Status};

/// Has a function look at each request, which may reject it.
///
/// [`Request::message`] decodes it as the enum that `#[service]` generates. The handler decodes it once more.
///
/// ```
/// use rpc_core::{Code, Request, Status};
/// use rpc_layers::Validate;
/// let layer = Validate::new(|request: &Request| match request.metadata().text("tenant") {
///     Some(_) => Ok(()),
///     None => Err(Status::new(Code::InvalidArgument, "say which tenant it is for")),
/// });
/// # let _ = layer;
/// ```
#[derive(Clone)]
#[must_use]
pub struct Validate<F> {
    function: F,
}

impl<F: Fn(&Request) -> Result<(), Status> + Send + Sync + 'static> Validate<F> {
    /// Passes on what the function lets pass.
    pub fn new(function: F) -> Self {
        Self { function }
    }
}

impl<S, F> Layer<S> for Validate<F>
where
    S: Service,
    F: Fn(&Request) -> Result<(), Status> + Send + Sync + 'static,
{
    type Service = ValidateService<S, F>;

    fn layer(self, inner: S) -> Self::Service {
        ValidateService { inner, function: self.function }
    }
}

/// The service that [`Validate`] makes.
///
/// # Errors
/// The status that the function rejects the request with; the call was not run.
pub struct ValidateService<S, F> {
    inner: S,
    function: F,
}

impl<S, F> Service for ValidateService<S, F>
where
    S: Service,
    F: Fn(&Request) -> Result<(), Status> + Send + Sync + 'static,
{
    async fn call(&self, mut request: Request) -> Result<Response, Error> {
        request.find_descriptor(&self.inner);
        (self.function)(&request)?;
        self.inner.call(request).await
    }

    fn find_method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.inner.find_method(id)
    }

    fn describe(&self, lines: &mut Vec<String>) {
        lines.push("Validate".to_owned());
        self.inner.describe(lines);
    }
}

impl<F> fmt::Debug for Validate<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Validate")
    }
}

impl<S: fmt::Debug, F> fmt::Debug for ValidateService<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValidateService").field("inner", &self.inner).finish_non_exhaustive()
    }
}
