//! Introspection: what a server is doing.

mod gather;
mod info;
mod introspector;
mod top;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use futures_core::Stream;
use rpc_macros::service;
use serde::{Deserialize, Serialize};

pub use info::{
    BusyConnection, CallInfo, CallList, ConnectionInfo, ConnectionList, EndedInfo, FailureInfo, LimitInfo,
    ServerInfo, Snapshot,
};
pub use introspector::Introspector;

/// Says what a server is doing: its connections, the calls under way and what they wait for, its limits, what failed of late.
///
/// It shows who else calls, what, and with which errors, and can change the log: where a layer authenticates, `Authenticate` of farcall's layers say, it
/// takes the role `operator`. Where none does, anybody who can reach the server may call it: put it on a server of its own, on an address that only
/// operators reach, with the inspector of the other. A server does not have it unless it is added. [`Introspector`] answers.
///
/// Answers are bounded, and say how much they left out. Asking looks at each connection in turn, under its lock for a moment, and gives way to other
/// work after every 64 of them.
#[service(name = "farcall.Introspection", crate = crate::farcall)]
pub trait Introspection {
    /// Looks at the server as a whole.
    #[rpc(idempotent, auth = "role:operator")]
    async fn server(&self) -> Result<ServerInfo, IntrospectionError>;

    /// Lists the open connections whose number is above `after`, the oldest first, 1,000 at most: for the next of them, ask after the last one's
    /// number; for the first, after 0.
    #[rpc(idempotent, auth = "role:operator")]
    async fn connections(&self, after: u64) -> ConnectionList;

    /// Lists the calls that came in at least so long ago and are under way, the oldest first, 1,000 at most.
    #[rpc(idempotent, auth = "role:operator")]
    async fn calls(&self, older_than: Duration) -> CallList;

    /// Lists the last calls that failed with a status, 64 at most, the latest last; a method's own errors are not among them.
    #[rpc(idempotent, auth = "role:operator")]
    async fn failures(&self) -> Vec<FailureInfo>;

    /// Lists the last connections that have ended and why, 64 at most, the latest last.
    #[rpc(idempotent, auth = "role:operator")]
    async fn ended(&self) -> Vec<EndedInfo>;

    /// Looks now, and again after each `every`, from 100 ms to a minute: for a table that shows what is going on.
    ///
    /// Who reads slowly gets fewer snapshots. It ends once the server begins to shut down, with a last snapshot of that.
    #[rpc(auth = "role:operator")]
    fn watch(&self, every: Duration) -> impl Stream<Item = Snapshot> + Send;

    /// Changes what is logged, and returns what is in force then; what directives mean, the server's program decides.
    ///
    /// They have up to 4,096 bytes. Each change is logged itself, as a warning.
    #[rpc(auth = "role:operator")]
    async fn set_log_level(&self, directives: String) -> Result<String, IntrospectionError>;

    /// Names versions: of `farcall`, its `protocol`, each `service NAME` that has one, the `platform`, and what the program adds.
    #[rpc(idempotent, auth = "role:operator")]
    async fn versions(&self) -> BTreeMap<String, String>;
}

/// Why a server does not do what an operator asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum IntrospectionError {
    /// The inspector was not given to a server, or that does not listen yet: call `ServerBuilder::inspector` with it.
    NoServer,
    /// The program has not said how to change its log: call `Introspector::on_log_level`.
    NoLogLevel,
    /// The program does not take these directives; this is why, in up to 512 bytes.
    BadDirectives(String),
}

impl fmt::Display for IntrospectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoServer => f.write_str(
                "the introspector's inspector sees no server: give it to the server with ServerBuilder::inspector",
            ),
            Self::NoLogLevel => f.write_str(
                "this server's log cannot be changed from here: its program has to say how, with Introspector::on_log_level",
            ),
            Self::BadDirectives(why) => write!(f, "the log takes no such directives: {why}"),
        }
    }
}

impl std::error::Error for IntrospectionError {}
