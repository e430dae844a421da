//! The promise of `Retry`'s budget, at full load.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use farcall::Layer;
use farcall::layers::Retry;
use tokio::time::Instant;

use crate::shop::{Fails, ShopClient, stand_in};

const CALLS_PER_SECOND: u32 = 500;
const SECONDS: u32 = 60;

/// Attempts at a server that fails half its calls, by three clients that call at an even pace, and the calls that failed.
async fn attempts_of_three_clients() -> (u32, u32) {
    let attempts = Arc::new(AtomicU32::new(0));
    let failed = Arc::new(AtomicU32::new(0));
    let clients = (0..3).map(|_| {
        let (attempts, failed) = (attempts.clone(), failed.clone());
        tokio::spawn(async move {
            let service = stand_in(move |request| {
                attempts.fetch_add(1, Ordering::Relaxed);
                let fails = if fastrand::bool() { Fails::Not } else { Fails::Refused };
                async move { fails.result(&request) }
            });
            let client = ShopClient::new(Retry::new().layer(service));
            let start = Instant::now();
            for call in 0..CALLS_PER_SECOND * SECONDS {
                tokio::time::sleep_until(start + Duration::from_secs(1) / CALLS_PER_SECOND * call).await;
                let (call, failed) = (client.buy("x".into()), failed.clone());
                tokio::spawn(async move {
                    if call.await.is_err() {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            // Those that are still waiting for their next attempt end within the longest wait.
            tokio::time::sleep(Duration::from_secs(10)).await;
        })
    });
    futures::future::join_all(clients).await.into_iter().for_each(Result::unwrap);
    (attempts.load(Ordering::Relaxed), failed.load(Ordering::Relaxed))
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_half_its_calls_gets_less_than_a_quarter_more() {
    fastrand::seed(42);
    let (attempts, failed) = attempts_of_three_clients().await;
    let calls = 3 * CALLS_PER_SECOND * SECONDS;
    println!("{calls} calls, {attempts} attempts, {failed} calls failed");
    assert!(attempts < calls + calls / 4, "{attempts} attempts at {calls} calls");
    assert!(attempts > calls + calls / 5, "the budget is used: {attempts} attempts at {calls} calls");
    assert!(failed > calls / 4 && failed < calls / 2, "{failed} of {calls} failed");
}
