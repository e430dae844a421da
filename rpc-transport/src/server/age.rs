//! How old a connection may become.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::{Phase, raise};

/// How old a connection may become, and how long it may then take to end.
#[derive(Clone, Copy)]
pub(super) struct Age {
    pub(super) max: Duration,
    pub(super) grace: Duration,
}

/// Connections that were made at the same time do not end at the same time: gRPC's proposal A9 has a tenth.
const JITTER: f64 = 0.1;

impl Age {
    /// Gives a connection a phase of its own: its server's, or that of a server that ends when the connection is old.
    pub(super) fn phase(self, server: watch::Receiver<Phase>) -> watch::Receiver<Phase> {
        let (own, phase) = watch::channel(*server.borrow());
        tokio::spawn(self.advance(own, server, fastrand::f64()));
        phase
    }

    /// Goes on for as long as anything of the connection does, given a number of chance from 0 to 1.
    async fn advance(self, own: watch::Sender<Phase>, mut server: watch::Receiver<Phase>, chance: f64) {
        let mut aging = pin!(async {
            sleep(jittered(self.max, chance)).await;
            raise(&own, Phase::Draining);
            sleep(self.grace).await;
            raise(&own, Phase::Stopping);
            pending::<()>().await;
        });
        let mut following = pin!(async {
            // A server that is gone without a word counts as come to its end.
            while server.changed().await.is_ok() {
                raise(&own, *server.borrow());
            }
        });
        let mut closed = pin!(own.closed());
        poll_fn(|cx| {
            let is_done = closed.as_mut().poll(cx).is_ready() || following.as_mut().poll(cx).is_ready();
            if is_done { Poll::Ready(()) } else { aging.as_mut().poll(cx) }
        })
        .await;
    }
}

fn jittered(age: Duration, chance: f64) -> Duration {
    Duration::try_from_secs_f64(age.as_secs_f64() * (1.0 + JITTER * (2.0 * chance - 1.0))).unwrap_or(age)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGE: Age = Age { max: Duration::from_secs(100), grace: Duration::from_secs(10) };

    #[tokio::test(start_paused = true)]
    async fn an_old_connection_drains_and_then_stops() {
        let (_server, phase) = watch::channel(Phase::Running);
        let began_at = tokio::time::Instant::now();
        let mut phase = AGE.phase(phase);
        phase.changed().await.unwrap();
        assert_eq!(*phase.borrow_and_update(), Phase::Draining);
        assert!((90..=110).contains(&began_at.elapsed().as_secs()));
        phase.changed().await.unwrap();
        assert_eq!(*phase.borrow(), Phase::Stopping);
    }

    #[tokio::test(start_paused = true)]
    async fn a_young_connection_goes_with_its_server() {
        let (server, phase) = watch::channel(Phase::Running);
        let mut phase = AGE.phase(phase);
        server.send_replace(Phase::Draining);
        phase.changed().await.unwrap();
        assert_eq!(*phase.borrow_and_update(), Phase::Draining);
        drop(server);
        assert!(phase.changed().await.is_err());
    }

    #[test]
    fn chance_spreads_an_age_by_a_tenth() {
        assert_eq!(jittered(AGE.max, 0.0), Duration::from_secs(90));
        assert_eq!(jittered(AGE.max, 1.0), Duration::from_secs(110));
        assert_eq!(jittered(Duration::MAX, 1.0), Duration::MAX);
    }
}
