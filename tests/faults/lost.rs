//! Links that go down without a word, and servers that are gone in the middle of an answer.

use std::time::Duration;

use farcall::{Channel, Code, ErrorKind, Fate, Limits};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::kit::{self, LabClient, Set, soon};
use crate::process::{ServerProcess, Times, comes_true, tasks};
use crate::valve::Valve;
use crate::wire::{self, RawPeer, frame};

const INTERVAL: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(3);
/// When a link that went down is known to be dead, at the latest.
const DEAD: Duration = Duration::from_secs(5 + 3);

/// A server, and a client of it behind a valve; time is paused.
async fn behind_a_valve() -> (Set, Valve, LabClient) {
    behind_a_valve_with(|| Limits::default().ping_interval(INTERVAL).ping_timeout(TIMEOUT)).await
}

async fn behind_a_valve_with(limits: impl Fn() -> Limits) -> (Set, Valve, LabClient) {
    let set = kit::serve_with("tcp://127.0.0.1:0", |server| server.limits(limits()), limits()).await;
    let valve = Valve::before(set.server.uri()).await;
    let channel = Channel::builder(&valve.uri).limits(limits()).connect().await.unwrap();
    (set, valve, LabClient::new(channel))
}

#[tokio::test(start_paused = true)]
async fn fault_03_a_call_on_a_dead_link_fails_at_its_deadline_and_the_link_is_found_dead() {
    let (set, valve, client) = behind_a_valve().await;
    let patient = tokio::spawn(client.hang());
    let hasty = tokio::spawn(client.hang().timeout(Duration::from_secs(2)));
    set.probe.wait(|counts| counts.started == 2).await;
    let went_down_at = Instant::now();
    valve.shut();
    let error = soon(hasty).await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.fate()), (ErrorKind::DeadlineExceeded, Fate::MaybeExecuted));
    assert!(went_down_at.elapsed() <= Duration::from_secs(2), "{:?}", went_down_at.elapsed());
    let error = soon(patient).await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::ConnectionLost, Code::Unavailable));
    assert_eq!((error.fate(), error.is_retryable()), (Fate::MaybeExecuted, false));
    assert!(error.to_string().contains("nothing was heard from the peer for 8"), "{error}");
    assert!(went_down_at.elapsed() <= DEAD, "{:?}", went_down_at.elapsed());
    // The server finds out by itself.
    set.probe.wait(|counts| counts.dropped == 2).await;
    assert_eq!(valve.links(), 1);
    assert_eq!(soon(client.echo("elsewhere".into())).await.unwrap(), "elsewhere");
    assert_eq!(valve.links(), 2);
}

#[tokio::test(start_paused = true)]
async fn fault_04_an_idle_link_that_went_down_is_replaced_before_the_next_call() {
    let (set, valve, client) = behind_a_valve().await;
    soon(client.echo("before".into())).await.unwrap();
    valve.shut();
    // Nobody calls meanwhile.
    tokio::time::sleep(DEAD + Duration::from_millis(1)).await;
    assert_eq!(soon(client.echo("after".into())).await.unwrap(), "after");
    assert_eq!((valve.links(), set.probe.counts().started), (2, 2));
}

/// A sign of life is asked for and not given: the call waits for it, was never sent, and is made on the next link.
#[tokio::test(start_paused = true)]
async fn fault_04_a_call_on_a_link_that_is_in_doubt_waits_and_is_made_elsewhere() {
    let (set, valve, client) = behind_a_valve().await;
    soon(client.echo("before".into())).await.unwrap();
    let went_down_at = Instant::now();
    valve.shut();
    tokio::time::sleep(INTERVAL + Duration::from_millis(1)).await;
    assert_eq!(soon(client.echo("after".into())).await.unwrap(), "after");
    assert!(went_down_at.elapsed() <= DEAD + Duration::from_secs(1), "{:?}", went_down_at.elapsed());
    assert_eq!((valve.links(), set.probe.counts().started), (2, 2), "it was made once");
}

