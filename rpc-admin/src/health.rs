//! Health: whether a server, or one of its services, should be called.

mod reporter;
mod wait;

use std::borrow::Cow;
use std::fmt;

use futures_core::Stream;
use rpc_core::Code;
use rpc_macros::service;
use serde::{Deserialize, Serialize};

pub use reporter::HealthReporter;
pub use wait::wait_until_serving;

/// Says whether a server should be called, as gRPC's health protocol does.
///
/// A service is named as on the wire; the empty name stands for the server as a whole. Balancers ask without a token: where a layer authenticates,
/// anybody may call these methods. [`HealthReporter`] answers them.
#[service(name = "farcall.Health", crate = crate::farcall)]
pub trait Health {
    /// Says how a service is now.
    ///
    /// A service that is not known is the method's own error, [`HealthError::UnknownService`], so that a name with a typing mistake is not taken
    /// for a service that is down.
    #[rpc(idempotent, auth = "none")]
    async fn check(&self, service: String) -> Result<ServingStatus, HealthError>;

    /// Says how a service is now, and again whenever that changes.
    ///
    /// Who reads slowly gets the latest status, not each between. A service that is not known is [`ServingStatus::ServiceUnknown`], until it is.
    /// The stream ends when the server begins to shut down; its last item is how the service is then, as a rule
    /// [`NotServing`](ServingStatus::NotServing).
    #[rpc(auth = "none")]
    fn watch(&self, service: String) -> impl Stream<Item = ServingStatus> + Send;
}

/// How a service is.
///
/// It travels as its [name](Self::name), in any codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "&'static str", from = "Cow<'_, str>")]
#[non_exhaustive]
pub enum ServingStatus {
    /// It takes calls.
    Serving,
    /// It is there, and calls should go elsewhere.
    NotServing,
    /// The server has no such service, or has not said how it is; only [`Health::watch`] says so.
    ServiceUnknown,
    /// A status that a later version knows: call elsewhere.
    Other,
}

impl ServingStatus {
    /// Returns the name: `SERVING`, `NOT_SERVING`, `SERVICE_UNKNOWN`, or `OTHER`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Serving => "SERVING",
            Self::NotServing => "NOT_SERVING",
            Self::ServiceUnknown => "SERVICE_UNKNOWN",
            Self::Other => "OTHER",
        }
    }
}

impl From<ServingStatus> for &'static str {
    fn from(status: ServingStatus) -> Self {
        status.name()
    }
}

impl From<Cow<'_, str>> for ServingStatus {
    fn from(name: Cow<'_, str>) -> Self {
        let known = [Self::Serving, Self::NotServing, Self::ServiceUnknown];
        known.into_iter().find(|status| status.name() == name).unwrap_or(Self::Other)
    }
}

impl fmt::Display for ServingStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a server does not say how a service is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum HealthError {
    /// It does not know the service: compare the name with those that the server reports.
    UnknownService,
}

impl HealthError {
    /// Returns what it is among status codes: `NOT_FOUND`.
    pub const fn code(&self) -> Code {
        Code::NotFound
    }
}

impl fmt::Display for HealthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server reports no health of this service: compare its name on both sides")
    }
}

impl std::error::Error for HealthError {}
