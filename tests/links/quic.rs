//! QUIC: a stream for each call, streams that overtake each other, packets that are lost, clients that move.

use std::net::UdpSocket;
use std::time::Duration;

use farcall::{Channel, ErrorKind, Fate, Limits, Pem, Server, TlsServer, TlsVersions};
use futures::StreamExt;
use futures::future::join_all;
use quinn::VarInt;
use tokio_stream::wrappers::ReceiverStream;

use crate::authority::Authority;
use crate::kit::{self, LabClient, soon};
use crate::raw::{HELLO, Raw, config, frame, open, read, reset};
use crate::udp::Net;
use crate::way::{Set, Way};

/// What `Lab/echo` takes and answers: a text of one byte.
const TEXT: &[u8] = &[1, b'a'];
const REPLY: u8 = 2;
const END: u8 = 1;

fn address(set: &Set) -> &str {
    set.server.uri().trim_start_matches("quic://")
}

async fn lab() -> (Way, Set) {
    let way = Way::new("quic");
    let set = way.serve().await;
    (way, set)
}

/// Proves rules Q1 and Q2.
#[tokio::test]
async fn calls_have_streams_of_their_own_and_need_no_ids() {
    let (way, set) = lab().await;
    let raw = Raw::connect(&way, &set).await;
    for id in [0_u64, 7, u64::MAX] {
        let mut call = open("echo", END, TEXT);
        call[8..16].copy_from_slice(&id.to_le_bytes());
        let (_send, mut recv) = raw.send(&call).await;
        assert_eq!(read(&mut recv).await, (REPLY, END, TEXT.to_vec()));
        // The server has said its last.
        assert_eq!(soon(recv.read(&mut [0; 1])).await.unwrap(), None);
    }
}

/// Proves rule Q1: another protocol in ALPN is refused, and what is no opening too.
#[tokio::test]
async fn whoever_speaks_something_else_is_refused() {
    let (way, set) = lab().await;
    let raw = Raw::connect(&way, &set).await;
    let connecting =
        raw.endpoint.connect_with(config(&way, b"h3"), address(&set).parse().unwrap(), "localhost").unwrap();
    let error = soon(connecting).await.unwrap_err().to_string();
    assert!(error.contains("120"), "no_application_protocol: {error}");

    let mut other = Raw::silent(&way, &set).await;
    other.control.0.write_all(b"hello there").await.unwrap();
    let said = soon(other.control.1.read_to_end(4096)).await.unwrap();
    assert!(String::from_utf8_lossy(&said).contains("does not speak farcall"));

    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    for length in [1, 20, 1200, 9000] {
        udp.send_to(&vec![0xc3; length], address(&set)).unwrap();
    }
    assert_eq!(soon(set.client.echo("live".into())).await.unwrap(), "live");
}

/// Proves rule Q2: what concerns a call is not said where the connection is spoken of.
#[tokio::test]
async fn a_call_on_the_first_stream_is_an_error() {
    let (way, set) = lab().await;
    let mut raw = Raw::connect(&way, &set).await;
    let mut call = open("echo", END, TEXT);
    call[8..16].copy_from_slice(&(1_u64 << 17).to_le_bytes());
    raw.control.0.write_all(&call).await.unwrap();
    let (kind, _, content) = read(&mut raw.control.1).await;
    assert_eq!((kind, content[8]), (9, 1), "GOAWAY Protocol");
}

/// Proves rule Q3: the rest of one call's frame does not come, as when its packets are lost, and no other call waits for it.
#[tokio::test]
async fn a_stream_whose_packets_are_lost_holds_up_its_own_call_only() {
    let (way, set) = lab().await;
    let raw = Raw::connect(&way, &set).await;
    let call = open("echo", END, TEXT);
    let mut stuck = Vec::new();
    for cut in [1, 15, 16, 20, call.len() - 1] {
        stuck.push((cut, raw.send(&call[..cut]).await));
        let (_send, mut recv) = raw.send(&call).await;
        assert_eq!(read(&mut recv).await.2, TEXT);
    }
    for (cut, (mut send, mut recv)) in stuck {
        send.write_all(&call[cut..]).await.unwrap();
        assert_eq!(read(&mut recv).await.2, TEXT);
    }
}