/// Nobody has asked for a sign of life when the call comes: it asks first, and is made once, on the next link. Proves rule K8.
#[tokio::test(start_paused = true)]
async fn fault_04_calls_after_a_long_silence_ask_first_and_are_made_elsewhere() {
    let (set, valve, client) = behind_a_valve_with(|| Limits::default().ping_timeout(TIMEOUT)).await;
    soon(client.echo("before".into())).await.unwrap();
    valve.shut();
    // Longer than calls are sent without asking, shorter than pings are apart.
    tokio::time::sleep(Duration::from_millis(10_001)).await;
    let (called_at, links) = (Instant::now(), valve.links());
    let sum = client.sum(1, futures::stream::iter([2, 3]));
    let (echo, sum, note) =
        tokio::join!(soon(client.echo("after".into())), soon(sum), soon(client.note("told".into())));
    note.unwrap();
    assert_eq!((echo.unwrap().as_str(), sum.unwrap()), ("after", 6));
    let waited = called_at.elapsed();
    assert!(TIMEOUT <= waited && waited < TIMEOUT + Duration::from_secs(1), "{waited:?}");
    let counts = set.probe.wait(|counts| !counts.notes.is_empty()).await;
    assert_eq!((valve.links(), counts.started), (links + 1, 2), "each was made once");
    assert_eq!(counts.notes, ["told"]);
}

#[tokio::test(start_paused = true)]
async fn fault_04_calls_with_items_and_oneway_ones_go_on_once_a_sign_of_life_has_come() {
    let (set, valve, client) = behind_a_valve_with(Limits::default).await;
    soon(client.echo("before".into())).await.unwrap();
    tokio::time::sleep(Duration::from_millis(10_001)).await;
    let sums = (0..4).map(|start| client.sum(start, futures::stream::iter([2, 3])));
    let (sums, note) = tokio::join!(soon(futures::future::join_all(sums)), soon(client.note("told".into())));
    note.unwrap();
    assert_eq!(sums.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [5, 6, 7, 8]);
    set.probe.wait(|counts| counts.notes == ["told"]).await;
    assert_eq!(valve.links(), 1);
}

/// The ping costs a round trip where the peer lives, and none where it was heard a short while ago.
#[tokio::test(start_paused = true)]
async fn fault_04_a_call_after_a_long_silence_goes_out_once_the_peer_has_answered() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("tcp://{}", listener.local_addr().unwrap());
    let limits = Limits::default().ping_after(INTERVAL);
    let channel = Channel::builder(uri).limits(limits).lazy().unwrap();
    let client = LabClient::new(channel);
    let mut call = tokio::spawn(client.echo("x".into()));
    let mut peer = RawPeer::accept(&listener).await;
    for (silence, asks) in [(4_900, false), (5_100, true), (4_900, false), (5_100, true)] {
        let id = peer.next(wire::OPEN).await.id;
        peer.send(&frame(wire::REPLY, wire::END, id, b"\x01x")).await;
        soon(call).await.unwrap().unwrap();
        tokio::time::sleep(Duration::from_millis(silence)).await;
        call = tokio::spawn(client.echo("x".into()));
        if asks {
            assert_eq!(peer.frame().await.unwrap().kind, wire::PING, "after {silence} ms");
            peer.send(&frame(wire::PONG, 0, 0, &[0; 8])).await;
        }
    }
    assert_eq!(peer.frame().await.unwrap().kind, wire::OPEN, "it went out with the answer");
}

/// Nothing says yet that the link is dead, so the call goes out on it; it may have run, so it is not repeated.
#[tokio::test(start_paused = true)]
async fn fault_04_a_call_on_a_link_that_has_just_gone_down_ends_in_time_and_the_next_works() {
    let (set, valve, client) = behind_a_valve().await;
    soon(client.echo("before".into())).await.unwrap();
    let went_down_at = Instant::now();
    valve.shut();
    let error = soon(client.echo("lost".into())).await.unwrap_err();
    assert_eq!((error.kind(), error.fate()), (ErrorKind::ConnectionLost, Fate::MaybeExecuted));
    assert!(went_down_at.elapsed() <= DEAD, "{:?}", went_down_at.elapsed());
    assert_eq!(set.probe.counts().started, 1, "it was not made again");
    assert_eq!(soon(client.echo("after".into())).await.unwrap(), "after");
    assert_eq!((valve.links(), set.probe.counts().started), (2, 2));
}

