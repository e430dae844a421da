//! Stands in for an answer that did not come.

use std::fmt;

use rpc_core::{Body, Error, Layer, MethodDescriptor, MethodId, Request, Response, Service};
use serde::Serialize;

/// Answers in place of a call that failed: an old value, an empty list, a default.
///
/// The function gets the request without its stream, and the error; where it gives nothing, the call fails with that error. A
/// method's own error is an answer, and stays. Put it around what retries.
///
/// ```
/// use rpc_core::{Code, Error, Request};
/// use rpc_layers::{Fallback, answer};
/// let layer = Fallback::new(|request: &Request, error: &Error| {
///     let is_names = request.descriptor().is_some_and(|method| method.name() == "names");
///     (is_names && error.code() == Code::Unavailable).then(|| answer(request, &Vec::<String>::new()))
/// });
/// # let _ = layer;
/// ```
#[derive(Clone)]
#[must_use]
pub struct Fallback<F> {
    function: F,
}

impl<F> Fallback<F>
where
    F: Fn(&Request, &Error) -> Option<Result<Response, Error>> + Send + Sync + 'static,
{
    /// Answers with what the function gives.
    pub fn new(function: F) -> Self {
        Self { function }
    }
}

/// Encodes the answer to a request: the method's result, a `Result` where it returns one.
///
/// # Errors
/// [`ErrorKind::Encode`](rpc_core::ErrorKind::Encode).
pub fn answer<T: Serialize + ?Sized>(request: &Request, result: &T) -> Result<Response, Error> {
    Ok(Response::new(request.codec(), Body::new(request.codec().encode(result)?)))
}

impl<S, F> Layer<S> for Fallback<F>
where
    S: Service,
    F: Fn(&Request, &Error) -> Option<Result<Response, Error>> + Send + Sync + 'static,
{
    type Service = FallbackService<S, F>;

    fn layer(self, inner: S) -> Self::Service {
        FallbackService { inner, function: self.function }
    }
}

/// The service that [`Fallback`] makes.
///
/// # Errors
/// That of the call, where the function has no answer to it, or the function's own.
pub struct FallbackService<S, F> {
    inner: S,
    function: F,
}

impl<S, F> Service for FallbackService<S, F>
where
    S: Service,
    F: Fn(&Request, &Error) -> Option<Result<Response, Error>> + Send + Sync + 'static,
{
    async fn call(&self, mut request: Request) -> Result<Response, Error> {
        request.find_descriptor(&self.inner);
        let kept = without_items(&request);
        match self.inner.call(request).await {
            Ok(response) => Ok(response),
            Err(error) => (self.function)(&kept, &error).unwrap_or(Err(error)),
        }
    }

    fn find_method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.inner.find_method(id)
    }

    fn describe(&self, lines: &mut Vec<String>) {
        lines.push("Fallback".to_owned());
        self.inner.describe(lines);
    }
}

fn without_items(request: &Request) -> Request {
    let body = Body::new(request.body().message().clone());
    let mut kept = Request::by_id(request.method(), request.codec(), body);
    if let Some(descriptor) = request.descriptor() {
        kept.set_descriptor(descriptor);
    }
    if let Some(peer) = request.peer() {
        kept.set_peer(peer.clone());
    }
    kept.set_caller(request.caller().cloned());
    kept.set_deadline(request.deadline());
    kept.metadata_mut().clone_from(request.metadata());
    kept
}

impl<F> fmt::Debug for Fallback<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fallback")
    }
}

impl<S: fmt::Debug, F> fmt::Debug for FallbackService<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FallbackService").field("inner", &self.inner).finish_non_exhaustive()
    }
}
