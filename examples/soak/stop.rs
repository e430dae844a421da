//! Telling tasks that it is time to end.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// What a task looks at to know when to end; dropping the sender is the sign.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<()>);

impl Stop {
    /// Makes a pair: the tasks end when the first is dropped.
    pub(crate) fn pair() -> (watch::Sender<()>, Self) {
        let (sender, receiver) = watch::channel(());
        (sender, Self(receiver))
    }

    /// Waits for the end.
    pub(crate) async fn come(&mut self) {
        while self.0.changed().await.is_ok() {}
    }

    /// Waits for so long; tells whether the end came meanwhile.
    pub(crate) async fn comes_within(&mut self, wait: Duration) -> bool {
        timeout(wait, self.come()).await.is_ok()
    }
}
