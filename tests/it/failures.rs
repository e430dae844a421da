//! What fails, and what its error says.

use bytes::Bytes;
use farcall::{CallError, Code, Context, ErrorKind, Fate, Server, service};
use futures::FutureExt;

use crate::kit::{self, LabClient, soon};

#[tokio::test]
async fn fault_48_a_panic_fails_its_own_call_only() {
    let set = kit::serve().await;
    let mut other = Box::pin(set.client.hang());
    assert!(other.as_mut().now_or_never().is_none());
    let error = soon(set.client.boom()).await.unwrap_err();
    assert_eq!(error.status().unwrap().code(), Code::Internal);
    assert!(!error.to_string().contains("on purpose"), "a panic's text is not for the peer: {error}");
    assert_eq!(set.client.echo("live".into()).await.unwrap(), "live");
    assert!(other.as_mut().now_or_never().is_none());
}

#[service]
trait Fragile {
    async fn work(&self, how: How) -> u32;
    async fn hang(&self);
}

#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
enum How {
    Well,
    Panicking,
    /// What is sent beside the result panics when it is dropped.
    WithBomb,
}

struct Bomb;

impl AsRef<[u8]> for Bomb {
    fn as_ref(&self) -> &[u8] {
        b"tick"
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("on purpose");
    }
}

struct Glass;

impl Fragile for Glass {
    async fn work(&self, how: How) -> u32 {
        match how {
            How::Well => {}
            How::Panicking => panic!("on purpose"),
            How::WithBomb => Context::current().set_response_metadata("bomb", Bytes::from_owner(Bomb)),
        }
        1
    }

    async fn hang(&self) {
        std::future::pending().await
    }
}

// Time stands still, so the handlers prove quick, and run in place.
#[tokio::test(start_paused = true)]
async fn fault_48_panics_of_handlers_that_run_in_place_fail_their_own_calls_only() {
    let server = Server::builder().service(FragileServer::new(Glass)).bind("mem://").await.unwrap();
    let client = FragileClient::connect(server.uri()).await.unwrap();
    let mut other = Box::pin(client.hang());
    assert!(other.as_mut().now_or_never().is_none());
    for _ in 0..10 {
        for _ in 0..100 {
            assert_eq!(soon(client.work(How::Well)).await.unwrap(), 1);
        }
        let error = soon(client.work(How::Panicking)).await.unwrap_err();
        assert_eq!(error.code(), Code::Internal);
        assert_eq!(soon(client.work(How::WithBomb)).await.unwrap(), 1, "the result was whole");
        assert!(other.as_mut().now_or_never().is_none(), "another call of the connection has ended");
    }
    drop(other);
    server.shutdown().await;
}

#[tokio::test]
async fn an_unknown_method_is_a_typed_answer() {
    #[service(name = "Lab")]
    trait Newer {
        async fn echo(&self, text: String) -> String;
        async fn added_later(&self) -> u32;
    }

    let set = kit::serve().await;
    let newer = NewerClient::new(set.channel.clone());
    let error = soon(newer.added_later()).await.unwrap_err();
    assert_eq!(error.code(), Code::Unimplemented);
    assert!(error.to_string().contains("Lab/added_later"), "{error}");
    assert_eq!(newer.echo("known".into()).await.unwrap(), "known");
}

#[tokio::test]
async fn fault_62_methods_that_are_swapped_are_still_themselves() {
    #[service(name = "Lab")]
    trait Swapped {
        async fn blob(&self, bytes: Bytes) -> Bytes;
        async fn divide(&self, a: i64, b: i64) -> Result<i64, kit::LabError>;
        async fn echo(&self, text: String) -> String;
    }

    let set = kit::serve().await;
    let swapped = SwappedClient::new(set.channel.clone());
    assert_eq!(swapped.echo("same".into()).await.unwrap(), "same");
    assert_eq!(swapped.divide(6, 3).await.unwrap(), 2);
}

