//! Losing a connection, and calling again.

use std::io::BufRead;
use std::process::{Child, Command, Stdio};
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

const SERVE: &str = "FARCALL_TEST_SERVE";

/// The server process of the test below; does nothing when it runs as a test.
#[tokio::test]
async fn serves_in_a_process_of_its_own() {
    if std::env::var_os(SERVE).is_some() {
        let uri = std::env::var(SERVE).unwrap();
        let server = restart(&uri, &Probe::new()).await;
        println!("\nlistening on {}", server.uri());
        server.wait().await;
    }
}

/// Starts the server process; it ends with the guard.
fn server_process(uri: &str) -> (Killed, String) {
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "reconnect::serves_in_a_process_of_its_own", "--nocapture"])
        .env(SERVE, uri)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = std::io::BufReader::new(process.stdout.take().unwrap()).lines();
    let mut uris =
        lines.map_while(Result::ok).filter_map(|line| Some(line.strip_prefix("listening on ")?.to_owned()));
    let uri = uris.next().expect("the process says where it listens");
    (Killed(process), uri)
}

struct Killed(Child);

impl Killed {
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_30_killing_the_servers_process_fails_its_calls_and_the_client_works_with_the_next() {
    let (mut process, uri) = server_process("tcp://127.0.0.1:0");
    let client = LabClient::connect(&uri).await.unwrap();
    client.echo("before".into()).await.unwrap();
    let hanging = tokio::spawn(client.hang());
    let mut items = client.trickle().await.unwrap();
    assert_eq!(soon(items.next()).await.unwrap().unwrap(), 1);
    let killed_at = std::time::Instant::now();
    process.kill();
    let error = soon(hanging).await.unwrap().unwrap_err();
    println!("failed {:?} after the kill: {error}", killed_at.elapsed());
    assert_eq!((error.kind(), error.fate()), (ErrorKind::ConnectionLost, Fate::MaybeExecuted));
    assert_eq!((error.method(), error.peer()), (Some("Lab/hang"), Some(uri.as_str())));
    assert!(error.to_string().contains("may have run"), "{error}");
    assert_eq!(soon(items.next()).await.unwrap().unwrap_err().kind(), ErrorKind::ConnectionLost);
    let (_process, _) = server_process(&uri);
    assert_eq!(soon(client.echo("after".into())).await.unwrap(), "after");
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_for_the_next_try_fail_with_it() {
    let channel = Channel::builder("mem://nobody-yet").lazy().unwrap();
    let client = LabClient::new(channel);
    client.echo("first".into()).await.unwrap_err();
    let started_at = tokio::time::Instant::now();
    for answer in futures::future::join_all((0..100).map(|n| client.echo(n.to_string()))).await {
        let error = answer.unwrap_err();
        assert_eq!((error.kind(), error.fate()), (ErrorKind::Connect, Fate::NeverSent));
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("nobody in this process"));
    }
    assert!(started_at.elapsed() < Duration::from_secs(1), "{:?}", started_at.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_cannot_wait_fails_at_once_while_others_wait() {
    let hour = Duration::from_secs(3600);
    let backoff = Backoff::default().first(hour).cap(hour).jitter(0.0);
    let client = LabClient::new(Channel::builder("mem://nobody-yet").backoff(backoff).lazy().unwrap());
    client.echo("first".into()).await.unwrap_err();
    let waiting = tokio::spawn(client.echo("waiting".into()));
    tokio::task::yield_now().await;
    let started_at = tokio::time::Instant::now();
    let error = client.echo("x".into()).timeout(Duration::from_secs(60)).await.unwrap_err();
    assert_eq!((error.kind(), started_at.elapsed()), (ErrorKind::Connect, Duration::ZERO));
    assert_eq!(waiting.await.unwrap().unwrap_err().kind(), ErrorKind::Connect);
}

#[tokio::test]
async fn a_try_outlives_the_call_that_began_it() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("tcp://{}", listener.local_addr().unwrap());
    let client = LabClient::new(Channel::builder(uri).lazy().unwrap());
    let call = client.echo("in a hurry".into()).timeout(Duration::from_millis(50));
    let (error, link) = tokio::join!(call, listener.accept());
    assert_eq!(error.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
    let mut link = link.unwrap().0;
    link.write_all(b"farcall/\x01\x00\x00\x00").await.unwrap();
    let call = tokio::spawn(client.echo("patient".into()));
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains("patient") {
        assert!(soon(link.read_buf(&mut read)).await.unwrap() > 0, "the call comes on the first link");
    }
    drop(link);
    assert_eq!(soon(call).await.unwrap().unwrap_err().kind(), ErrorKind::ConnectionLost);
}

#[tokio::test]
async fn a_backoff_without_bound_is_not_a_panic() {
    let backoff = Backoff::default().first(Duration::MAX).cap(Duration::MAX);
    let client = LabClient::new(Channel::builder("mem://nobody-yet").backoff(backoff).lazy().unwrap());
    assert_eq!(client.echo("x".into()).await.unwrap_err().kind(), ErrorKind::Connect);
}

#[test]
fn a_channel_outlives_the_runtime_that_made_its_connection() {
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (first, second, third) = (runtime(), runtime(), runtime());
    let server = first.block_on(restart("mem://", &Probe::new()));
    let client = second.block_on(LabClient::connect(server.uri())).unwrap();
    assert_eq!(second.block_on(client.echo("before".into())).unwrap(), "before");
    drop(second);
    assert_eq!(third.block_on(async { soon(client.echo("after".into())).await }).unwrap(), "after");
}

/// What a call tries to connect by goes away with the runtime, and so must the call.
#[test]
fn a_runtime_that_ends_with_calls_under_way_ends() {
    for _ in 0..40 {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (ended, end) = std::sync::mpsc::channel();
        runtime.block_on(async {
            let set = kit::serve_on("tcp://127.0.0.1:0").await;
            for _ in 0..4 {
                let client = set.client.clone();
                tokio::spawn(async move { while client.blob(vec![1; 200_000].into()).await.is_ok() {} });
            }
            set.client.echo("the others are under way".into()).await.unwrap();
            // The server stays until the runtime ends.
            std::mem::forget(set.server);
        });
        std::thread::spawn(move || {
            drop(runtime);
            let _ = ended.send(());
        });
        end.recv_timeout(kit::BOUND).expect("the runtime ends");
    }
}
