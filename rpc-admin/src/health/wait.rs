//! Waiting for a server to be ready, on the calling side.

use std::time::Duration;

use rpc_core::{Code, Error, ErrorKind, Service};

use super::{HealthClient, ServingStatus};

/// So long is waited before a server that has gone is asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// Waits until a service is [`Serving`](ServingStatus::Serving); the empty name is the server as a whole.
///
/// It goes on asking while the server cannot be reached or shuts down, with a pause of 100 ms: put a `tokio::time::timeout` around it. A server
/// without health, which answers `UNIMPLEMENTED`, counts as serving.
///
/// # Errors
/// Where asking again does not help: what the server answers but `UNAVAILABLE` and `RESOURCE_EXHAUSTED`, say `PERMISSION_DENIED`, or a mistake in the
/// client's settings.
///
/// # Cancel safety
/// It can be dropped at any time.
///
/// ```
/// # use rpc_admin::{HealthClient, HealthReporter, wait_until_serving};
/// # use rpc_transport::Server;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), rpc_core::Error> {
/// # let server = Server::builder().service(HealthReporter::new()).bind("mem://").await?;
/// let client = HealthClient::connect(server.uri()).await?;
/// wait_until_serving(&client, "").await?;
/// # Ok(()) }
/// ```
pub async fn wait_until_serving<S: Service>(client: &HealthClient<S>, service: &str) -> Result<(), Error> {
    loop {
        match watch_until_serving(client, service).await {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(error) if error.kind() == ErrorKind::Closed => return Err(error),
            Err(error) => match error.code() {
                Code::Unimplemented => return Ok(()),
                Code::Unavailable | Code::ResourceExhausted => {}
                _ => return Err(error),
            },
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Tells whether the service came to serve before its server left.
async fn watch_until_serving<S: Service>(client: &HealthClient<S>, service: &str) -> Result<bool, Error> {
    let mut changes = client.watch(service.to_owned()).await?;
    while let Some(status) = changes.next().await {
        if status? == ServingStatus::Serving {
            return Ok(true);
        }
    }
    Ok(false)
}
