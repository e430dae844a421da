//! Ids that are used twice, and answers that nobody waits for.

use farcall::{Channel, ErrorKind, Fate};
use tokio::net::TcpListener;

use crate::kit::{self, LabClient, soon};
use crate::wire::{self, RawPeer, code, frame, id};

#[tokio::test]
async fn fault_17_reuse_of_an_id_ends_its_connection_with_all_calls_and_no_other() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let beside = tokio::spawn(set.client.hang());
    set.probe.wait(|counts| counts.started == 1).await;
    let hang = wire::call("Lab/hang", b"");
    for (second, reason) in [
        (frame(wire::OPEN, wire::END, id(1, 0), &hang), "an id that was used before"),
        (frame(wire::OPEN, wire::END, id(1, 1), &hang), "an id that was used before"),
        (frame(wire::OPEN, wire::END, id(2, 0), &hang), "in the slot of one that is under way"),
    ] {
        let before = set.probe.counts().started;
        let mut peer = RawPeer::open(set.server.uri()).await;
        peer.send(&frame(wire::OPEN, wire::END, id(1, 0), &hang)).await;
        set.probe.wait(|counts| counts.started == before + 1).await;
        peer.send(&second).await;
        let (code, text) = peer.farewell().await;
        assert_eq!(code, code::PROTOCOL);
        assert!(text.contains(reason), "{text}");
        let counts = set.probe.wait(|counts| counts.dropped == counts.started - 1).await;
        assert_eq!(counts.started, before + 1, "the second did not run");
    }
    assert!(!beside.is_finished());
    assert_eq!(soon(set.client.echo("live".into())).await.unwrap(), "live");
}

#[tokio::test]
async fn fault_17_a_slot_is_used_again_after_the_end_of_its_call() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let mut peer = RawPeer::open(set.server.uri()).await;
    for sequence in 1..100 {
        peer.send(&frame(wire::OPEN, wire::END, id(sequence, 0), &wire::call("Lab/echo", b"\x02ok"))).await;
        let reply = peer.next(wire::REPLY).await;
        assert_eq!((reply.id, &reply.content[..]), (id(sequence, 0), &b"\x02ok"[..]));
    }
}

/// A client whose server is this test.
async fn client_of_hand() -> (LabClient, TcpListener, RawPeer) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("tcp://{}", listener.local_addr().unwrap());
    let (channel, peer) = tokio::join!(Channel::connect(&uri), RawPeer::accept(&listener));
    (LabClient::new(channel.unwrap()), listener, peer)
}

#[tokio::test]
async fn fault_18_an_answer_to_a_call_that_was_given_up_goes_to_nobody() {
    let (client, _listener, mut peer) = client_of_hand().await;
    for _ in 0..50 {
        let given_up = tokio::spawn(client.echo("given up".into()));
        let late = peer.next(wire::OPEN).await.id;
        given_up.abort();
        assert_eq!(peer.next(wire::RESET).await.id, late);
        let call = tokio::spawn(client.echo("next".into()));
        let next = peer.next(wire::OPEN).await.id;
        assert_eq!(late & 0x1fffe, next & 0x1fffe, "it has the slot of the one before");
        peer.send(&frame(wire::REPLY, wire::END, late, b"\x05wrong")).await;
        peer.send(&frame(wire::STATUS, wire::END, late, b"")).await;
        peer.send(&frame(wire::RESET, 0, late, &[1, 0])).await;
        peer.send(&frame(wire::REPLY, wire::END, next, b"\x05right")).await;
        assert_eq!(soon(call).await.unwrap().unwrap(), "right");
    }
}

#[tokio::test]
async fn fault_18_an_answer_to_a_call_that_never_was_is_ignored() {
    let (client, _listener, mut peer) = client_of_hand().await;
    let call = tokio::spawn(client.echo("x".into()));
    let id = peer.next(wire::OPEN).await.id;
    peer.send(&frame(wire::REPLY, wire::END, id + (1 << 17), b"\x05wrong")).await;
    peer.send(&frame(wire::REPLY, wire::END, id, b"\x05right")).await;
    assert_eq!(soon(call).await.unwrap().unwrap(), "right");
}

#[tokio::test]
async fn fault_19_a_second_answer_is_ignored() {
    let (client, _listener, mut peer) = client_of_hand().await;
    for _ in 0..50 {
        let call = tokio::spawn(client.echo("x".into()));
        let id = peer.next(wire::OPEN).await.id;
        let first = frame(wire::REPLY, wire::END, id, b"\x05first");
        let second = frame(wire::REPLY, wire::END, id, b"\x06second");
        peer.send(&[first, second.clone()].concat()).await;
        assert_eq!(soon(call).await.unwrap().unwrap(), "first");
        peer.send(&second).await;
    }
}

#[tokio::test]
async fn fault_22_a_refused_call_is_safe_to_repeat() {
    let (client, _listener, mut peer) = client_of_hand().await;
    let call = tokio::spawn(client.echo("x".into()));
    let id = peer.next(wire::OPEN).await.id;
    peer.send(&frame(wire::RESET, 0, id, &[2, 0])).await;
    let error = soon(call).await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.fate()), (ErrorKind::Refused, Fate::Refused));
    assert!(error.is_retryable() && error.to_string().contains("did not run"), "{error}");
    let again = tokio::spawn(client.echo("again".into()));
    let id = peer.next(wire::OPEN).await.id;
    peer.send(&frame(wire::REPLY, wire::END, id, b"\x02ok")).await;
    assert_eq!(soon(again).await.unwrap().unwrap(), "ok");
}

#[tokio::test]
async fn fault_22_calls_above_the_maximum_are_refused_and_the_others_go_on() {
    let limits = farcall::Limits::default().calls_in_flight(10);
    let set =
        kit::serve_with("tcp://127.0.0.1:0", |server| server.limits(limits), farcall::Limits::default());
    let set = set.await;
    let mut peer = RawPeer::open(set.server.uri()).await;
    let opens = (0..110).map(|n| frame(wire::OPEN, wire::END, id(n + 1, n), &wire::call("Lab/hang", b"")));
    peer.send(&opens.flatten().collect::<Vec<_>>()).await;
    for n in 10..110 {
        let reset = peer.next(wire::RESET).await;
        assert_eq!((reset.id, &reset.content[..]), (id(n + 1, n), &[2, 0][..]), "refused");
    }
    set.probe.wait(|counts| counts.started == 10).await;
    // A free slot is taken again: nothing waits in a queue for it.
    peer.send(&frame(wire::RESET, 0, id(1, 0), &[1, 0])).await;
    set.probe.wait(|counts| counts.dropped == 1).await;
    peer.send(&frame(wire::OPEN, wire::END, id(111, 0), &wire::call("Lab/echo", b"\x02ok"))).await;
    assert_eq!(peer.next(wire::REPLY).await.id, id(111, 0));
    assert_eq!(set.probe.counts().started, 11);
    drop(peer);
    set.probe.wait(|counts| counts.dropped == 11).await;
}
