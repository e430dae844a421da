//! Time: wall clocks that jump, deadlines of any length, and the grace period of a server that ends.

use std::time::{Duration, SystemTime};

use farcall::{Code, ErrorKind, Server, service};
use futures::{FutureExt, Stream, StreamExt, stream};
use tokio::time::Instant;

use crate::kit::{self, soon};
use crate::process::itself;
use crate::shim::Shim;
use crate::wire::{self, RawPeer, call, code, frame, id};

const JUMPS: &str = "FARCALL_FAULTS_JUMPS";

/// Runs where the wall clock jumps; does nothing when it runs as a test.
#[tokio::test]
async fn calls_while_the_wall_clock_jumps() {
    if std::env::var_os(JUMPS).is_none() {
        return;
    }
    let [first, second, third] = [(); 3].map(|()| SystemTime::now());
    let hour = Duration::from_secs(3500);
    assert!(
        second > first + hour && third + hour < second,
        "the clock jumps by an hour each time it is read"
    );
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let mut patient = Box::pin(set.client.hang().timeout(Duration::from_secs(1800)));
    assert!(patient.as_mut().now_or_never().is_none());
    let mut stream = set.client.trickle().timeout(Duration::from_secs(1800)).await.unwrap();
    for n in 0..200 {
        let echo = set.client.echo(n.to_string()).timeout(Duration::from_secs(60));
        assert_eq!(soon(echo).await.unwrap(), n.to_string());
        assert!(patient.as_mut().now_or_never().is_none());
    }
    let error = soon(set.client.hang().timeout(Duration::from_millis(50))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    // Pings come as often as agreed, and the connection is what it was.
    assert_eq!(soon(stream.next()).await.unwrap().unwrap(), 1);
    assert!(patient.as_mut().now_or_never().is_none());
    let mut peer = RawPeer::open(set.server.uri()).await;
    peer.send(&frame(wire::PING, 0, 0, b"12345678").repeat(11)).await;
    assert_eq!(peer.farewell().await.0, code::TOO_MANY_PINGS, "an hour more would have allowed for 720 more");
}

#[test]
fn fault_28_a_wall_clock_that_jumps_by_an_hour_moves_no_deadline_and_no_limit() {
    let shim = match Shim::build() {
        Ok(shim) => shim,
        Err(reason) => return println!("skipped: {reason}"),
    };
    let mut command = itself(&[], "clocks::calls_while_the_wall_clock_jumps");
    shim.preload(&mut command).env(JUMPS, "1").env("FARCALL_SHIM_JUMPS", "1");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
async fn fault_61_deadlines_of_any_length_arrive_and_one_that_is_over_runs_nothing() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    let mut peer = RawPeer::open(set.server.uri()).await;
    let years = 3 * 365 * 24 * 3600 * 1_000_000;
    for (sequence, micros) in (1..).zip([u64::MAX, i64::MAX as u64, years, 60_000_000]) {
        let content = call("Lab/echo", &[&micros.to_le_bytes()[..], b"\x02ok"].concat());
        peer.send(&frame(wire::OPEN, wire::END | wire::DEADLINE, id(sequence, 0), &content)).await;
        assert_eq!(peer.next(wire::REPLY).await.content, b"\x02ok", "with {micros} microseconds");
    }
    assert_eq!(set.probe.counts().started, 4);
    for (sequence, method) in (10..).zip(["Lab/echo", "Lab/hang", "Lab/flood"]) {
        let content = call(method, &0_u64.to_le_bytes());
        peer.send(&frame(wire::OPEN, wire::END | wire::DEADLINE, id(sequence, 0), &content)).await;
        let (code, message) = peer.next(wire::STATUS).await.status();
        assert_eq!(code, code::DEADLINE_EXCEEDED, "{message}");
    }
    assert_eq!(set.probe.counts().started, 4, "none of them ran");
}

#[tokio::test]
async fn fault_61_a_callers_deadline_that_is_over_sends_nothing_that_runs() {
    let set = kit::serve_on("tcp://127.0.0.1:0").await;
    for _ in 0..20 {
        let error = soon(set.client.hang().timeout(Duration::ZERO)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    }
    assert_eq!(soon(set.client.echo("live".into())).await.unwrap(), "live");
    assert_eq!(set.probe.counts().started, 1, "only the echo ran");
}

#[service]
trait Ticker {
    /// A number each second.
    fn tick(&self) -> impl Stream<Item = u64> + Send;
}

struct Ticks;

impl Ticker for Ticks {
    fn tick(&self) -> impl Stream<Item = u64> + Send {
        stream::iter(0..300).then(|n| async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            n
        })
    }
}

#[tokio::test(start_paused = true)]
async fn fault_33_a_stream_of_five_minutes_goes_on_for_the_grace_period_and_ends_with_a_code() {
    let server = Server::builder().service(TickerServer::new(Ticks)).bind("mem://").await.unwrap();
    let client = TickerClient::connect(server.uri()).await.unwrap();
    let mut ticks = client.tick().await.unwrap();
    assert_eq!(ticks.next().await.unwrap().unwrap(), 0);
    let began_at = Instant::now();
    let shutdown = tokio::spawn(server.shutdown());
    let mut last = 0;
    let error = loop {
        match ticks.next().await.expect("it does not end as if it were whole") {
            Ok(tick) => last = tick,
            Err(error) => break error,
        }
    };
    let ended_after = began_at.elapsed();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.to_string().contains("the server is shutting down"), "{error}");
    assert!((9..=10).contains(&last), "{last} ticks came in the grace period");
    assert!((Duration::from_secs(10)..Duration::from_secs(11)).contains(&ended_after), "{ended_after:?}");
    assert!(ticks.next().await.is_none());
    tokio::time::timeout(Duration::from_secs(5), shutdown).await.expect("the server is gone").unwrap();
    let error = client.tick().await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Connect, true));
}
