//! Clients that come and go: each makes a channel, calls over it for a while, and drops it, with its calls or after them.

use std::sync::Arc;
use std::time::Duration;

use farcall::{Backoff, Channel, ChannelBuilder};
use fastrand::Rng;
use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep;

use crate::calls;
use crate::lab::LabClient;
use crate::ledger::Ledger;
use crate::servers::limits;
use crate::stop::Stop;

/// Calls of one client that are under way at one time.
const UNDER_WAY_MAX: usize = 8;
/// The longest pause before the next call.
const PAUSE_MICROS_MAX: u64 = 6_000;

pub(crate) struct Worker {
    pub(crate) uri: String,
    /// How many calls it makes before it drops its channel.
    pub(crate) calls_max: u32,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) rng: Rng,
    pub(crate) stop: Stop,
}

impl Worker {
    pub(crate) async fn run(mut self) {
        while !self.stop.comes_within(Duration::ZERO).await {
            match self.channel().await {
                Some(channel) => self.call_over(channel).await,
                // Nobody is there, or the link broke while the connection was opened.
                None => sleep(Duration::from_millis(self.rng.u64(1..20))).await,
            }
        }
    }

    async fn channel(&mut self) -> Option<Channel> {
        let builder = self.builder();
        match self.rng.bool() {
            true => builder.lazy().ok(),
            false => builder.connect().await.ok(),
        }
    }

    fn builder(&self) -> ChannelBuilder {
        let backoff = Backoff::default().first(Duration::from_millis(10)).cap(Duration::from_millis(200));
        Channel::builder(&self.uri).limits(limits()).backoff(backoff)
    }

    async fn call_over(&mut self, channel: Channel) {
        let client = LabClient::new(channel);
        let mut under_way = JoinSet::new();
        for _ in 0..self.rng.u32(1..=self.calls_max) {
            if under_way.len() == UNDER_WAY_MAX {
                self.check(under_way.join_next().await);
            }
            under_way.spawn(calls::make(client.clone(), self.ledger.clone(), self.rng.fork()));
            if self.stop.comes_within(Duration::from_micros(self.rng.u64(0..PAUSE_MICROS_MAX))).await {
                break;
            }
        }
        drop(client);
        if self.rng.u32(0..3) == 0 {
            under_way.abort_all();
        }
        while let Some(done) = under_way.join_next().await {
            self.check(Some(done));
        }
    }

    fn check(&self, done: Option<Result<(), JoinError>>) {
        if let Some(Err(error)) = done
            && error.is_panic()
        {
            self.ledger.wrong(format!("a caller panicked: {error}"));
        }
    }
}
