//! Services for who operates a server: [`Health`] says where to call, [`Introspection`] says what a server is doing.
//!
//! Both are traits like any other, with a client and a server made by `#[service]`; nothing in the protocol knows of them. A server has them
//! once they are added to it.
//!
//! ```
//! use rpc_admin::{HealthClient, HealthReporter, Introspector, ServingStatus};
//! use rpc_transport::{Inspector, Server};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let inspector = Inspector::new();
//! let health = HealthReporter::new().with_services_of(&inspector);
//! let server = Server::builder()
//!     .inspector(&inspector)
//!     .service(health.clone())
//!     .service(Introspector::new(&inspector))
//!     .bind("mem://")
//!     .await?;
//!
//! let client = HealthClient::connect(server.uri()).await?;
//! assert_eq!(client.check(String::new()).await?, ServingStatus::Serving);
//! # Ok(()) }
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

mod farcall;
mod health;
mod introspection;
mod unfold;

pub use health::{
    Health, HealthClient, HealthError, HealthReporter, HealthRequest, HealthResponse, HealthServer,
    ServingStatus, wait_until_serving,
};
pub use introspection::{
    BusyConnection, CallInfo, CallList, ConnectionInfo, ConnectionList, EndedInfo, FailureInfo,
    Introspection, IntrospectionClient, IntrospectionError, IntrospectionRequest, IntrospectionResponse,
    IntrospectionServer, Introspector, LimitInfo, ServerInfo, Snapshot,
};
