//! Servers that go and come back at the same address.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use farcall::{Error, Limits, Server};
use fastrand::Rng;
use tokio::time::{Instant, sleep};

use crate::BOUND;
use crate::lab::{Bench, LabServer};
use crate::ledger::Ledger;
use crate::proxy::Faults;
use crate::stop::Stop;

/// The limits of both sides: links that stand still are given up soon, so that it happens often.
pub(crate) fn limits() -> Limits {
    Limits::default()
        .ping_interval(Duration::from_secs(5))
        .ping_timeout(Duration::from_secs(1))
        .write_timeout(Duration::from_secs(2))
        .handshake_timeout(Duration::from_secs(2))
}

/// The limits where nothing may fail: as much patience as usual, also with a machine that is busy, and many signs of life.
pub(crate) fn sound_limits() -> Limits {
    Limits::default().ping_interval(Duration::from_secs(5))
}

pub(crate) async fn serve(uri: &str, limits: Limits, ledger: &Arc<Ledger>) -> Result<Server, Error> {
    Server::builder()
        .service(LabServer::new(Bench(ledger.clone())))
        .limits(limits)
        .shutdown_grace(Duration::from_millis(300))
        .bind(uri)
        .await
}

/// Ends a server and starts it anew, again and again: some are drained, some just go.
pub(crate) async fn keep_restarting(
    mut server: Server,
    ledger: Arc<Ledger>,
    faults: Arc<Faults>,
    mut rng: Rng,
    mut stop: Stop,
) {
    let uri = server.uri().to_owned();
    while !stop.comes_within(Duration::from_millis(rng.u64(500..3_000))).await {
        match rng.bool() {
            true => server.shutdown().await,
            false => drop(server),
        }
        sleep(Duration::from_millis(rng.u64(0..100))).await;
        server = match serve_again(&uri, &ledger).await {
            Ok(server) => server,
            Err(error) => return ledger.wrong(format!("a server cannot be started anew: {error:?}")),
        };
        faults.restarts.fetch_add(1, Ordering::Relaxed);
    }
    server.shutdown().await;
}

/// Binds the address as soon as the tasks of the server before have let go of it.
async fn serve_again(uri: &str, ledger: &Arc<Ledger>) -> Result<Server, Error> {
    let end = Instant::now() + BOUND / 4;
    loop {
        match serve(uri, limits(), ledger).await {
            Err(_) if Instant::now() < end => sleep(Duration::from_millis(5)).await,
            result => return result,
        }
    }
}
