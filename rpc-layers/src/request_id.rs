//! Gives each call an id that can be found again in every log.

use rpc_core::{Error, Layer, Metadata, MethodDescriptor, MethodId, Request, Response, Service};

/// The metadata key of a request's id.
pub const REQUEST_ID: &str = "request-id";

/// What is longer is no id, and would only fill logs.
const BYTES_MAX: usize = 128;

/// Takes a call's id from its metadata, or makes one, and passes it on: to the service, to the calls that its handler makes in turn,
/// and back with the answer.
///
/// An id is 1 to 128 visible ASCII characters; what is none is replaced. One that is made is 128 bits of chance in hexadecimal. Put it
/// outside of [`AccessLog`](crate::AccessLog), which shows it. A call that fails brings nothing back beside its status.
///
/// ```
/// use rpc_layers::RequestId;
/// let layer = RequestId::new();
/// # let _ = layer;
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
#[non_exhaustive]
pub struct RequestId;

impl RequestId {
    /// Creates the layer.
    pub const fn new() -> Self {
        Self
    }
}

impl<S: Service> Layer<S> for RequestId {
    type Service = RequestIdService<S>;

    fn layer(self, inner: S) -> Self::Service {
        RequestIdService { inner }
    }
}

/// The service that [`RequestId`] makes.
#[derive(Debug)]
pub struct RequestIdService<S> {
    inner: S,
}

impl<S: Service> Service for RequestIdService<S> {
    async fn call(&self, mut request: Request) -> Result<Response, Error> {
        let id = match request_id(request.metadata()) {
            Some(id) => id.to_owned(),
            None => format!("{:032x}", fastrand::u128(..)),
        };
        request.metadata_mut().propagate(REQUEST_ID, id.as_str());
        let mut response = self.inner.call(request).await?;
        response.metadata_mut().insert(REQUEST_ID, id);
        Ok(response)
    }

    fn find_method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.inner.find_method(id)
    }

    fn describe(&self, lines: &mut Vec<String>) {
        lines.push("RequestId".to_owned());
        self.inner.describe(lines);
    }
}

/// Returns the id that a request came with, where it is one.
pub(crate) fn request_id(metadata: &Metadata) -> Option<&str> {
    let is_id =
        |id: &&str| (1..=BYTES_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    metadata.text(REQUEST_ID).filter(is_id)
}