#[tokio::test]
async fn fault_06_a_reset_within_an_answer_is_an_error_and_the_call_is_made_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("tcp://{}", listener.local_addr().unwrap());
    let (client, mut peer) = tokio::join!(LabClient::connect(&uri), RawPeer::accept(&listener));
    let client = client.unwrap();
    let whole = |id| frame(wire::REPLY, wire::END, id, b"\x05hello");
    let first_part =
        |id| frame(wire::REPLY, wire::MORE, id, &[&1000_u32.to_le_bytes()[..], b"\xfa"].concat());
    for (answer, cut, fate) in [
        (&whole as &dyn Fn(u64) -> Vec<u8>, 0, Fate::MaybeExecuted),
        (&whole, 1, Fate::MaybeExecuted),
        (&whole, 21, Fate::MaybeExecuted),
        (&first_part, 21, Fate::Failed),
    ] {
        let call = tokio::spawn(client.echo("x".into()));
        let id = peer.next(wire::OPEN).await.id;
        peer.send(&answer(id)[..cut]).await;
        peer.reset();
        let error = soon(call).await.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::ConnectionLost, Code::Unavailable));
        assert!(error.may_have_run() && !error.is_retryable(), "{error:?}");
        // A reset may overtake what was sent before it.
        assert!(error.fate() == fate || error.fate() == Fate::MaybeExecuted, "{error:?} after {cut} bytes");
        // The call was not made again: the first on the new connection is the next one.
        let next = tokio::spawn(client.echo("next".into()));
        peer = RawPeer::accept(&listener).await;
        let open = peer.next(wire::OPEN).await;
        assert!(open.content.ends_with(b"\x04next"));
        peer.send(&frame(wire::REPLY, wire::END, open.id, b"\x04next")).await;
        assert_eq!(soon(next).await.unwrap().unwrap(), "next");
    }
}

#[tokio::test]
async fn fault_06_an_end_after_the_first_part_of_an_answer_says_that_the_handler_ran() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("tcp://{}", listener.local_addr().unwrap());
    let (client, mut peer) = tokio::join!(LabClient::connect(&uri), RawPeer::accept(&listener));
    let call = tokio::spawn(client.unwrap().blob(bytes::Bytes::new()));
    let id = peer.next(wire::OPEN).await.id;
    peer.send(&frame(wire::REPLY, wire::MORE, id, &[&1000_u32.to_le_bytes()[..], b"part"].concat())).await;
    tokio::io::AsyncWriteExt::shutdown(&mut peer.stream).await.unwrap();
    let error = soon(call).await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.fate()), (ErrorKind::ConnectionLost, Fate::Failed));
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_30_a_killed_server_fails_what_is_in_flight_and_nothing_runs_again() {
    let mut server = ServerProcess::start(Times::default());
    let (lab, ward) = server.clients().await;
    let at_rest = tasks();
    let hanging: Vec<_> = (0..50).map(|_| tokio::spawn(lab.hang())).collect();
    comes_true(async || ward.gauge().await.unwrap().started == 50).await;
    server.kill();
    for call in hanging {
        let error = soon(call).await.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::ConnectionLost, Code::Unavailable));
        assert_eq!((error.fate(), error.is_retryable()), (Fate::MaybeExecuted, false));
    }
    let uri = server.uri.clone();
    let _next = ServerProcess::start_with(&uri, Times::default(), &[], |_| {});
    assert_eq!(soon(lab.echo("after".into())).await.unwrap(), "after");
    let gauge = soon(ward.gauge()).await.unwrap();
    assert_eq!((gauge.started, gauge.dropped), (1, 1), "none of the fifty came to the next server");
    comes_true(async || tasks() <= at_rest).await;
}
