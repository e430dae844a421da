//! What farcall aims at: its median divided by a peer's, within one run.

use crate::work::Peer::{self, Raw, RawPipelined, Tarpc, Tonic};

/// Tells whether less of this metric is better.
pub fn less_is_better(metric: &str) -> bool {
    !metric.ends_with("_per_s")
}

/// Returns the ratio to reach: at most where less is better, else at least. Go is to be beaten at all that it does.
pub fn target(work: &str, metric: &str, peer: Peer) -> Option<f64> {
    match (work, metric, peer) {
        ("W1", "p50_us", Tarpc) => Some(0.9),
        ("W1", "p50_us", Tonic) => Some(0.55),
        ("W1", "p50_us", Raw) => Some(1.05),
        ("W1c", "p50_us", Tarpc) => Some(0.8),
        ("W1c", "p50_us", Tonic) => Some(0.3),
        ("W1c", "p50_us", Raw) => Some(1.1),
        ("W2", _, Tarpc) => Some(5.0),
        ("W2", _, Tonic) => Some(12.0),
        ("W2", _, RawPipelined) => Some(0.75),
        ("W3", _, Tarpc) => Some(10.0),
        ("W3", _, Tonic) => Some(35.0),
        ("W3", _, RawPipelined) => Some(0.25),
        ("W4", _, Tarpc) => Some(6.0),
        ("W4", _, Tonic) => Some(18.0),
        ("W4", _, RawPipelined) => Some(0.5),
        ("W5", _, Tarpc) => Some(3.0),
        ("W5", _, Tonic) => Some(3.5),
        ("W5", _, RawPipelined) => Some(0.75),
        ("W6", _, Tarpc) => Some(2.2),
        ("W6", _, Tonic) => Some(4.5),
        ("W6", _, RawPipelined) => Some(0.8),
        ("W7", _, Tonic) => Some(1.6),
        ("W7", _, RawPipelined) => Some(0.35),
        ("W8", _, Tarpc) => Some(0.4),
        ("W8", _, Tonic) => Some(0.33),
        ("W8", _, Raw) => Some(1.5),
        ("W9", _, Tarpc) => Some(0.15),
        ("W9", _, Tonic) => Some(0.06),
        ("W9", _, RawPipelined) => Some(2.0),
        ("W10", "p99_us", Tarpc) => Some(0.5),
        ("W10", "p99_us", Tonic) => Some(0.8),
        ("W10", "p50_us" | "mib_per_s", _) | ("W8-client", ..) | (_, "p99_us" | "p999_us", _) => None,
        (_, _, Peer::GoNetRpc) => Some(1.0),
        _ => None,
    }
}
