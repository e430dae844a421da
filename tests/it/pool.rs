//! Channels over several connections: how calls spread, when there are more connections and when fewer, and what becomes of old ones.

use std::time::Duration;

use farcall::{Channel, ChannelStats, ErrorKind, Fate, Limits, Pool};
use tokio::task::JoinHandle;

use crate::kit::{self, LabClient, Set, soon};

const SECOND: Duration = Duration::from_secs(1);

/// A server and a channel with a pool; time is paused, and passes while nothing can be done.
async fn pooled(uri: &str, pool: Pool, limits: Limits) -> (Set, Channel, LabClient) {
    let set = kit::serve_on(uri).await;
    let channel = Channel::builder(set.server.uri()).pool(pool).limits(limits).connect().await.unwrap();
    let client = LabClient::new(channel.clone());
    (set, channel, client)
}

/// Waits until the pool is as expected.
async fn comes_to(channel: &Channel, is_so: impl Fn(ChannelStats) -> bool) -> ChannelStats {
    let comes = async {
        while !is_so(channel.stats()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        channel.stats()
    };
    match tokio::time::timeout(kit::BOUND, comes).await {
        Ok(stats) => stats,
        Err(_) => panic!("it stays {:?}", channel.stats()),
    }
}

/// Starts calls that hang, one after the other, until they are with their handlers.
async fn hang(set: &Set, client: &LabClient, calls: u64) -> Vec<JoinHandle<Result<(), farcall::Error>>> {
    let mut hanging = Vec::new();
    for _ in 0..calls {
        let started = set.probe.counts().started;
        hanging.push(tokio::spawn(client.hang()));
        set.probe.wait(|counts| counts.started > started).await;
    }
    hanging
}

fn end(calls: Vec<JoinHandle<Result<(), farcall::Error>>>) {
    calls.into_iter().for_each(|call| call.abort());
}

#[tokio::test(start_paused = true)]
async fn a_channel_has_one_connection_unless_told_otherwise() {
    let set = kit::serve().await;
    let calls = hang(&set, &set.client, 200).await;
    let stats = set.channel.stats();
    assert_eq!((stats.open, stats.idle, stats.calls, stats.made), (1, 0, 200, 1));
    end(calls);
}

#[tokio::test(start_paused = true)]
async fn calls_spread_over_all_connections_of_a_pool() {
    let (set, channel, client) = pooled("mem://", Pool::fixed(4), Limits::default()).await;
    comes_to(&channel, |stats| stats.open == 4).await;
    let mut calls = hang(&set, &client, 3).await;
    let stats = channel.stats();
    assert_eq!((stats.idle, stats.calls), (1, 3), "each took one that had none");
    calls.extend(hang(&set, &client, 5).await);
    let stats = channel.stats();
    assert_eq!((stats.open, stats.idle, stats.calls, stats.made), (4, 0, 8, 4));
    end(calls);
    comes_to(&channel, |stats| stats.idle == 4).await;
}

#[tokio::test]
async fn calls_of_a_pool_come_from_several_addresses() {
    let (_set, channel, client) = pooled("tcp://127.0.0.1:0", Pool::fixed(3), Limits::default()).await;
    comes_to(&channel, |stats| stats.open == 3).await;
    let calls = (0..30).map(|_| client.seen());
    let seen = soon(futures::future::try_join_all(calls)).await.unwrap();
    let peers: std::collections::HashSet<_> = seen.into_iter().filter_map(|seen| seen.peer).collect();
    assert_eq!(peers.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_pool_grows_under_load_up_to_its_cap_and_shrinks_when_it_is_idle() {
    let pool = Pool::up_to(3).grow_at(2).idle_timeout(8 * SECOND);
    let (set, channel, client) = pooled("mem://", pool, Limits::default()).await;
    let mut calls = hang(&set, &client, 2).await;
    assert_eq!(channel.stats().made, 1, "nothing is busy yet");
    // The third finds two on the only connection, and does not wait for the next one.
    calls.extend(hang(&set, &client, 1).await);
    comes_to(&channel, |stats| stats.open == 2).await;
    for _ in 0..20 {
        calls.extend(hang(&set, &client, 1).await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let stats = channel.stats();
    assert_eq!((stats.open, stats.calls, stats.made), (3, 23, 3), "three are the cap");
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!(channel.stats().open, 3, "none is idle");
    end(calls);
    comes_to(&channel, |stats| stats.idle == 3).await;
    tokio::time::sleep(7 * SECOND).await;
    assert_eq!(channel.stats().open, 3, "not idle for long");
    tokio::time::sleep(5 * SECOND).await;
    let stats = channel.stats();
    assert_eq!((stats.open, stats.draining, stats.leaked), (1, 0, 0), "one stays, however idle");
    assert_eq!(soon(client.echo("after".into())).await.unwrap(), "after");
    assert_eq!(channel.stats().made, 3);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_a_slot_takes_the_next_connection() {
    let limits = Limits::default().calls_in_flight(1);
    let (set, channel, client) = pooled("mem://", Pool::up_to(2).grow_at(1), limits).await;
    let calls = hang(&set, &client, 1).await;
    assert_eq!(soon(client.echo("elsewhere".into())).await.unwrap(), "elsewhere");
    assert_eq!(soon(client.sum(1, futures::stream::iter([2]))).await.unwrap(), 3);
    assert_eq!(channel.stats().open, 2);
    end(calls);
}

#[tokio::test(start_paused = true)]
async fn connections_are_replaced_at_their_age_and_no_call_fails() {
    let pool = Pool::fixed(3).max_age(10 * SECOND);
    let (set, channel, client) = pooled("mem://", pool, Limits::default()).await;
    comes_to(&channel, |stats| stats.open == 3).await;
    let started_at = tokio::time::Instant::now();
    let work = (0..8).map(|number: u64| {
        let client = client.clone();
        async move {
            while started_at.elapsed() < 60 * SECOND {
                client.echo(number.to_string()).await.unwrap();
                assert_eq!(client.sum(number, futures::stream::iter([1, 2])).await.unwrap(), number + 3);
                tokio::time::sleep(Duration::from_millis(50 + number)).await;
            }
        }
    });
    let mut most = ChannelStats::default();
    let watch = async {
        let mut ages = Vec::new();
        let mut made = channel.stats().made;
        while started_at.elapsed() < 60 * SECOND {
            let stats = channel.stats();
            if stats.made > made {
                ages.push(started_at.elapsed());
            }
            (made, most.open, most.draining) =
                (stats.made, most.open.max(stats.open), most.draining.max(stats.draining));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        ages
    };
    let (ages, _) = tokio::join!(watch, futures::future::join_all(work));
    // One may be about to be replaced.
    let stats = comes_to(&channel, |stats| stats.open == 3).await;
    assert_eq!(stats.leaked, 0);
    // 60 s hold five or six ages of 9 to 11 s, for each of three.
    assert!((3 + 15..=3 + 18).contains(&stats.made), "{stats:?}");
    assert!(most.open <= 4 && most.draining <= 3, "{most:?}");
    assert!((9 * SECOND..11 * SECOND).contains(&ages[0]), "{ages:?}");
    assert!(ages[2] - ages[0] > Duration::from_millis(5), "they are not replaced together: {ages:?}");
    assert_eq!(set.channel.stats().made, 1, "without an age a connection stays");
}

#[tokio::test(start_paused = true)]
async fn a_stream_keeps_an_old_connection_open_and_counts_as_leaked_when_nobody_drops_it() {
    let pool = Pool::default().max_age(10 * SECOND).drain_timeout(5 * SECOND);
    let (_set, channel, client) = pooled("mem://", pool, Limits::default()).await;
    let mut items = client.trickle().await.unwrap();
    assert_eq!(soon(items.next()).await.unwrap().unwrap(), 1);
    tokio::time::sleep(12 * SECOND).await;
    let stats = channel.stats();
    assert_eq!((stats.open, stats.draining, stats.leaked, stats.made), (1, 1, 0, 2));
    assert!(tokio::time::timeout(SECOND, items.next()).await.is_err(), "it goes on");
    tokio::time::sleep(5 * SECOND).await;
    let stats = channel.stats();
    assert_eq!((stats.open, stats.draining, stats.leaked, stats.made), (1, 0, 1, 2));
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!(channel.stats().made, 2, "there is no third while the first is open");
    drop(items);
    // The new one stands beside the old one until it has lasted for a moment.
    comes_to(&channel, |stats| stats.leaked == 0 && stats.made == 3 && stats.open == 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_cannot_be_had_in_full_serves_with_what_it_has() {
    let set = kit::serve_with("mem://", |server| server.max_connections(2), Limits::default()).await;
    let channel = Channel::builder(set.server.uri()).pool(Pool::fixed(4)).connect().await.unwrap();
    let client = LabClient::new(channel.clone());
    let started_at = tokio::time::Instant::now();
    while started_at.elapsed() < 30 * SECOND {
        client.echo("x".into()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let stats = channel.stats();
    assert_eq!((stats.open, stats.made), (1, 1), "the server takes one beside that of the other client");
    drop((set.client, set.channel));
    comes_to(&channel, |stats| {
        let _call = tokio::spawn(client.echo("x".into()));
        stats.open == 2
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_comes_back_finds_the_whole_pool() {
    let (set, channel, client) = pooled("mem://pool-comes-back", Pool::fixed(3), Limits::default()).await;
    comes_to(&channel, |stats| stats.open == 3).await;
    let Set { server, probe, .. } = set;
    soon(server.shutdown()).await;
    let error = soon(client.echo("meanwhile".into())).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (ErrorKind::Connect, Fate::NeverSent));
    assert_eq!(channel.stats().open, 0);
    let _server = kit::builder(&probe).bind("mem://pool-comes-back").await.unwrap();
    assert_eq!(soon(client.echo("after".into())).await.unwrap(), "after");
    comes_to(&channel, |stats| stats.open == 3).await;
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_dropped_leaves_no_connection_and_no_task() {
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let set = kit::serve().await;
    set.client.echo("x".into()).await.unwrap();
    let at_rest = tasks();
    let pool = Pool::up_to(4).at_least(3).max_age(3600 * SECOND);
    let channel = Channel::builder(set.server.uri()).pool(pool).connect().await.unwrap();
    comes_to(&channel, |stats| stats.open == 3).await;
    assert!(tasks() >= at_rest + 6, "both ends of three");
    drop(channel);
    let closes = async {
        while tasks() > at_rest {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    // Far less than its age, or than idle connections are looked for.
    tokio::time::timeout(2 * SECOND, closes).await.expect("all ends with the channel");
}