/// Proves rule Q4.
#[tokio::test]
async fn a_stream_that_is_reset_cancels_its_call() {
    let (way, set) = lab().await;
    let raw = Raw::connect(&way, &set).await;
    let (mut by_frame, mut recv) = raw.send(&open("hang", END, &[])).await;
    let (mut by_stream, mut other) = raw.send(&open("hang", END, &[])).await;
    let (mut kept, _kept) = raw.send(&open("hang", END, &[])).await;
    set.probe.wait(|counts| counts.started == 3).await;
    by_frame.write_all(&reset()).await.unwrap();
    set.probe.wait(|counts| counts.dropped == 1).await;
    assert_eq!(soon(recv.read(&mut [0; 1])).await.unwrap(), None, "nothing more is sent in it");
    by_stream.reset(VarInt::from_u32(1)).unwrap();
    set.probe.wait(|counts| counts.dropped == 2).await;
    assert_eq!(soon(other.read(&mut [0; 1])).await.unwrap(), None);
    // Just to end the stream says that no more comes, as it does on other links.
    kept.finish().unwrap();
    let (_send, mut recv) = raw.send(&open("echo", END, TEXT)).await;
    assert_eq!(read(&mut recv).await.2, TEXT);
    assert_eq!(set.probe.counts().dropped, 3, "the echo is done, and the call goes on");
}

/// Proves rule Q5: a call that arrives before the end of the one whose place it has waits for that, and is not refused.
#[tokio::test]
async fn a_call_that_overtakes_the_end_of_another_waits_for_its_place() {
    let way = Way::new("quic").limits(Limits::default().calls_in_flight(1));
    let set = way.serve().await;
    let raw = Raw::connect(&way, &set).await;
    let (mut first, _recv) = raw.send(&open("hang", END, &[])).await;
    set.probe.wait(|counts| counts.started == 1).await;
    let (_second, mut recv) = raw.send(&open("echo", END, TEXT)).await;
    let early = tokio::time::timeout(Duration::from_millis(100), read(&mut recv)).await;
    assert!(early.is_err(), "there is one place only");
    drop(early);
    first.write_all(&reset()).await.unwrap();
    let (kind, _, content) = read(&mut recv).await;
    assert_eq!((kind, &content[..]), (REPLY, TEXT));
}

/// Proves rule F3 on a stream: what a later version may send first is skipped, and takes no place where no call follows.
#[tokio::test]
async fn a_stream_of_frames_that_are_not_known_takes_no_place() {
    let way = Way::new("quic").limits(Limits::default().calls_in_flight(1));
    let set = way.serve().await;
    let raw = Raw::connect(&way, &set).await;
    let (mut other, _recv) = raw.send(&frame(77, 0, b"of a later version")).await;
    other.finish().unwrap();
    let (_send, mut recv) = raw.send(&[frame(77, 0, b"and a call"), open("echo", END, TEXT)].concat()).await;
    assert_eq!(read(&mut recv).await, (REPLY, END, TEXT.to_vec()));
    assert_eq!(soon(set.client.echo("live".into())).await.unwrap(), "live");
}

/// Proves rule Q6: what is dropped of calls that are over does not use up the connection's window.
#[tokio::test]
async fn items_of_cancelled_calls_leave_no_gap_in_the_window() {
    let way = Way::new("quic").limits(Limits::default().connection_window_bytes(128 << 10));
    let set = way.serve().await;
    for _ in 0..30 {
        let endless = futures::stream::repeat(u64::MAX);
        soon(set.client.sum(0, endless).timeout(Duration::from_millis(10))).await.unwrap_err();
        let mut items = set.client.flood().await.unwrap();
        soon(items.next()).await.unwrap().unwrap();
    }
    assert_eq!(soon(set.client.blob(vec![1; 2 << 20].into())).await.unwrap().len(), 2 << 20);
}

/// Proves rule Q7.
#[tokio::test]
async fn a_goaway_names_the_last_stream_that_was_read() {
    let (way, set) = lab().await;
    let mut raw = Raw::connect(&way, &set).await;
    let mut calls = Vec::new();
    for _ in 0..3 {
        calls.push(raw.send(&open("hang", END, &[])).await);
    }
    set.probe.wait(|counts| counts.started == 3).await;
    let shutdown = tokio::spawn(set.server.shutdown());
    let (kind, _, content) = read(&mut raw.control.1).await;
    assert_eq!((kind, content[8]), (9, 0), "GOAWAY Shutdown");
    assert_eq!(content[..8], 3_u64.to_le_bytes());
    let (_send, mut recv) = raw.send(&open("echo", END, TEXT)).await;
    assert_eq!(read(&mut recv).await, (5, 0, vec![2, 0]), "RESET Refused");
    for (mut send, _) in calls {
        send.write_all(&reset()).await.unwrap();
    }
    soon(shutdown).await.unwrap();
}