#[tokio::test]
async fn arguments_that_do_not_fit_fail_their_call_only() {
    #[service(name = "Lab")]
    trait Other {
        async fn divide(&self, a: String, b: String, c: Vec<String>) -> i64;
    }

    let set = kit::serve().await;
    let other = OtherClient::new(set.channel.clone());
    let error = soon(other.divide("a".into(), "b".into(), vec!["c".into(); 9])).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument, "{error}");
    assert!(error.to_string().contains("Lab/divide"), "{error}");
    assert_eq!(set.client.echo("live".into()).await.unwrap(), "live");
}

#[tokio::test]
async fn a_result_that_does_not_fit_says_so() {
    #[service(name = "Lab")]
    trait Other {
        async fn echo(&self, text: String) -> (u64, u64, u64);
    }

    let set = kit::serve().await;
    let error = soon(OtherClient::new(set.channel.clone()).echo("x".into())).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (ErrorKind::Decode, Fate::Failed), "{error}");
    assert_eq!(error.method(), Some("Lab/echo"));
}

#[tokio::test]
async fn a_method_of_another_shape_is_refused() {
    #[service(name = "Lab")]
    trait Other {
        async fn count(&self, to: u64) -> u64;
        fn divide(&self, a: i64, b: i64) -> impl futures::Stream<Item = i64> + Send;
    }

    let set = kit::serve().await;
    let other = OtherClient::new(set.channel.clone());
    assert!(soon(other.count(3)).await.is_err());
    let error = soon(other.divide(6, 2)).await.unwrap_err();
    assert!(error.to_string().contains("compare the two sides' versions"), "{error}");
    assert_eq!(set.client.echo("live".into()).await.unwrap(), "live");
}

#[tokio::test]
async fn nobody_listening_is_a_connect_error_that_names_the_address() {
    let error = LabClient::connect("tcp://127.0.0.1:1").await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (ErrorKind::Connect, Fate::NeverSent));
    assert!(error.is_retryable());
    assert!(error.to_string().contains("tcp://127.0.0.1:1"), "{error}");
    let error = LabClient::connect("mem://nobody").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    let error = LabClient::connect("127.0.0.1:1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[tokio::test]
async fn two_services_with_one_name_do_not_start() {
    let probe = kit::Probe::new();
    let again = kit::LabServer::new(kit::Bench(probe.clone()));
    let error = kit::builder(&probe).service(again).bind("mem://").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("same id"), "{error}");
}

#[tokio::test]
async fn a_call_error_tells_the_method_from_the_call() {
    let set = kit::serve().await;
    let error = set.client.divide(1, 0).await.unwrap_err();
    assert!(error.method().is_some() && error.rpc().is_none() && !error.is_retryable());
    let lost: CallError<kit::LabError> = farcall::Error::new(ErrorKind::Connect, "gone").into();
    assert!(lost.method().is_none() && lost.is_retryable());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_48_a_handler_that_blocks_its_thread_holds_up_no_other_call_of_its_connection() {
    use std::sync::{Mutex, mpsc};

    #[service]
    trait Blocking {
        async fn block(&self) -> u32;
        async fn quick(&self) -> u32;
    }

    struct Blocks(Mutex<mpsc::Receiver<u32>>);

    impl Blocking for Blocks {
        async fn block(&self) -> u32 {
            self.0.lock().unwrap().recv().unwrap()
        }

        async fn quick(&self) -> u32 {
            1
        }
    }

    let (release, blocked) = mpsc::channel();
    let service = BlockingServer::new(Blocks(Mutex::new(blocked)));
    let server = Server::builder().service(service).bind("mem://").await.unwrap();
    let client = BlockingClient::connect(server.uri()).await.unwrap();
    for round in 0..20 {
        // Quick calls prove quick and run where they are read; a method that blocks never comes to that.
        let blocked = tokio::spawn(client.block());
        for _ in 0..50 {
            assert_eq!(soon(client.quick()).await.unwrap(), 1);
        }
        assert!(!blocked.is_finished());
        release.send(round).unwrap();
        assert_eq!(soon(blocked).await.unwrap().unwrap(), round);
    }
}
