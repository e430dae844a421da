//! What each error of the public API says: what happened, where, and what to do.

use std::time::Duration;

use bytes::Bytes;
use farcall::{Backoff, Channel, Error, Limits, service};
use tokio::net::TcpListener;

use crate::kit::{self, LabClient, soon};

const SOON: Duration = Duration::from_millis(100);

/// Holds one line against what it has to say.
fn says(error: &Error, all: &[&str]) {
    let text = error.to_string();
    for part in all {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
    assert!(!text.contains('\n') && !text.ends_with('.'), "{text:?}");
}

#[tokio::test]
async fn an_address_that_cannot_be_used() {
    for (uri, why) in [
        ("10.0.0.7:900", "a scheme is missing, as in tcp://"),
        ("tcp://10.0.0.7", "a port is missing, as in tcp://"),
        ("http://10.0.0.7", "the scheme is not one of tcp,"),
    ] {
        says(&Channel::connect(uri).await.unwrap_err(), &[uri, "cannot be used", why]);
    }
}

#[tokio::test]
async fn nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let uri = format!("tcp://{port}");
    let error = soon(Channel::connect(&uri)).await.unwrap_err();
    says(
        &error,
        &[&uri, "no connection could be made", "check the address, and that a server listens there"],
    );
    let error = soon(Channel::connect("mem://nobody-at-all")).await.unwrap_err();
    let source = std::error::Error::source(&error).expect("the link says why").to_string();
    assert_eq!(source, "nobody in this process listens on mem://nobody-at-all: bind a server to it first");
    // Of a call: the method, and that it did not run.
    let client = LabClient::new(Channel::builder(&uri).backoff(Backoff::default()).lazy().unwrap());
    let error = soon(client.echo(String::new())).await.unwrap_err();
    says(&error, &["Lab/echo at tcp://", "(the call did not run)"]);
}

#[tokio::test]
async fn an_address_is_taken() {
    let server = kit::serve().await.server;
    let error = kit::builder(&kit::Probe::new()).bind(server.uri()).await.unwrap_err();
    says(
        &error,
        &[server.uri(), "is taken in this process", "choose another name, or shut that server down"],
    );
}

#[tokio::test]
async fn the_peer_is_silent_or_hangs_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("tcp://{}", listener.local_addr().unwrap());
    let limits = Limits::default().handshake_timeout(SOON);
    let error = soon(Channel::builder(&uri).limits(limits).connect()).await.unwrap_err();
    let silent = "did not answer the opening within this side's handshake_timeout of 100ms";
    says(&error, &[&uri, silent, "it may not be a farcall server"]);

    let hangs_up = tokio::spawn(async move {
        loop {
            drop(listener.accept().await);
        }
    });
    let error = soon(Channel::connect(&uri)).await.unwrap_err();
    assert!(error.peer() == Some(&*uri) && error.to_string().contains("opened"), "{error}");
    hangs_up.abort();
}

#[tokio::test]
async fn a_limit_names_itself_and_whose_it_is() {
    let small = Limits::default().message_bytes(1024);
    let set = kit::serve_with("mem://", |server| server.limits(small.clone()), Limits::default()).await;
    let error = soon(set.client.blob(Bytes::from(vec![0; 5000]))).await.unwrap_err();
    let peers = "is over the peer's limit of 1024 (message_bytes): send less, or raise it there";
    says(&error, &["Lab/blob at mem://", peers, "(the call did not run)"]);

    let set = kit::serve_with("mem://", |server| server, small).await;
    let error = soon(set.client.blob(Bytes::from(vec![0; 5000]))).await.unwrap_err();
    says(&error, &["Lab/blob at mem://", "limit of 1024", "the caller's own"]);
}

#[tokio::test]
async fn the_two_sides_are_of_different_versions() {
    #[service(name = "Lab")]
    trait Newer {
        async fn added_later(&self) -> u32;
        async fn divide(&self, a: String, b: Vec<String>) -> i64;
    }
    let set = kit::serve().await;
    let newer = NewerClient::new(set.channel.clone());
    for error in [
        soon(newer.added_later()).await.unwrap_err(),
        soon(newer.divide("a".into(), vec!["c".into(); 9])).await.unwrap_err(),
    ] {
        says(&error, &["Lab/", " at mem://", "compare the two sides' versions"]);
    }
}

#[tokio::test]
async fn a_deadline_says_on_which_side_it_passed() {
    let set = kit::serve().await;
    let error = soon(set.client.hang().timeout(SOON)).await.unwrap_err();
    says(
        &error,
        &[
            "Lab/hang at mem://",
            "deadline passed",
            "allow more time, or find what is slow",
            "(the call may have run)",
        ],
    );
    let error = soon(set.client.hang().timeout(Duration::ZERO)).await.unwrap_err();
    says(&error, &["Lab/hang failed: the caller's deadline passed", "(the call did not run)"]);
    let channel = Channel::builder(set.server.uri()).deadline_margin(SOON).connect().await.unwrap();
    let error = soon(LabClient::new(channel).hang().timeout(SOON * 2)).await.unwrap_err();
    says(&error, &["the deadline passed at the server while the handler ran", "find what is slow there"]);
}

#[tokio::test]
async fn a_server_that_is_full_or_goes_away() {
    let set = kit::serve_with("mem://", |server| server.max_connections(1), Limits::default()).await;
    let error = soon(Channel::connect(set.server.uri())).await.unwrap_err();
    says(&error, &[set.server.uri(), "as many connections as it takes (max_connections)"]);
    let error = soon(set.client.boom()).await.unwrap_err();
    says(&error, &["Lab/boom at mem://", "the handler panicked; see the server's log"]);

    let set = kit::serve_with("mem://", |server| server.shutdown_grace(SOON), Limits::default()).await;
    let hanging = tokio::spawn(set.client.hang().into_future());
    set.probe.wait(|counts| counts.started == 1).await;
    set.server.shutdown().await;
    let error = hanging.await.unwrap().unwrap_err();
    says(&error, &["Lab/hang at mem://", "UNAVAILABLE: the server is shutting down"]);
}

#[tokio::test]
async fn two_services_that_clash_are_told_when_they_are_bound() {
    let probe = kit::Probe::new();
    let twice = kit::builder(&probe).service(kit::LabServer::new(kit::Bench(probe.clone())));
    says(&twice.bind("mem://").await.unwrap_err(), &["Lab"]);
}
