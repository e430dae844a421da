//! What a call has waited for before it was opened.

use std::fmt;
use std::time::{Duration, Instant};

use rpc_core::timeline::{Abandoned, Reading, abandon};
use rpc_core::{MethodDescriptor, Timeline};

use crate::clock::now;

/// How long a call has waited for a connection, and for a slot on one; most calls wait for neither, and look at no clock.
#[derive(Clone, Copy, Default)]
pub(crate) struct Waits {
    since: Option<Instant>,
    connecting: Duration,
    queue: Duration,
}

impl Waits {
    /// Says what a call waited for that went on at `opened_at`.
    pub(crate) fn timeline(&self, opened_at: Instant) -> Timeline {
        Timeline::new(self.since.unwrap_or(opened_at), self.connecting, self.queue)
    }

    /// Keeps what there is to keep.
    pub(crate) fn noted(self) -> Option<Box<Self>> {
        self.since.is_some().then(|| Box::new(self))
    }

    /// Says what a call waited for that ends now, before it was opened.
    pub(crate) fn in_vain(&self) -> Timeline {
        let now = now();
        self.timeline(now).ended(now)
    }
}

/// What a call waits for.
#[derive(Clone, Copy)]
pub(crate) enum Stage {
    Connecting,
    Queue,
}

/// A wait that is under way; a call that is given up meanwhile says how far it got.
pub(crate) struct Waiting<'a> {
    waits: &'a mut Waits,
    stage: Stage,
    since: Instant,
    peer: &'a (dyn fmt::Display + Sync),
    method: Option<&'static MethodDescriptor>,
    has_ended: bool,
}

impl<'a> Waiting<'a> {
    pub(crate) fn begin(
        waits: &'a mut Waits,
        stage: Stage,
        peer: &'a (dyn fmt::Display + Sync),
        method: Option<&'static MethodDescriptor>,
    ) -> Self {
        let since = Reading::current().unwrap_or_else(now);
        waits.since.get_or_insert(since);
        Self { waits, stage, since, peer, method, has_ended: false }
    }

    pub(crate) fn end(mut self) {
        self.has_ended = true;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let now = now();
        let waited = now.saturating_duration_since(self.since);
        let of_stage = match self.stage {
            Stage::Connecting => &mut self.waits.connecting,
            Stage::Queue => &mut self.waits.queue,
        };
        *of_stage = of_stage.saturating_add(waited);
        if !self.has_ended {
            let (peer, method) = (self.peer, self.method);
            let timeline = || self.waits.timeline(now).ended(now);
            abandon(|| Abandoned { peer: peer.to_string(), method, timeline: timeline() });
        }
    }
}
