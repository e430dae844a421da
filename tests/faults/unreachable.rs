//! The same as with the valve over a real link between two network namespaces, which is taken down.

use std::time::{Duration, Instant};

use farcall::{Channel, ErrorKind, Fate};

use crate::kit::{LabClient, soon};
use crate::netns::Namespace;
use crate::process::{ServerProcess, Times, WardClient, comes_true};

fn times() -> Times {
    let (ping_interval, ping_timeout) = (Duration::from_secs(5), Duration::from_millis(500));
    Times { ping_interval, ping_timeout, ..Times::default() }
}

struct Far {
    server: ServerProcess,
    network: Namespace,
    channel: Channel,
}

/// A server behind a link; none where that takes rights that are missing here.
async fn far_server(number: u8) -> Option<Far> {
    let network = match Namespace::make(number) {
        Ok(network) => network,
        Err(reason) => {
            println!("skipped: {reason}");
            return None;
        }
    };
    let uri = format!("tcp://{}:0", network.address);
    let server = ServerProcess::start_with(&uri, times(), &network.prefix(), |_| {});
    let connect = Channel::builder(&server.uri).limits(times().limits()).connect();
    let channel = soon(connect).await.unwrap();
    Some(Far { server, network, channel })
}

/// Calls until it works: while the neighbour's address is learnt anew, a try to connect may fail.
async fn again<T>(call: impl AsyncFn() -> Result<T, farcall::Error>) -> T {
    let calling = async {
        loop {
            match call().await {
                Ok(answer) => return answer,
                Err(error) => assert_eq!(error.kind(), ErrorKind::Connect, "{error}"),
            }
        }
    };
    soon(calling).await
}

#[tokio::test]
async fn fault_03_with_the_link_down_calls_fail_at_their_deadline_and_the_next_works() {
    let Some(far) = far_server(1).await else { return };
    let (lab, ward) = (LabClient::new(far.channel.clone()), WardClient::new(far.channel.clone()));
    let patient = tokio::spawn(lab.hang());
    comes_true(async || ward.gauge().await.unwrap().started == 1).await;
    let before = lab.seen().await.unwrap().peer;
    far.network.link_down();
    let error = soon(lab.hang().timeout(Duration::from_millis(100))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    let error = soon(patient).await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.fate()), (ErrorKind::ConnectionLost, Fate::MaybeExecuted));
    assert!(error.to_string().contains("nothing was heard from the peer for"), "{error}");
    far.network.link_up();
    let seen = again(async || lab.seen().await).await;
    assert_ne!(seen.peer, before, "over another connection");
    // The server has found out too, and holds nothing for the old one.
    comes_true(async || {
        ward.gauge().await.is_ok_and(|gauge| gauge.dropped >= 1 && gauge.dropped == gauge.started)
    })
    .await;
}

#[tokio::test]
async fn fault_04_with_the_link_down_while_idle_the_next_call_works_once_it_is_back() {
    let Some(far) = far_server(2).await else { return };
    let lab = LabClient::new(far.channel.clone());
    let before = lab.seen().await.unwrap().peer;
    far.network.link_down();
    // A channel's only word on its connection: dead after the interval and the time-out of pings.
    comes_true(async || format!("{:?}", far.channel).contains("connected: false")).await;
    far.network.link_up();
    let seen = again(async || lab.seen().await).await;
    assert_ne!(seen.peer, before, "over another connection, and nobody noticed");
}

#[tokio::test]
async fn fault_30_a_server_that_dies_behind_a_link_that_is_down_is_found_dead() {
    let Some(mut far) = far_server(3).await else { return };
    let (lab, ward) = (LabClient::new(far.channel.clone()), WardClient::new(far.channel.clone()));
    let hanging = tokio::spawn(lab.hang());
    comes_true(async || ward.gauge().await.unwrap().started == 1).await;
    far.network.link_down();
    far.server.kill();
    let killed_at = Instant::now();
    let error = soon(hanging).await.unwrap().unwrap_err();
    println!("{:?} after the kill: {error}", killed_at.elapsed());
    assert_eq!((error.kind(), error.fate()), (ErrorKind::ConnectionLost, Fate::MaybeExecuted));
    far.network.link_up();
    let uri = far.server.uri.clone();
    let _next = ServerProcess::start_with(&uri, times(), &far.network.prefix(), |_| {});
    let gauge = again(async || ward.gauge().await).await;
    assert_eq!(gauge.started, 0, "the call was not made again");
}
