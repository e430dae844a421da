//! Watching a server: what a snapshot has, and when the next one comes.

use std::time::Duration;

use bytes::Bytes;
use farcall::Streaming;
use farcall::admin::Snapshot;
use tokio::time::Instant;

use crate::introspection::serve;
use crate::kit::{LabClient, soon};

async fn next(snapshots: &mut Streaming<Snapshot>) -> Snapshot {
    snapshots.next().await.expect("it goes on").unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_first_comes_at_once_and_the_next_in_their_time() {
    let (_set, client, _admin) = serve().await;
    // The shortest and the longest that there is stand for what is beyond.
    for (asked, every) in [(0, 100), (2500, 2500), (u64::MAX, 60_000)] {
        let mut snapshots = client.watch(Duration::from_millis(asked)).await.unwrap();
        let began_at = Instant::now();
        next(&mut snapshots).await;
        assert!(began_at.elapsed() < Duration::from_millis(10));
        next(&mut snapshots).await;
        let took = began_at.elapsed().as_millis();
        assert!((every..every + 10).contains(&took), "{asked}: {took} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_shows_who_is_busy_what_is_old_and_what_has_failed_since() {
    let (set, client, _admin) = serve().await;
    let loud = LabClient::connect(set.server.uri()).await.unwrap();
    loud.blob(Bytes::from(vec![7; 100_000])).await.unwrap();
    let hanging = tokio::spawn(set.client.hang());
    set.probe.wait(|counts| counts.started == 1).await;
    set.client.boom().await.unwrap_err();

    let mut snapshots = client.watch(Duration::from_secs(1)).await.unwrap();
    let first = next(&mut snapshots).await;
    assert_eq!(first.busiest.len(), 2);
    assert!(first.busiest[0].recent_bytes > 200_000 && first.busiest[0].connection.number == 2);
    assert!(first.busiest[1].recent_bytes < 1000 && first.busiest[1].connection.calls == 1);
    assert_eq!((first.oldest.calls.len(), &*first.oldest.calls[0].method), (1, "Lab/hang"));
    assert_eq!(first.oldest.calls[0].connection, 1);
    assert_eq!((first.failures.len(), first.server.unwrap().failures), (1, 1));

    set.client.blob(Bytes::from(vec![7; 1000])).await.unwrap();
    let second = next(&mut snapshots).await;
    assert!(second.busiest[0].connection.number == 1 && second.busiest[0].recent_bytes > 2000);
    assert_eq!(second.busiest[1].recent_bytes, 0, "it has done nothing since");
    assert!(second.failures.is_empty() && second.server.unwrap().failures == 1);
    assert!(second.oldest.calls[0].age > first.oldest.calls[0].age);
    hanging.abort();
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_short_however_much_goes_on() {
    let (set, client, _admin) = serve().await;
    let mut more = Vec::new();
    for _ in 0..30 {
        more.push(LabClient::connect(set.server.uri()).await.unwrap());
    }
    let hanging: Vec<_> = more.iter().map(|client| tokio::spawn(client.hang())).collect();
    set.probe.wait(|counts| counts.started == 30).await;
    let mut snapshots = client.watch(Duration::from_secs(1)).await.unwrap();
    let snapshot = soon(next(&mut snapshots)).await;
    assert_eq!((snapshot.busiest.len(), snapshot.oldest.calls.len(), snapshot.oldest.left_out), (20, 20, 10));
    assert_eq!(snapshot.server.unwrap().calls, 30);
    hanging.iter().for_each(|call| call.abort());
}
