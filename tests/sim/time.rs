//! Simulated time over real sockets: the clock is tokio's, paused, and moves on only when no byte is under way between two sockets.
//!
//! Left to itself, a paused clock jumps to the next timer as soon as no task can run, also while bytes wait in a socket. Here each thread
//! that is about to sleep first asks the sockets, until nothing came from them for some rounds. All sockets end in the simulated network, so
//! whatever one side does about bytes is seen there a round later.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::time::Instant;

/// In the first round a side may read what it was sent, in the second the network sees what it did about that.
const ROUNDS: u32 = 2;

/// Keeps the clock still while bytes are under way.
#[derive(Default)]
pub struct Stillness {
    rounds: AtomicU32,
    ask_again: Notify,
}

impl Stillness {
    /// Bytes, a connection or its end have come out of a socket.
    pub fn disturb(&self) {
        self.rounds.store(0, Ordering::Relaxed);
    }

    /// No task can run: has one run again, which makes the runtime ask its sockets, or lets the clock move.
    fn on_idle(&self) {
        if self.rounds.fetch_add(1, Ordering::Relaxed) < ROUNDS {
            self.ask_again.notify_one();
        } else {
            self.disturb();
        }
    }

    async fn keep(&self) {
        loop {
            self.ask_again.notified().await;
        }
    }
}

/// Makes a runtime of one thread whose time is simulated.
pub fn runtime() -> (Runtime, Arc<Stillness>) {
    let stillness = Arc::new(Stillness::default());
    let asked = stillness.clone();
    let runtime = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .on_thread_park(move || asked.on_idle())
        .build()
        .expect("a runtime can be made");
    let keeper = stillness.clone();
    runtime.spawn(async move { keeper.keep().await });
    (runtime, stillness)
}

/// Milliseconds of simulated time.
pub fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Waits for so much simulated time.
pub async fn pass(millis: u64) {
    tokio::time::sleep(ms(millis)).await;
}

/// Returns how many milliseconds have passed since.
pub fn since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixStream;

    use super::*;

    #[test]
    fn the_clock_stands_still_while_bytes_are_under_way() {
        let (runtime, stillness) = runtime();
        runtime.block_on(async {
            let start = Instant::now();
            let alarm = tokio::spawn(pass(1000));
            let (mut near, mut far) = UnixStream::pair().unwrap();
            let echo = tokio::spawn(async move {
                let mut byte = [0];
                while far.read_exact(&mut byte).await.is_ok() {
                    far.write_all(&byte).await.unwrap();
                }
            });
            for n in 0..100 {
                near.write_all(&[n]).await.unwrap();
                assert_eq!(near.read_u8().await.unwrap(), n);
                stillness.disturb();
            }
            assert_eq!(since(start), 0);
            alarm.await.unwrap();
            assert_eq!(since(start), 1000);
            drop(near);
            echo.await.unwrap();
        });
    }
}
