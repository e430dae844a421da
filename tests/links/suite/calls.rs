//! Calls of all shapes and sizes.

use bytes::Bytes;
use farcall::{Code, Limits};
use futures::future::join_all;
use futures::{StreamExt, stream};

use crate::kit::{LabClient, LabError, soon};
use crate::way::Way;

pub async fn calls_are_answered(way: Way) {
    let set = way.serve().await;
    assert!(!set.server.uri().contains(":0"), "{}", set.server.uri());
    assert_eq!(soon(set.client.echo("Ada".into())).await.unwrap(), "Ada");
    assert_eq!(soon(set.client.divide(7, 2)).await.unwrap(), 3);
    let error = soon(set.client.divide(7, 0)).await.unwrap_err();
    assert_eq!(error.method(), Some(&LabError::DivisionByZero));
    assert_eq!(soon(set.client.measure("key", &[1, 2])).await.unwrap(), (3, 2));
    assert_eq!(soon(set.client.boom()).await.unwrap_err().code(), Code::Internal);
}

pub async fn many_calls_share_a_connection(way: Way) {
    let set = way.serve().await;
    for _ in 0..4 {
        let calls = (0..500).map(|n| set.client.echo(n.to_string()));
        let answers = soon(join_all(calls)).await;
        for (n, answer) in answers.into_iter().enumerate() {
            assert_eq!(answer.unwrap(), n.to_string());
        }
    }
}

pub async fn items_go_both_ways(way: Way) {
    let set = way.serve().await;
    let counted: Vec<_> = soon(set.client.count(10_000).await.unwrap().map(Result::unwrap).collect()).await;
    assert!(counted.iter().copied().eq(0..10_000));
    assert_eq!(soon(set.client.sum(1, stream::iter(0..10_000_u64))).await.unwrap(), 49_995_001);
    let said = stream::iter(["a", "b", "c"].map(str::to_owned));
    let shouted: Vec<_> = set.client.shout("!", said).await.unwrap().map(Result::unwrap).collect().await;
    assert_eq!(shouted, ["A!", "B!", "C!"]);
    let divided = set.client.divide_all(vec![(4, 2), (1, 0)]).await.unwrap();
    let divided: Vec<_> = soon(divided.map(Result::ok).collect()).await;
    assert_eq!(divided, [Some(2), None]);
    assert!(soon(set.client.divide_all(vec![])).await.is_err());
}

pub async fn large_bodies_go_both_ways(way: Way) {
    let set = way.limits(Limits::default().message_bytes(20 << 20)).serve().await;
    let body: Bytes = (0..18_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    assert!(soon(set.client.blob(body.clone())).await.unwrap() == body);
    let bodies = join_all((0..4).map(|n| set.client.blob(body.slice(n << 20..(n + 3) << 20))));
    for (n, answer) in soon(bodies).await.into_iter().enumerate() {
        assert!(answer.unwrap() == body[n << 20..(n + 3) << 20]);
    }
}

pub async fn what_is_too_large_ends_its_call_only(way: Way) {
    let set = way.limits(Limits::default().message_bytes(100_000)).serve().await;
    let hanging = tokio::spawn(set.client.echo("goes on".into()).into_future());
    let error = soon(set.client.blob(Bytes::from(vec![0; 200_000]))).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted, "{error}");
    assert_eq!(soon(hanging).await.unwrap().unwrap(), "goes on");
}

pub async fn a_large_body_does_not_hold_up_small_calls(way: Way) {
    let set = way.limits(Limits::default().message_bytes(20 << 20)).serve().await;
    let mut large = std::pin::pin!(set.client.blob(Bytes::from(vec![7; 16 << 20])).into_future());
    let mut small = 0;
    let answer = loop {
        tokio::select! {
            biased;
            answer = &mut large => break answer,
            answer = set.client.divide(1, 1) => {
                assert_eq!(answer.unwrap(), 1);
                small += 1;
            }
        }
    };
    assert_eq!(answer.unwrap().len(), 16 << 20);
    assert!(small >= 3, "{small} small calls were answered while a large one was under way");
}

/// Proves rule Q9: a connection is closed when all was delivered.
pub async fn oneway_calls_arrive_though_their_client_is_gone(way: Way) {
    let set = way.serve().await;
    let client = LabClient::new(way.connect(set.server.uri()).await.unwrap());
    for note in ["one", "two"] {
        client.note(note.into()).await.unwrap();
    }
    drop(client);
    let notes = set.probe.wait(|counts| counts.notes.len() == 2).await.notes;
    assert!(notes.contains(&"one".to_owned()) && notes.contains(&"two".to_owned()), "{notes:?}");
}

pub async fn metadata_and_the_peers_address_are_there(way: Way) {
    let set = way.serve().await;
    let seen = soon(set.client.seen().metadata("tenant", "a1")).await.unwrap();
    assert_eq!(seen.tenant.as_deref(), Some("a1"));
    let (scheme, _) = set.server.uri().split_once("://").unwrap();
    assert!(seen.peer.unwrap().starts_with(&format!("{scheme}://")));
}
