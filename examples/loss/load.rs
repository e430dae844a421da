//! Small calls at a steady pace, whatever becomes of those before, and how long each takes.

use std::fmt;
use std::time::{Duration, Instant};

use farcall::service;
use tokio::time::{MissedTickBehavior, interval};

const CALLS: u64 = 3000;
const PACE: Duration = Duration::from_millis(2);

#[service]
pub(crate) trait Echo {
    /// Gives a number back.
    async fn echo(&self, number: u64) -> u64;
}

/// How long calls took, in order.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn at(&self, share: f64) -> Duration {
        self.0[((self.0.len() - 1) as f64 * share) as usize]
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |share| self.at(share).as_secs_f64() * 1000.0;
        write!(
            f,
            "{} calls, half in {:.1} ms, 90 % in {:.1} ms, 99 % in {:.1} ms, all in {:.1} ms",
            self.0.len(),
            millis(0.5),
            millis(0.9),
            millis(0.99),
            millis(1.0)
        )
    }
}

/// Starts a call at each tick, so that what holds up one is seen by all that follow it.
pub(crate) async fn measure(echo: EchoClient) -> anyhow::Result<Times> {
    echo.echo(0).await?;
    let mut ticks = interval(PACE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut calls = Vec::new();
    for number in 0..CALLS {
        ticks.tick().await;
        let call = echo.echo(number);
        calls.push(tokio::spawn(async move {
            let started_at = Instant::now();
            call.await.map(|_| started_at.elapsed())
        }));
    }
    let mut times = Vec::new();
    for call in calls {
        times.push(call.await??);
    }
    times.sort();
    Ok(Times(times))
}
