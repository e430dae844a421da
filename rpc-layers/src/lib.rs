//! Layers for clients and servers: what stands between a caller and a service when calls are made in earnest.
//!
//! Each is a [`Layer`](rpc_core::Layer) with settings, and becomes a [`Service`](rpc_core::Service) around another. On a server,
//! `Server::builder().layer(…)` takes them, the outermost first; on a client, `Channel::builder(uri).layer(…)` does the same and makes what
//! a client's `new` takes.
//! Nothing here opens a socket or spawns a task.
//! `Server::builder().layer(…)` takes them, the outermost first; on a client, `layer.layer(channel)` makes what a client's `new` takes.
//! Nothing here opens a socket or spawns a task, but that [`auth`] may read a file of keys apart from the tasks.
//!
//! ```
//! use std::time::Duration;
//! use rpc_core::{Layer, Router, Stack};
//! use rpc_layers::{ConcurrencyLimit, Retry, Timeout, describe};
//!
//! let layers = Stack::new(Timeout::new(Duration::from_secs(2)), Stack::new(ConcurrencyLimit::new(64), Retry::new()));
//! let service = layers.layer(Router::new());
//! assert_eq!(
//!     describe(&service),
//!     ["Timeout(2s)", "ConcurrencyLimit(64 calls, 0 waiting)", "Retry(3 attempts)", "{}"]
//! );
//! ```

// What a peer sends passes through this crate. What could panic there is argued where it stands.
#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

mod access_log;
pub mod auth;
mod cache;
mod catch_panic;
mod concurrency_limit;
mod describe;
mod either;
mod fallback;
mod held;
#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "loops up to a length, in constants; a method that is not idempotent is the program's own mistake"
)]
mod idempotent;
mod listened;
#[cfg(feature = "metrics")]
mod metrics;
mod rate_limit;
mod refusals;
mod request_id;
mod retry;
mod timeout;
#[cfg(feature = "tower")]
mod tower_adapter;
mod trace;
mod validate;

pub use access_log::{AccessLog, AccessLogService};
pub use cache::{Cache, CacheService};
pub use catch_panic::{CatchPanic, CatchPanicService};
pub use concurrency_limit::{ConcurrencyLimit, ConcurrencyLimitService};
pub use describe::describe;
pub use fallback::{Fallback, FallbackService, answer};
pub use idempotent::Idempotent;
#[cfg(feature = "metrics")]
pub use metrics::{Metrics, MetricsService};
pub use rate_limit::{Quota, RateLimit, RateLimitService};
pub use request_id::{REQUEST_ID, RequestId, RequestIdService};
pub use retry::{Budget, NO_RETRY, RETRY_ATTEMPT, Retry, RetryService};
pub use timeout::{Timeout, TimeoutService};
#[cfg(feature = "tower")]
pub use tower_adapter::{FromTower, ToTower, Tower, TowerService, tower};
pub use trace::{Trace, TraceService};
pub use validate::{Validate, ValidateService};
