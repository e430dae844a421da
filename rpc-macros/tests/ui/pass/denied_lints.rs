#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub, unused_qualifications)]
#![deny(rust_2018_idioms, nonstandard_style, unused, future_incompatible, single_use_lifetimes)]
#![deny(elided_lifetimes_in_paths, explicit_outlives_requirements, trivial_casts, unused_lifetimes)]
#![deny(unused_results, let_underscore_drop, private_interfaces, private_bounds)]
//! Generated code is held to the same lints.

use farcall::{Streaming, service};
use futures::Stream;

/// A service.
#[service]
pub trait Documented {
    /// Adds.
    async fn add(&self, a: i64, b: i64) -> i64;
    /// Puts.
    async fn put(&self, key: &str, value: &[u8]) -> Result<(), String>;
    /// Counts.
    fn ticks(&self) -> impl Stream<Item = u32> + Send;
    /// Watches.
    async fn watch(&self) -> Result<impl Stream<Item = u32> + Send, String>;
    /// Sums.
    async fn sum(&self, items: Streaming<u32>) -> u32;
}

/// A generic service.
#[service]
pub trait Generic<V: Clone> {
    /// Gets.
    async fn get(&self, key: &str) -> V;
    /// Is there.
    async fn has(&self, key: String) -> bool;
}

mod private {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Secret;

    // Nobody uses it, or anything that belongs to it.
    #[farcall::service]
    #[allow(dead_code)]
    trait Private {
        async fn tell(&self, secret: Secret) -> Secret;
    }
}

fn main() {}
