//! Peers that speak something else, or nothing, or too slowly.

use std::sync::Arc;
use std::time::Duration;

use farcall::{Channel, ErrorKind, Limits, Server, TlsServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig, crypto::ring::default_provider};

use crate::authority::Authority;
use crate::kit::soon;
use crate::set::{DoorClient, DoorServer, Guard, client, connect, serve_with, server};

/// What waited for a time-out would not come in time: that takes an hour.
fn patient() -> Limits {
    Limits::default().handshake_timeout(Duration::from_secs(3600))
}

fn hasty() -> Limits {
    Limits::default().handshake_timeout(Duration::from_millis(300))
}

fn tls_of(authority: &Authority) -> TlsServer {
    server(&authority.server()).build().unwrap()
}

async fn tcp(uri: &str) -> TcpStream {
    TcpStream::connect(uri.split_once("://").unwrap().1).await.unwrap()
}

async fn answer_to(uri: &str, said: &[u8]) -> Vec<u8> {
    let mut stream = tcp(uri).await;
    stream.write_all(said).await.unwrap();
    let mut answer = Vec::new();
    soon(stream.read_to_end(&mut answer)).await.unwrap();
    answer
}

#[tokio::test]
async fn fault_51_plain_bytes_at_a_tls_port_are_answered_at_once() {
    let authority = Authority::new("root");
    let running = serve_with(&tls_of(&authority), |server| server.limits(patient())).await;
    let http = answer_to(running.uri(), b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let http = String::from_utf8(http).unwrap();
    assert!(http.starts_with("HTTP/1.1 400 Bad Request\r\n") && http.contains("farcall over TLS"), "{http}");
    assert_eq!(answer_to(running.uri(), b"\x00\x00").await, [0x15, 3, 3, 0, 2, 2, 70]);

    let plain = running.uri().replace("tls://", "tcp://");
    let error = soon(Channel::builder(plain).limits(patient()).connect()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("the peer speaks TLS"), "{error}");
    assert!(connect(&running, client(&authority)).await.is_ok());
}

#[tokio::test]
async fn fault_51_bytes_that_only_begin_like_tls_are_turned_away_at_once() {
    let running = serve_with(&tls_of(&Authority::new("root")), |server| server.limits(patient())).await;
    for said in [&b"\x16\x03\x01\x00\x05hello"[..], b"\x16\xff\xff\xff\xff", b"\x16nothing of the kind"] {
        let answer = answer_to(running.uri(), said).await;
        assert!(answer.is_empty() || answer.starts_with(&[0x15]), "{answer:?}");
    }
}

#[tokio::test]
async fn fault_51_tls_at_a_plain_port_is_named_at_once() {
    let authority = Authority::new("root");
    let plain = Server::builder().service(DoorServer::new(Guard)).limits(patient());
    let plain = plain.bind("tcp://127.0.0.1:0").await.unwrap();
    let uri = plain.uri().replace("tcp://", "tls://");
    let tls = client(&authority).build().unwrap();
    let error = soon(Channel::builder(uri).tls(tls).limits(patient()).connect()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("may be a plain tcp:// port"), "{error}");
}

#[tokio::test]
async fn fault_51_a_client_names_what_is_no_tls_server() {
    let tls = client(&Authority::new("root")).build().unwrap();
    for (limits, answer, named) in [
        (patient(), &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "does not speak TLS"),
        (patient(), b"farcall/\x01\x00", "does not speak TLS"),
        (hasty(), b"", "the TLS handshake was not done within this side's handshake_timeout of 300ms"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("tls://{}", listener.local_addr().unwrap());
        let connecting = Channel::builder(uri).tls(tls.clone()).limits(limits).connect();
        let answering = async {
            let (mut link, _) = listener.accept().await.unwrap();
            link.write_all(answer).await.unwrap();
            link
        };
        let (error, _link) = soon(async { tokio::join!(connecting, answering) }).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert!(error.to_string().contains(named), "{error}");
    }
}

/// A TLS client of another protocol.
async fn foreign_client(
    authority: &Authority,
    uri: &str,
    protocols: &[&[u8]],
) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.root_pem().as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let name = "localhost".try_into().unwrap();
    tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp(uri).await).await
}

