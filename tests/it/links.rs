//! The links: tcp, unix, mem; IPv6, several at once, what is left behind.

use farcall::{Limits, Server};

use crate::kit::{self, LabClient, soon};

#[tokio::test]
async fn each_link_carries_calls_streams_and_large_bodies() {
    let dir = tempfile::tempdir().unwrap();
    let unix = format!("unix://{}", dir.path().join("lab.sock").display());
    for uri in ["tcp://127.0.0.1:0", "tcp://[::1]:0", "tcp://localhost:0", "mem://", "mem://named", &unix] {
        let set = kit::serve_on(uri).await;
        assert_eq!(set.client.echo(uri.to_owned()).await.unwrap(), uri);
        assert_eq!(futures::StreamExt::count(set.client.count(1000).await.unwrap()).await, 1000);
        let body = bytes::Bytes::from(vec![3; 1 << 20]);
        assert!(set.client.blob(body.clone()).await.unwrap() == body);
        soon(set.server.shutdown()).await;
    }
}

#[tokio::test]
async fn a_server_listens_on_several_addresses() {
    let probe = kit::Probe::new();
    let server = kit::builder(&probe)
        .listen("tcp://[::1]:0")
        .listen("mem://")
        .bind("tcp://127.0.0.1:0")
        .await
        .unwrap();
    assert_eq!(server.uris().len(), 3);
    for uri in server.uris() {
        assert!(!uri.ends_with(":0"), "{uri}");
        assert_eq!(LabClient::connect(uri).await.unwrap().echo("x".into()).await.unwrap(), "x");
    }
    assert!(server.uri().starts_with("tcp://127.0.0.1:"));
}

#[tokio::test]
async fn an_address_that_is_taken_is_an_error() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let error = Server::builder().bind(set.server.uri()).await.unwrap_err();
    assert!(error.to_string().contains(set.server.uri()), "{error}");
    let named = kit::serve_on("mem://taken-once").await;
    assert!(Server::builder().bind("mem://taken-once").await.is_err());
    soon(named.server.shutdown()).await;
    assert!(Server::builder().bind("mem://taken-once").await.is_ok());
}

#[tokio::test]
async fn a_socket_file_that_was_left_behind_is_taken_over_and_one_in_use_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lab.sock");
    let uri = format!("unix://{}", path.display());
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let set = kit::serve_on(&uri).await;
    assert_eq!(set.client.echo("x".into()).await.unwrap(), "x");
    assert!(Server::builder().bind(&uri).await.is_err());
    soon(set.server.shutdown()).await;
    assert!(!path.exists());
}

#[tokio::test]
async fn names_are_looked_up() {
    let probe = kit::Probe::new();
    let server = kit::builder(&probe).limits(Limits::default()).bind("tcp://localhost:0").await.unwrap();
    assert_eq!(LabClient::connect(server.uri()).await.unwrap().echo("x".into()).await.unwrap(), "x");
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("precious.txt");
    std::fs::write(&path, "precious").unwrap();
    assert!(Server::builder().bind(format!("unix://{}", path.display())).await.is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[tokio::test]
async fn a_server_that_ends_leaves_the_socket_file_of_its_successor() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lab.sock");
    let uri = format!("unix://{}", path.display());
    let old = kit::serve_on(&uri).await;
    std::fs::rename(&path, dir.path().join("old.sock")).unwrap();
    let new = kit::serve_on(&uri).await;
    soon(old.server.shutdown()).await;
    assert_eq!(LabClient::connect(&uri).await.unwrap().echo("x".into()).await.unwrap(), "x");
    soon(new.server.shutdown()).await;
    assert!(!path.exists());
}
