//! Counts what limits have refused; nothing, without the feature `metrics`.

#[cfg(feature = "metrics")]
use metrics::{Counter, Unit, counter, describe_counter};
use rpc_core::{MethodDescriptor, MethodId};

#[cfg(feature = "metrics")]
use crate::metrics::Methods;

#[cfg(feature = "metrics")]
const NAME: &str = "farcall_limit_refusals_total";

/// The calls that one limit has refused, by method.
#[derive(Debug)]
pub(crate) struct Refusals {
    #[cfg(feature = "metrics")]
    limit: &'static str,
    #[cfg(feature = "metrics")]
    methods: Methods<Counter>,
}

impl Refusals {
    #[cfg(feature = "metrics")]
    pub(crate) fn new(limit: &'static str) -> Self {
        Self { limit, methods: Methods::new() }
    }

    #[cfg(not(feature = "metrics"))]
    pub(crate) fn new(_: &'static str) -> Self {
        Self {}
    }

    /// A call was refused; `find` describes its method, where that is known.
    #[cfg(feature = "metrics")]
    pub(crate) fn count(&self, id: MethodId, find: impl FnOnce() -> Option<&'static MethodDescriptor>) {
        let make = |service, method| {
            describe_counter!(NAME, Unit::Count, "Calls that a limit has refused or ended.");
            counter!(NAME, "limit" => self.limit, "service" => service, "method" => method)
        };
        self.methods.get(id, find, make).increment(1);
    }

    #[cfg(not(feature = "metrics"))]
    pub(crate) fn count(&self, _: MethodId, _: impl FnOnce() -> Option<&'static MethodDescriptor>) {}
}