#[tokio::test]
async fn fault_51_http_over_tls_is_refused_by_name_or_answered() {
    let authority = Authority::new("root");
    let running = serve_with(&tls_of(&authority), |server| server.limits(patient())).await;
    let error = soon(foreign_client(&authority, running.uri(), &[b"h2", b"http/1.1"])).await.unwrap_err();
    assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");

    let mut stream = soon(foreign_client(&authority, running.uri(), &[])).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");

    let named = soon(foreign_client(&authority, running.uri(), &[b"h2", b"farcall/1"])).await.unwrap();
    assert_eq!(named.get_ref().1.alpn_protocol(), Some(&b"farcall/1"[..]));
}

#[tokio::test]
async fn fault_51_a_client_names_a_tls_server_of_another_protocol() {
    let authority = Authority::new("root");
    let issued = authority.server();
    let chain = vec![CertificateDer::from_pem_slice(issued.chain.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("tls://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (link, _) = listener.accept().await.unwrap();
        tokio_rustls::TlsAcceptor::from(Arc::new(config)).accept(link).await
    });
    let tls = client(&authority).build().unwrap();
    let error = soon(Channel::builder(uri).tls(tls).connect()).await.unwrap_err();
    assert!(error.to_string().contains("not farcall in it (ALPN)"), "{error}");
}

const SILENT: usize = 100;

/// The start of a ClientHello, whose rest does not come.
const HELLO_START: &[u8] = &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];

#[tokio::test]
async fn fault_01_02_slow_and_silent_peers_hold_up_nobody() {
    let authority = Authority::new("root");
    let running = serve_with(&tls_of(&authority), |server| server.limits(patient())).await;
    let mut peers = Vec::new();
    for index in 0..SILENT {
        let mut peer = tcp(running.uri()).await;
        if index % 2 == 0 {
            peer.write_all(HELLO_START).await.unwrap();
        }
        peers.push(peer);
    }
    let door = connect(&running, client(&authority)).await.unwrap();
    assert_eq!(soon(door.echo("meanwhile".into())).await.unwrap(), "meanwhile");
    // They would wait for an hour, and the server does not wait for them.
    soon(running.shutdown()).await;
}

#[tokio::test]
async fn fault_01_02_slow_and_silent_peers_are_closed_in_time() {
    let authority = Authority::new("root");
    let tls = tls_of(&authority);
    let running = serve_with(&tls, |server| server.limits(hasty())).await;
    let mut silent = tcp(running.uri()).await;
    let mut slow = tcp(running.uri()).await;
    let trickling = async {
        for byte in HELLO_START.iter().cycle() {
            if slow.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    soon(trickling).await;
    assert_eq!(soon(silent.read(&mut [0])).await.unwrap(), 0);
    assert_eq!(tls.counts().failed, 2);
}

#[tokio::test]
async fn fault_02_who_secures_a_link_and_then_says_nothing_is_closed_in_time() {
    let authority = Authority::new("root");
    let running = serve_with(&tls_of(&authority), |server| server.limits(hasty())).await;
    let mut silent = soon(foreign_client(&authority, running.uri(), &[b"farcall/1"])).await.unwrap();
    // How it ends does not matter; that it ends does.
    let _ = soon(silent.read(&mut [0; 64])).await;
    assert!(connect(&running, client(&authority)).await.is_ok());
}

#[tokio::test]
async fn a_connection_over_the_limit_is_told_so_over_tls() {
    let authority = Authority::new("root");
    let running = serve_with(&tls_of(&authority), |server| server.max_connections(1)).await;
    let first: DoorClient = connect(&running, client(&authority)).await.unwrap();
    let error = connect(&running, client(&authority)).await.unwrap_err();
    assert!(error.to_string().contains("as many connections as it takes"), "{error}");
    assert_eq!(first.echo("x".into()).await.unwrap(), "x");
}
