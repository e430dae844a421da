//! What is heard of a server that begins to shut down, and in which order.

use std::time::Duration;

use farcall::admin::{HealthClient, HealthReporter, IntrospectionClient, Introspector, ServingStatus};
use farcall::{Channel, Inspector};
use tokio::time::Instant;

use crate::health::{next, serve};
use crate::kit::{self, LabClient, Probe, soon};
use ServingStatus::{NotServing, ServiceUnknown, Serving};

#[tokio::test(start_paused = true)]
async fn watchers_hear_it_first_calls_are_still_answered_and_nobody_holds_up_the_end() {
    let (health, delay) = (HealthReporter::new(), Duration::from_secs(5));
    health.set("Lab", Serving);
    let (server, client) =
        serve(kit::builder(&Probe::new()).service(health.clone()).drain_delay(delay)).await;
    let lab = LabClient::connect(server.uri()).await.unwrap();
    let mut changes = Vec::new();
    for (service, status) in [("", Serving), ("Lab", Serving), ("Shop", ServiceUnknown)] {
        let mut watch = client.watch(service.to_owned()).await.unwrap();
        assert_eq!(next(&mut watch).await, status);
        changes.push(watch);
    }
    let began_at = Instant::now();
    let shutdown = tokio::spawn(server.shutdown());
    for watch in &mut changes[..2] {
        assert_eq!(next(watch).await, NotServing);
    }
    for watch in &mut changes {
        assert!(soon(watch.next()).await.is_none());
    }
    assert!(began_at.elapsed() < Duration::from_millis(100), "{:?}", began_at.elapsed());

    // What the program says now is too late, and who asks now is told the same.
    health.set_all(Serving);
    assert_eq!(client.check("Lab".into()).await.unwrap(), NotServing);
    let mut late = client.watch(String::new()).await.unwrap();
    assert_eq!(next(&mut late).await, NotServing);
    assert!(soon(late.next()).await.is_none());

    while began_at.elapsed() < Duration::from_millis(4500) {
        assert_eq!(lab.echo("still here".into()).await.unwrap(), "still here");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(!shutdown.is_finished());
    soon(shutdown).await.unwrap();
    let took = began_at.elapsed();
    assert!(took >= delay && took < Duration::from_secs(7), "{took:?}");
    lab.echo("gone".into()).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn without_a_delay_watchers_still_hear_it() {
    let (server, client) = serve(kit::builder(&Probe::new()).service(HealthReporter::new())).await;
    let mut changes = client.watch(String::new()).await.unwrap();
    assert_eq!(next(&mut changes).await, Serving);
    let began_at = Instant::now();
    soon(server.shutdown()).await;
    assert!(began_at.elapsed() < Duration::from_secs(2), "{:?}", began_at.elapsed());
    assert_eq!(next(&mut changes).await, NotServing);
    assert!(soon(changes.next()).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn who_watches_the_server_sees_it_leave_and_does_not_hold_it_up() {
    let inspector = Inspector::new();
    let builder = kit::builder(&Probe::new()).service(HealthReporter::new());
    let (server, client) = serve(builder.inspector(&inspector).service(Introspector::new(&inspector))).await;
    let channel = Channel::connect(server.uri()).await.unwrap();
    let mut snapshots =
        IntrospectionClient::new(channel.clone()).watch(Duration::from_secs(60)).await.unwrap();
    assert!(!soon(snapshots.next()).await.unwrap().unwrap().server.unwrap().is_leaving);
    let began_at = Instant::now();
    soon(server.shutdown()).await;
    assert!(began_at.elapsed() < Duration::from_secs(2), "{:?}", began_at.elapsed());
    assert!(soon(snapshots.next()).await.unwrap().unwrap().server.unwrap().is_leaving);
    assert!(soon(snapshots.next()).await.is_none());
    let _: HealthClient = client;
}
