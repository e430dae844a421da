//! Limits: what is over one fails a call, with an error that says which.

use bytes::Bytes;
use farcall::{Body, Code, CodecKind, ErrorKind, Fate, Limits, MethodId, Request, Service};
use futures::FutureExt;

use crate::kit::{self, LabClient, soon};

#[tokio::test]
async fn fault_09_a_message_over_the_peers_limit_is_not_sent() {
    let limits = Limits::default().message_bytes(1000);
    let set = kit::serve_with("mem://", |server| server.limits(limits), Limits::default()).await;
    let error = set.client.blob(vec![0; 1001].into()).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (ErrorKind::LimitExceeded, Fate::NeverSent));
    assert!(error.to_string().contains("limit of 1000"), "{error}");
    assert_eq!(set.client.blob(vec![0; 990].into()).await.unwrap().len(), 990);
}

#[tokio::test]
#[should_panic(expected = "a call is polled no more once it is over")]
async fn a_call_that_failed_is_not_made_again_where_it_is_polled_on() {
    let limits = Limits::default().message_bytes(1000);
    let set = kit::serve_with("mem://", |server| server.limits(limits), Limits::default()).await;
    let body = Body::new(vec![0; 1001].into());
    let mut call = Box::pin(set.channel.call(Request::by_id(MethodId::new(1), CodecKind::default(), body)));
    assert!(call.as_mut().now_or_never().expect("it cannot be sent").is_err());
    let _ = call.as_mut().now_or_never();
}

#[tokio::test]
async fn a_result_over_the_callers_limit_is_a_status() {
    let set = kit::serve_with("mem://", |server| server, Limits::default().message_bytes(1000)).await;
    let error = set.client.blob(vec![0; 1001].into()).await.unwrap_err();
    assert_eq!(error.status().unwrap().code(), Code::ResourceExhausted, "{error}");
    assert_eq!(set.client.echo("live".into()).await.unwrap(), "live");
}

#[tokio::test]
async fn metadata_over_the_limit_is_not_sent() {
    let set = kit::serve().await;
    let error = set.client.seen().metadata("tenant", "x".repeat(20_000)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert_eq!(
        set.client.seen().metadata("tenant", "x".repeat(16_000)).await.unwrap().tenant.unwrap().len(),
        16_000
    );
}

/// Proves rule L4.
#[tokio::test]
async fn a_connection_over_the_limit_is_told_so() {
    let set =
        kit::serve_with("tcp://127.0.0.1:0", |server| server.max_connections(1), Limits::default()).await;
    let error = match soon(LabClient::connect(set.server.uri())).await {
        Err(error) => error,
        Ok(client) => soon(client.echo("x".into())).await.unwrap_err(),
    };
    assert!(error.to_string().contains("as many connections as it takes"), "{error}");
    assert_eq!(set.client.echo("live".into()).await.unwrap(), "live");
}

#[tokio::test]
async fn a_large_message_passes_where_both_sides_allow_it() {
    let limits = || Limits::default().message_bytes(64 << 20);
    let set = kit::serve_with("tcp://127.0.0.1:0", |server| server.limits(limits()), limits()).await;
    let body = Bytes::from(vec![5; 40 << 20]);
    let (answer, small) = tokio::join!(set.client.blob(body.clone()), set.client.echo("between".into()));
    assert!(answer.unwrap() == body);
    assert_eq!(small.unwrap(), "between");
}

#[tokio::test]
async fn fault_63_and_64_values_that_would_harm_the_server_are_refused() {
    #[derive(serde::Serialize, serde::Deserialize)]
    enum Deep {
        End,
        More(Box<Deep>),
    }

    #[farcall::service]
    trait Holder {
        async fn deep(&self, value: Deep) -> u32;
        async fn empties(&self, all: Vec<()>) -> u64;
    }

    struct Held;

    impl Holder for Held {
        async fn deep(&self, _: Deep) -> u32 {
            1
        }

        async fn empties(&self, all: Vec<()>) -> u64 {
            all.len() as u64
        }
    }

    let server = farcall::Server::builder().service(HolderServer::new(Held)).bind("mem://").await.unwrap();
    let client = HolderClient::connect(server.uri()).await.unwrap();
    let nested = |levels: usize| (0..levels).fold(Deep::End, |inner, _| Deep::More(Box::new(inner)));
    assert_eq!(client.deep(nested(50)).await.unwrap(), 1);
    let error = client.deep(nested(2000)).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument, "{error}");
    assert_eq!(client.empties(vec![(); 1000]).await.unwrap(), 1000);
    let error = client.empties(vec![(); 1 << 20]).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument, "{error}");
}
