//! Arguments that no honest client encodes, and methods that are not there.

use farcall::{Code, service};

use crate::kit::{self, LabClient, soon};
use crate::process::{ServerProcess, Times};
use crate::wire::{self, RawPeer, code, frame, id, open};

/// Expects that these bytes end their call as arguments that cannot be decoded, with such a text.
pub async fn refuses(peer: &mut RawPeer, bytes: &[u8], named: &str) {
    peer.send(bytes).await;
    let (code, message) = peer.next(wire::STATUS).await.status();
    assert_eq!(code, code::INVALID_ARGUMENT, "{message}");
    assert!(message.contains(named), "{message}");
}

#[tokio::test]
async fn fault_15_an_unknown_codec_is_unimplemented_and_runs_nothing() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let mut peer = RawPeer::open(set.server.uri()).await;
    for codec in [0, 6, 77, 255] {
        let mut bytes = open(u64::from(codec) + 1, "Lab/echo", b"\x02ok");
        bytes[6] = codec;
        peer.send(&bytes).await;
        let (code, message) = peer.next(wire::STATUS).await.status();
        assert_eq!(code, code::UNIMPLEMENTED);
        assert!(
            message.contains(&format!("codec {codec} is not known here; known are postcard")),
            "{message}"
        );
    }
    assert_eq!(set.probe.counts().started, 0);
    peer.send(&open(1000, "Lab/echo", b"\x02ok")).await;
    assert_eq!(peer.next(wire::REPLY).await.content, b"\x02ok");
}

#[tokio::test]
async fn fault_62_methods_that_were_removed_swapped_or_added_are_never_another_one() {
    #[service(name = "Lab")]
    trait Newer {
        async fn hang_more(&self);
        async fn echo(&self, text: String) -> String;
        async fn removed_here(&self, text: String) -> String;
    }

    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let newer = NewerClient::new(set.channel.clone());
    for error in
        [soon(newer.removed_here("x".into())).await.unwrap_err(), soon(newer.hang_more()).await.unwrap_err()]
    {
        assert_eq!(error.code(), Code::Unimplemented, "{error}");
        assert!(error.to_string().contains("Lab/"), "{error}");
    }
    assert_eq!(set.probe.counts().started, 0);
    assert_eq!(soon(newer.echo("itself".into())).await.unwrap(), "itself");
    assert_eq!(set.probe.counts().started, 1);
    // Any number but a method's own finds none.
    let mut peer = RawPeer::open(set.server.uri()).await;
    for (sequence, method) in (1..).zip([0, 1, u64::MAX, farcall::MethodId::hash("Lab", "Echo").as_u64()]) {
        peer.send(&frame(wire::OPEN, wire::END, id(sequence, 0), &method.to_le_bytes())).await;
        assert_eq!(peer.next(wire::STATUS).await.status().0, code::UNIMPLEMENTED);
    }
}

/// The arguments come in parts, so that the recursion is not cut short by a limit on frames.
#[tokio::test]
async fn fault_63_a_value_of_200_kilobytes_of_nesting_is_refused_and_the_process_lives() {
    let server = ServerProcess::start(Times::default());
    let (lab, ward) = server.clients().await;
    let mut peer = RawPeer::open(&server.uri).await;
    let nested = [vec![1; 200_000], vec![0]].concat();
    refuses(&mut peer, &wire::open_in_parts(1, "Ward/deep", &nested), "nested deeper than 128 levels").await;
    assert_eq!(ward.gauge().await.unwrap().started, 0);
    assert_eq!(soon(lab.echo("live".into())).await.unwrap(), "live");
}

#[tokio::test]
async fn fault_64_endless_empty_elements_are_refused_in_constant_memory() {
    let server = ServerProcess::start(Times::default());
    let (_, ward) = server.clients().await;
    assert_eq!(ward.empties(vec![(); 1000]).await.unwrap(), 1000);
    let mut peer = RawPeer::open(&server.uri).await;
    let memory = server.memory_kib();
    server.forget_memory_peak();
    for (sequence, length) in (1..).zip([1 << 20, 1 << 40, u64::MAX]) {
        let bytes = open(sequence, "Ward/empties", &wire::varint(length));
        refuses(&mut peer, &bytes, "more than 65").await;
    }
    let grown = server.memory_peak_kib() - memory;
    assert!(grown < 1 << 10, "{grown} KiB were taken");
    assert_eq!(ward.gauge().await.unwrap().started, 1, "only the call of this test ran");
}

#[tokio::test]
async fn fault_65_bytes_after_the_arguments_fail_the_call_and_run_nothing() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let mut peer = RawPeer::open(set.server.uri()).await;
    for (sequence, more) in (1..).zip([1, 2, 1000]) {
        let arguments = [&b"\x05hello"[..], &vec![0; more]].concat();
        let named = format!("{more} bytes follow the value");
        refuses(&mut peer, &open(sequence, "Lab/echo", &arguments), &named).await;
    }
    refuses(&mut peer, &open(9, "Lab/hang", &[0]), "1 bytes follow the value").await;
    assert_eq!(set.probe.counts().started, 0);
    assert_eq!(soon(set.client.echo("live".into())).await.unwrap(), "live");
}

#[tokio::test]
async fn fault_65_bytes_after_an_answer_fail_the_call_at_the_caller() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("tcp://{}", listener.local_addr().unwrap());
    let (client, mut peer) = tokio::join!(LabClient::connect(&uri), RawPeer::accept(&listener));
    let client = client.unwrap();
    let call = tokio::spawn(client.echo("x".into()));
    let open = peer.next(wire::OPEN).await;
    peer.send(&frame(wire::REPLY, wire::END, open.id, b"\x02ok and more")).await;
    let error = soon(call).await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.fate()), (farcall::ErrorKind::Decode, farcall::Fate::Failed));
    let call = tokio::spawn(client.echo("y".into()));
    let open = peer.next(wire::OPEN).await;
    peer.send(&frame(wire::REPLY, wire::END, open.id, b"\x02ok")).await;
    assert_eq!(soon(call).await.unwrap().unwrap(), "ok", "the connection lives");
}
