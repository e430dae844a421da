//! Codecs beside the usual one.

use bytes::Bytes;
use farcall::{CallError, Channel, CodecKind, ErrorKind, Limits, Server, service};
use futures::{StreamExt, stream};

use crate::kit::{self, LabClient, LabError, LabRequest, soon};

#[tokio::test]
async fn all_shapes_of_calls_work_in_every_codec() {
    let set = kit::serve().await;
    for codec in CodecKind::ALL.iter().filter(|codec| codec.name() != "protobuf") {
        all_shapes(&LabClient::with_codec(set.channel.clone(), *codec)).await;
    }
}

async fn all_shapes(client: &LabClient) {
    assert_eq!(client.echo("\"quoted\" – ünïcode".into()).await.unwrap(), "\"quoted\" – ünïcode");
    assert_eq!(client.measure("key \n", b"\x00\xff").await.unwrap(), (5, 2));
    assert_eq!(client.blob(Bytes::from_static(b"\x00\xff")).await.unwrap(), &b"\x00\xff"[..]);
    let large = Bytes::from(vec![7; 100_000]);
    assert_eq!(client.blob(large.clone()).await.unwrap(), large);
    let error = client.divide(1, 0).await.unwrap_err();
    assert!(matches!(error, CallError::Method(LabError::DivisionByZero)));
    assert!(
        client.count(300).await.unwrap().map(Result::unwrap).collect::<Vec<_>>().await.into_iter().eq(0..300)
    );
    assert_eq!(soon(client.sum(1, stream::iter(0..100u64))).await.unwrap(), 4951);
    let items = client.divide_all(vec![(4, 2), (1, 0)]).await.unwrap().collect::<Vec<_>>().await;
    assert!(matches!(items[..], [Ok(2), Err(CallError::Method(LabError::DivisionByZero))]));
}

#[tokio::test]
async fn arguments_by_name_may_come_in_another_order_and_number() {
    #[service(name = "Lab")]
    trait Reordered {
        async fn divide(&self, b: i64, remark: String, a: i64) -> Result<i64, LabError>;
    }

    let set = kit::serve().await;
    let by_position = ["postcard", "protobuf"];
    for codec in CodecKind::ALL.iter().filter(|codec| !by_position.contains(&codec.name())) {
        let client = ReorderedClient::with_codec(set.channel.clone(), *codec);
        assert_eq!(client.divide(2, "a divided by b".into(), 8).await.unwrap(), 4, "{}", codec.name());
    }
}

#[test]
fn a_message_is_readable_json() {
    let request = LabRequest::Measure { key: "k".into(), value: b"v"[..].into() };
    let text = serde_json::to_string(&request).unwrap();
    assert_eq!(text, r#"{"measure":{"key":"k","value":[118]}}"#);
    let read: LabRequest<'_> = serde_json::from_str(&text).unwrap();
    assert!(matches!(read, LabRequest::Measure { key, value } if key == "k" && *value == *b"v"));
}

#[tokio::test]
async fn a_codec_that_the_peer_does_not_know_is_refused_before_anything_is_sent() {
    let probe = kit::Probe::new();
    let limits = Limits::default().codecs(&[CodecKind::Postcard]);
    let server: Server = kit::builder(&probe).limits(limits).bind("mem://").await.unwrap();
    let channel = Channel::connect(server.uri()).await.unwrap();
    let error = LabClient::with_codec(channel.clone(), CodecKind::Json).echo("x".into()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("does not know json; it knows postcard"), "{error}");
    assert_eq!(LabClient::new(channel).echo("x".into()).await.unwrap(), "x");
}
