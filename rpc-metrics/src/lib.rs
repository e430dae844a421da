//! What a server is doing, as metrics: a [`Sampler`] reads an [`Inspector`](rpc_transport::Inspector) and records what it sees through the
//! [`metrics`](https://docs.rs/metrics) facade; [`Prometheus`] is a recorder with an endpoint that is scraped. [`LogWriter`] writes logs, and
//! counts what it has to drop.
//!
//! Calls are counted by `farcall::layers::Metrics`. All names, labels and units are in the guide to metrics.
//!
#![cfg_attr(
    feature = "prometheus",
    doc = r#"
```no_run
use rpc_metrics::Prometheus;
use rpc_transport::{Inspector, Server};

# async fn example() -> Result<(), rpc_core::Error> {
let inspector = Inspector::new();
// First of all: what is recorded before is lost.
let prometheus = Prometheus::builder().inspector(&inspector).bind("127.0.0.1:9464")?;
let server = Server::builder().inspector(&inspector).bind("tcp://0.0.0.0:7000").await?;
println!("scrape http://{}/metrics", prometheus.address());
server.wait().await;
# Ok(()) }
```
"#
)]
// What strangers send passes through the endpoint. What could panic there is argued where it stands.
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

mod log_writer;
#[cfg(feature = "prometheus")]
mod prometheus;
mod sampler;

pub use log_writer::LogWriter;
#[cfg(feature = "prometheus")]
pub use prometheus::{Prometheus, PrometheusBuilder};
pub use sampler::Sampler;