#[tokio::test]
async fn frames_are_held_against_their_limit_on_every_stream() {
    let (way, set) = lab().await;
    let mut raw = Raw::connect(&way, &set).await;
    let mut call = open("echo", END, TEXT);
    call[..4].copy_from_slice(&(1_u32 << 24).to_le_bytes());
    raw.send(&call).await;
    let (kind, _, content) = read(&mut raw.control.1).await;
    assert_eq!((kind, content[8]), (9, 2), "GOAWAY FrameTooLarge");
    let mut other = Raw::connect(&way, &set).await;
    other.send(&frame(3, 0, b"an item of no call")).await;
    let (kind, _, content) = read(&mut other.control.1).await;
    assert_eq!((kind, content[8]), (9, 1), "GOAWAY Protocol");
    assert_eq!(soon(set.client.echo("live".into())).await.unwrap(), "live");
}

/// Proves rule Q8.
#[tokio::test]
async fn a_client_that_moves_to_another_address_goes_on_with_its_calls() {
    let (way, set) = lab().await;
    let raw = Raw::connect(&way, &set).await;
    let (mut send, mut recv) = raw.send(&open("sum", 0, &[0])).await;
    send.write_all(&frame(3, 0, &[5])).await.unwrap();
    raw.endpoint.rebind(UdpSocket::bind("127.0.0.1:0").unwrap()).unwrap();
    send.write_all(&frame(3, END, &[6])).await.unwrap();
    assert_eq!(read(&mut recv).await, (REPLY, END, vec![11]));
}

/// Proves rule Q8: our own client does not notice that its address has changed.
#[tokio::test]
async fn calls_go_on_behind_a_nat_that_forgets_its_client() {
    let (way, set) = lab().await;
    let net = Net::before(address(&set), 0, 0).await;
    let client = LabClient::new(way.connect(&format!("quic://{}", net.address)).await.unwrap());
    let (say, said) = tokio::sync::mpsc::channel(1);
    let sum = tokio::spawn(client.sum(0, ReceiverStream::new(said)).into_future());
    for item in 1..=5_u64 {
        say.send(item).await.unwrap();
        net.move_client();
        assert_eq!(soon(client.echo("x".into())).await.unwrap(), "x");
    }
    drop(say);
    assert_eq!(soon(sum).await.unwrap().unwrap(), 15);
    assert_eq!(set.probe.counts().started, 5);
}

#[tokio::test]
async fn with_many_handshakes_under_way_clients_prove_their_address() {
    let way = Way::new("quic").limits(Limits::default().handshake_timeout(Duration::from_secs(60)));
    let set = way.serve().await;
    let net = Net::before(address(&set), 0, 0).await;
    let uri = format!("quic://{}", net.address);
    assert!(way.connect(&uri).await.is_ok());
    assert_eq!(*net.retries.borrow(), 0);
    // They never say their opening, so their handshakes are not done.
    let silent = join_all((0..66).map(|_| Raw::silent(&way, &set))).await;
    assert!(soon(way.connect(&uri)).await.is_ok());
    // A client that is slow to answer is asked again.
    assert!(*net.retries.borrow() >= 1);
    drop(silent);
}

/// Proves rule Q9: the client is gone before its packets get through, and is not done before they have.
#[tokio::test]
async fn what_was_sent_arrives_though_its_packets_are_lost_and_the_client_is_dropped() {
    let (way, set) = lab().await;
    let mut net = Net::before(address(&set), 0, 0).await;
    let client = LabClient::new(way.connect(&format!("quic://{}", net.address)).await.unwrap());
    soon(client.echo("x".into())).await.unwrap();
    net.cut(true);
    client.note("late".into()).await.unwrap();
    drop(client);
    // Tried again and again, each time twice as long after the last: longer than a farewell may take.
    soon(net.lost.wait_for(|lost| *lost >= 20)).await.unwrap();
    net.cut(false);
    assert_eq!(set.probe.wait(|counts| counts.notes.len() == 1).await.notes, ["late"]);
}

