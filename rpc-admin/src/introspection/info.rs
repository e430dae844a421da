//! What introspection shows.
//!
//! Fields of these types are never added, removed or moved, since postcard knows them by their place: what later versions have to say
//! stands in `more`, by name.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// A server when it was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServerInfo {
    /// The addresses that it listens on.
    pub uris: Vec<String>,
    /// What a call passes through, the outermost layer first and the services last.
    pub layers: Vec<String>,
    /// The names of its services.
    pub services: Vec<String>,
    /// For how long it has been running.
    pub age: Duration,
    /// It shuts down.
    pub is_leaving: bool,
    /// How many connections were opened since it was started, those that have closed included.
    pub connections_opened: u64,
    /// How many calls are under way.
    pub calls: u64,
    /// How many of them wait for what: `arguments`, `handler`, `items`, `reader`, `connection` or `link`, as `WaitsFor` explains.
    pub waiting: BTreeMap<String, u64>,
    /// How many calls have failed with a status since it was started, a method's own errors not counted.
    pub failures: u64,
    /// Its limits: `connections`, `oneway_calls`, and `calls_in_flight` of the connection that is nearest to it.
    pub limits: Vec<LimitInfo>,
    /// What later versions add.
    pub more: BTreeMap<String, String>,
}

/// A limit, and how near to it a server is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LimitInfo {
    /// Which limit.
    pub name: String,
    /// How much there is.
    pub used: u64,
    /// How much there may be.
    pub max: u64,
}

/// Open connections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConnectionList {
    /// Those that fit.
    pub connections: Vec<ConnectionInfo>,
    /// How many more there are.
    pub left_out: u64,
}

/// A connection when it was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConnectionInfo {
    /// Counts up from 1, for as long as the server runs.
    pub number: u64,
    /// The URI of whoever is at the other end, cut to 512 bytes.
    pub peer: String,
    /// For how long it has been open.
    pub age: Duration,
    /// How many calls are under way that came in on it.
    pub calls: u64,
    /// How many may be.
    pub calls_max: u64,
    /// What has come so far, in bytes.
    pub received_bytes: u64,
    /// What was handed to the link so far, in bytes.
    pub sent_bytes: u64,
    /// What waits for the link to take it, in bytes.
    pub unsent_bytes: u64,
    /// Items that came and that no handler has taken yet, in bytes.
    pub unread_bytes: u64,
    /// What may be sent of large messages and items before the peer reads on, in bytes.
    pub credit_bytes: u64,
    /// How long nothing was heard from the peer.
    pub silent_for: Duration,
    /// It takes no further calls.
    pub is_draining: bool,
    /// Frames that came for calls that had ended.
    pub late_frames: u64,
    /// What later versions add.
    pub more: BTreeMap<String, String>,
}

/// Calls under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CallList {
    /// Those that fit, the oldest first.
    pub calls: Vec<CallInfo>,
    /// How many more there are, of the same age.
    pub left_out: u64,
}

/// A call that came in and is under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CallInfo {
    /// The number of its connection.
    pub connection: u64,
    /// The URI of who calls, cut to 512 bytes.
    pub peer: String,
    /// What is called: `Service/method`, or the id of a method that the server does not have.
    pub method: String,
    /// How long ago its first frame came.
    pub age: Duration,
    /// What it waits for: `arguments`, `handler`, `items`, `reader`, `connection` or `link`, as `WaitsFor` explains.
    pub waits_for: String,
    /// What later versions add.
    pub more: BTreeMap<String, String>,
}

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FailureInfo {
    /// When it was answered, by the server's clock.
    pub at: SystemTime,
    /// What was called: `Service/method`, or the id of a method that the server does not have.
    pub method: String,
    /// The URI of who called, cut to 512 bytes.
    pub peer: String,
    /// The name of the code that the caller was told, such as `INTERNAL`.
    pub code: String,
    /// The same in words, cut to 512 bytes.
    pub text: String,
    /// How long it took since its first frame came; none where the call had ended by itself.
    pub elapsed: Option<Duration>,
    /// What later versions add.
    pub more: BTreeMap<String, String>,
}

/// A connection that has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EndedInfo {
    /// The number that it had.
    pub number: u64,
    /// The URI of who was at the other end, cut to 512 bytes.
    pub peer: String,
    /// When it ended, by the server's clock.
    pub at: SystemTime,
    /// How old it became.
    pub age: Duration,
    /// Why it ended, cut to 512 bytes.
    pub reason: String,
    /// What later versions add.
    pub more: BTreeMap<String, String>,
}

/// All of a server at one time, in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// When it was taken, by the server's clock.
    pub at: SystemTime,
    /// The server; none where the inspector was given to none.
    pub server: Option<ServerInfo>,
    /// The 20 connections that moved the most bytes since the last snapshot, in the first one since they were opened; the busiest first.
    pub busiest: Vec<BusyConnection>,
    /// The 20 calls that have been under way for longest, and how many more there are.
    pub oldest: CallList,
    /// What failed since the last snapshot, of the last 64; the latest last.
    pub failures: Vec<FailureInfo>,
    /// What later versions add.
    pub more: BTreeMap<String, String>,
}

/// A connection, and how busy it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BusyConnection {
    /// The connection.
    pub connection: ConnectionInfo,
    /// What went both ways since the last snapshot, in bytes.
    pub recent_bytes: u64,
}
