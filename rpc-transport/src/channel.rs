//! The calling side: placeholder until the connection is there.

use rpc_core::{Error, ErrorKind, Request, Response, Service};

/// Calls a server by its URI.
#[derive(Clone, Debug)]
pub struct Channel {}

impl Channel {
    /// Connects.
    ///
    /// # Errors
    /// Always, for now.
    pub async fn connect(uri: impl AsRef<str>) -> Result<Self, Error> {
        Err(Error::new(ErrorKind::Connect, format!("cannot connect to {}", uri.as_ref())))
    }
}

impl Service for Channel {
    async fn call(&self, _: Request) -> Result<Response, Error> {
        Err(Error::new(ErrorKind::Closed, "not connected"))
    }
}
