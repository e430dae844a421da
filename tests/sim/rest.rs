//! Whether a connection is as good as new after all that it went through: its slots, its credit, its server's permits.

use farcall::{Backoff, Channel, Limits};
use futures::future::{join_all, try_join_all};
use tokio::time::timeout;

use crate::log::Log;
use crate::net::{Route, Way};
use crate::plan::{Plan, Sizes};
use crate::service::{DeskClient, units};
use crate::time::{ms, pass};

/// So many connections a server takes beside one of each client.
pub const SPARE_CONNECTIONS: usize = 2;

/// Longer than the network takes to carry all windows full.
const CARRIED_MS: u64 = 3_000;

/// Holds the connection of a channel against what a new one takes.
pub async fn check(channel: &Channel, route: &Route, sizes: Sizes, log: &Log) {
    let taken = measure(channel, route, sizes, log).await;
    let new = sizes.unread_bytes();
    if taken != [new, new] {
        log.wrong(format_args!(
            "a connection at rest takes {taken:?} bytes of unread items, a new one {new}"
        ));
    }
}

fn another(channel: &Channel, limits: &Limits) -> Channel {
    let backoff = Backoff::default().first(ms(1));
    Channel::builder(channel.uri())
        .limits(limits.clone())
        .backoff(backoff)
        .lazy()
        .expect("the address was used before")
}

/// Fills all slots at once, then all windows, down and up; gives how many bytes the windows took.
async fn measure(channel: &Channel, route: &Route, sizes: Sizes, log: &Log) -> [u64; 2] {
    let client = DeskClient::new(channel.clone());
    let calls = 0..sizes.calls_max;
    let met = timeout(ms(60_000), try_join_all(calls.clone().map(|_| client.meet()))).await;
    match met {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => log.wrong(format_args!("a call at rest fails: {:?}", error.kind())),
        Err(_) => log.wrong(format_args!("not all {} slots can be had", sizes.calls_max)),
    }
    let before = route.data_bytes(Way::Down);
    let unread = timeout(ms(60_000), join_all(calls.clone().map(|_| client.pour()))).await;
    pass(CARRIED_MS).await;
    let down = route.data_bytes(Way::Down) - before;
    drop(unread);
    pass(CARRIED_MS).await;
    let before = route.data_bytes(Way::Up);
    let _ = timeout(ms(CARRIED_MS), join_all(calls.map(|_| client.ignore(units())))).await;
    let up = route.data_bytes(Way::Up) - before;
    pass(CARRIED_MS).await;
    [down, up]
}

/// Takes all connections that a server has left, and one more.
pub async fn check_permits(channel: &Channel, plan: &Plan, log: &Log) {
    let channels: Vec<_> = (0..=SPARE_CONNECTIONS).map(|_| another(channel, &plan.sizes.limits())).collect();
    let connect = async |channel: &Channel| DeskClient::new(channel.clone()).pour().await.is_ok();
    let mut taken = 0;
    for channel in &channels {
        taken += usize::from(connect(channel).await);
    }
    if taken != SPARE_CONNECTIONS {
        log.wrong(format_args!("a server takes {taken} further connections in place of {SPARE_CONNECTIONS}"));
    }
    drop(channels);
    pass(CARRIED_MS).await;
}
