//! Which layers stand around a service.

use rpc_core::Service;

/// Lists a service and the layers around it, one line each: what sees a request first comes first.
///
/// ```
/// use std::time::Duration;
/// use rpc_core::{Layer, Router};
/// use rpc_layers::{Timeout, describe};
/// let service = Timeout::new(Duration::from_secs(1)).layer(Router::new());
/// assert_eq!(describe(&service), ["Timeout(1s)", "{}"]);
/// ```
pub fn describe(service: &impl Service) -> Vec<String> {
    let mut lines = Vec::new();
    service.describe(&mut lines);
    lines
}
