//! Losing a connection, and calling again.

use std::time::Duration;

use farcall::{Backoff, Channel, ErrorKind, Fate, Server};

use crate::kit::{self, Bench, LabClient, LabServer, Probe, soon};

async fn restart(uri: &str, probe: &Probe) -> Server {
    Server::builder().service(LabServer::new(Bench(probe.clone()))).bind(uri).await.unwrap()
}

#[tokio::test]
async fn fault_30_a_lost_connection_fails_its_calls_at_once_and_names_all() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let call = tokio::spawn(set.client.hang());
    set.probe.wait(|counts| counts.started == 1).await;
    let uri = set.server.uri().to_owned();
    drop(set.server);
    let error = soon(call).await.unwrap().unwrap_err();
    assert_eq!(error.method(), Some("Lab/hang"));
    assert_eq!(error.peer(), Some(uri.as_str()));
    assert!(error.may_have_run());
}

#[tokio::test]
async fn the_same_client_works_again_once_the_server_is_back() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    assert_eq!(set.client.echo("before".into()).await.unwrap(), "before");
    let uri = set.server.uri().to_owned();
    soon(set.server.shutdown()).await;
    let error = soon(set.client.echo("meanwhile".into())).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (ErrorKind::Connect, Fate::NeverSent));
    let _server = restart(&uri, &set.probe).await;
    assert_eq!(soon(set.client.echo("after".into())).await.unwrap(), "after");
}

#[tokio::test]
async fn a_call_that_cannot_wait_for_the_next_try_fails_at_once() {
    let hour = Duration::from_secs(3600);
    let backoff = Backoff::default().first(hour).cap(hour).jitter(0.0);
    let channel = Channel::builder("tcp://127.0.0.1:1").backoff(backoff).lazy().unwrap();
    let client = LabClient::new(channel);
    assert_eq!(client.echo("x".into()).await.unwrap_err().kind(), ErrorKind::Connect);
    let call = client.echo("x".into()).timeout(Duration::from_secs(60));
    let error = soon(call).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("next try"), "{error}");
}

#[tokio::test]
async fn a_lazy_channel_connects_with_its_first_call() {
    let probe = Probe::new();
    let channel = Channel::builder("mem://lazily-later").lazy().unwrap();
    let client = LabClient::new(channel);
    let _server = restart("mem://lazily-later", &probe).await;
    assert_eq!(soon(client.echo("x".into())).await.unwrap(), "x");
}

#[tokio::test]
async fn many_calls_after_a_loss_share_one_new_connection() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let uri = set.server.uri().to_owned();
    soon(set.server.shutdown()).await;
    let probe = set.probe.clone();
    let server =
        Server::builder().service(LabServer::new(Bench(probe))).max_connections(1).bind(&uri).await.unwrap();
    let calls = (0..50).map(|n| set.client.echo(n.to_string()));
    for answer in soon(futures::future::join_all(calls)).await {
        answer.unwrap();
    }
    drop(server);
}