#[tokio::test]
async fn nothing_is_lost_though_packets_are() {
    let (way, set) = lab().await;
    let net = Net::before(address(&set), 20, 42).await;
    let client = LabClient::new(way.connect(&format!("quic://{}", net.address)).await.unwrap());
    let body = bytes::Bytes::from(vec![9; 1 << 20]);
    for _ in 0..10 {
        let calls = join_all((0..50).map(|n| client.echo(n.to_string())));
        let large = client.blob(body.clone());
        let items = async { client.count(2000).await.unwrap().count().await };
        let (calls, large, items) = soon(async { tokio::join!(calls, large, items) }).await;
        assert!(calls.into_iter().enumerate().all(|(n, answer)| answer.unwrap() == n.to_string()));
        assert!(large.unwrap() == body && items == 2000);
    }
    assert!(*net.lost.borrow() > 0);
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_an_error_in_time() {
    let way = Way::new("quic").limits(Limits::default().handshake_timeout(Duration::from_millis(300)));
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap();
    let error = soon(way.connect(&format!("quic://{}", nobody.local_addr().unwrap()))).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (ErrorKind::Connect, Fate::NeverSent));
    assert!(error.to_string().contains("nobody answered"), "{error}");
}

#[tokio::test]
async fn certificates_are_those_of_tls() {
    let authority = Authority::new("root");
    let own = authority.server();
    let tls = TlsServer::builder(own.chain(), own.key()).require_clients(authority.root());
    let probe = kit::Probe::new();
    let server = kit::builder(&probe).tls(tls.build().unwrap()).bind("quic://127.0.0.1:0").await.unwrap();
    let connect = async |tls: farcall::TlsClientBuilder| {
        let channel = soon(Channel::builder(server.uri()).tls(tls.build().unwrap()).connect()).await?;
        LabClient::new(channel).echo("x".into()).await
    };
    let known = authority.client("billing", 1);
    let client = || farcall::TlsClient::builder(authority.root());
    assert_eq!(connect(client().identity(known.chain(), known.key())).await.unwrap(), "x");
    let said = connect(client()).await.unwrap_err().to_string();
    assert!(said.contains("requires a client certificate"), "{said}");
    let stranger = farcall::TlsClient::builder(Authority::new("other").root());
    let said = connect(stranger).await.unwrap_err().to_string();
    assert!(said.contains("UnknownIssuer"), "{said}");

    let old = TlsServer::builder(own.chain(), own.key()).versions(TlsVersions::Tls12).build().unwrap();
    let error = Server::builder().tls(old).bind("quic://127.0.0.1:0").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("TLS 1.3 only"), "{error}");
    let error = Server::builder().bind("quic://127.0.0.1:0").await.unwrap_err();
    assert!(error.to_string().contains("needs a certificate"), "{error}");
}

#[tokio::test]
async fn a_reload_is_for_connections_from_then_on() {
    let authority = Authority::new("root");
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("chain"), folder.path().join("key"));
    let put = |issued: crate::authority::Issued| {
        std::fs::write(&chain, issued.chain).unwrap();
        std::fs::write(&key, issued.key).unwrap();
    };
    put(authority.server());
    let tls = TlsServer::builder(Pem::file(&chain), Pem::file(&key)).build().unwrap();
    let probe = kit::Probe::new();
    let server = kit::builder(&probe).tls(tls.clone()).bind("quic://127.0.0.1:0").await.unwrap();
    let connect = async |authority: &Authority| {
        let trust = farcall::TlsClient::builder(authority.root()).build().unwrap();
        soon(Channel::builder(server.uri()).tls(trust).connect()).await
    };
    let before = LabClient::new(connect(&authority).await.unwrap());
    let other = Authority::new("other");
    put(other.server());
    tls.reload().unwrap();
    assert!(connect(&authority).await.is_err());
    assert!(connect(&other).await.is_ok());
    assert_eq!(soon(before.echo("stays".into())).await.unwrap(), "stays");
    assert!(tls.counts().full >= 2);
}

/// Proves rule Q1.
#[tokio::test]
async fn an_opening_that_never_comes_is_not_waited_for() {
    let way = Way::new("quic").limits(Limits::default().handshake_timeout(Duration::from_millis(200)));
    let set = way.serve().await;
    let mut raw = Raw::silent(&way, &set).await;
    raw.control.0.write_all(&HELLO[..5]).await.unwrap();
    assert!(soon(raw.connection.closed()).await.to_string().contains("closed by peer"));
}
