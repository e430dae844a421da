//! Many hostile connections at once, and one client that behaves: what it notices, and what they cost.
//!
//! `FARCALL_SIEGE=1000 cargo test --release --test faults siege -- --nocapture` runs the whole of it and prints its figures.

use std::io::BufRead;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::kit::{LabClient, soon};
use crate::process::{ServerProcess, Times, comes_true, itself};
use crate::wire::{self, RawPeer, call, frame, id};

const TARGET: &str = "FARCALL_SIEGE_TARGET";
const CONNECTIONS: &str = "FARCALL_SIEGE";
const CONNECTIONS_USUAL: usize = 400;
/// What the server may hold in memory.
const MEMORY_MIB_MAX: u64 = 256;
const QUIET: Duration = Duration::from_secs(3);
const SIEGE: Duration = Duration::from_secs(10);

fn connections() -> usize {
    std::env::var(CONNECTIONS).map_or(CONNECTIONS_USUAL, |number| number.parse().unwrap())
}

/// Case 1: a byte each second.
async fn trickle(peer: &mut RawPeer) {
    for byte in wire::HELLO.chunks(1).chain(std::iter::repeat(&b"\0"[..])) {
        if peer.stream.write_all(byte).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Case 2: nothing.
async fn say_nothing(peer: &mut RawPeer) {
    let _ = peer.stream.read_to_end(&mut Vec::new()).await;
}

/// Case 20: calls that are cancelled as soon as they are opened, until the server closes; 100,000 a second with all others.
async fn open_and_cancel(peer: &mut RawPeer) {
    let mut bytes = wire::HELLO.to_vec();
    for sequence in 1..3000 {
        bytes.extend(frame(wire::OPEN, wire::END, id(sequence, 0), &call("Lab/hang", b"")));
        bytes.extend(frame(wire::RESET, 0, id(sequence, 0), &[1, 0]));
    }
    let _ = peer.stream.write_all(&bytes).await;
    let _ = peer.stream.read_to_end(&mut Vec::new()).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
}

/// Case 23: pings, until the server closes.
async fn ping(peer: &mut RawPeer) {
    let pings = frame(wire::PING, 0, 0, b"12345678").repeat(100);
    let _ = peer.stream.write_all(wire::HELLO).await;
    while peer.stream.write_all(&pings).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Case 25: questions without end, of whose answers none is read.
async fn ask_and_read_nothing(peer: &mut RawPeer) {
    let _ = peer.stream.write_all(wire::HELLO).await;
    for sequence in 1.. {
        let question = wire::open(sequence, "Lab/echo", &wire::text(15_000));
        if peer.stream.write_all(&question).await.is_err() {
            return;
        }
    }
}

/// One hostile peer: whenever it is thrown out, it comes again.
async fn besiege(uri: String, kind: usize, in_place: tokio::sync::mpsc::Sender<()>) {
    let mut in_place = Some(in_place);
    loop {
        let mut peer = match kind {
            4 => RawPeer::connect_narrowly(&uri).await,
            _ => RawPeer::connect(&uri).await,
        };
        in_place.take();
        match kind {
            0 => trickle(&mut peer).await,
            1 => say_nothing(&mut peer).await,
            2 => open_and_cancel(&mut peer).await,
            3 => ping(&mut peer).await,
            _ => ask_and_read_nothing(&mut peer).await,
        }
        tokio::time::sleep(Duration::from_secs_f64(1.0 + (kind as f64) / 10.0)).await;
    }
}

/// The hostile process; does nothing when it runs as a test.
#[tokio::test]
async fn besieges_from_a_process_of_its_own() {
    let Ok(uri) = std::env::var(TARGET) else { return };
    let (in_place, mut waiting) = tokio::sync::mpsc::channel(1);
    for n in 0..connections() {
        tokio::spawn(besiege(uri.clone(), n % 5, in_place.clone()));
    }
    drop(in_place);
    // It closes when the last has connected once.
    waiting.recv().await;
    println!("\nin place");
    std::future::pending::<()>().await;
}

/// The hostile process; it is ended with this.
struct Siege(Child);

impl Siege {
    fn begin(uri: &str) -> Self {
        // Others than these have machines of their own: here, they get what time the two sides leave.
        let mut command = itself(&["nice", "-n", "19"], "z_siege::besieges_from_a_process_of_its_own");
        let mut child = command.env(TARGET, uri).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        let siege = Self(child);
        assert!(lines.any(|line| line.unwrap() == "in place"));
        siege
    }
}

impl Drop for Siege {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How long calls take, one after the other, for so long.
struct Latency {
    calls: usize,
    median: Duration,
    p99: Duration,
    longest: Duration,
}

async fn latency(client: &LabClient, time: Duration) -> Latency {
    let (started_at, mut took) = (Instant::now(), Vec::new());
    while started_at.elapsed() < time {
        let called_at = Instant::now();
        assert_eq!(soon(client.echo("well behaved".into())).await.unwrap(), "well behaved");
        took.push(called_at.elapsed());
    }
    took.sort_unstable();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    Latency { calls: took.len(), median: at(0.5), p99: at(0.99), longest: at(1.0) }
}

impl std::fmt::Display for Latency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { calls, median, p99, longest } = self;
        write!(f, "{calls} calls, median {median:?}, p99 {p99:?}, longest {longest:?}")
    }
}

#[tokio::test]
async fn a_siege_slows_a_client_that_behaves_less_than_tenfold_in_bounded_memory() {
    let server = ServerProcess::start(Times::default());
    let (lab, ward) = server.clients().await;
    latency(&lab, Duration::from_secs(1)).await;
    let at_rest = (server.descriptors(), ward.gauge().await.unwrap().tasks, server.memory_kib());
    let quiet = latency(&lab, QUIET).await;
    server.forget_memory_peak();
    let siege = Siege::begin(&server.uri);
    // Two kinds of five are thrown out as soon as they are seen.
    comes_true(async || server.descriptors() > at_rest.0 + connections() / 2).await;
    let descriptors = server.descriptors() - at_rest.0;
    let besieged = latency(&lab, SIEGE).await;
    let peak_mib = server.memory_peak_kib() >> 10;
    drop(siege);
    comes_true(async || server.descriptors() == at_rest.0).await;
    comes_true(async || ward.gauge().await.unwrap().tasks == at_rest.1).await;
    let quiet_again = latency(&lab, QUIET).await;
    println!("quiet:             {quiet}");
    println!("{:4} hostile peers: {besieged}", connections());
    println!("quiet again:       {quiet_again}");
    println!("memory of the server: {} MiB before, {peak_mib} MiB at most", at_rest.2 >> 10);
    println!("connections of hostile peers when it began: {descriptors}");
    let gauge = ward.gauge().await.unwrap();
    println!("handlers run: {}, all ended: {}", gauge.started, gauge.started == gauge.dropped);
    assert!(peak_mib < MEMORY_MIB_MAX, "the server took {peak_mib} MiB");
    assert!(
        besieged.p99 < 10 * quiet.p99.max(quiet_again.p99),
        "a call in a hundred takes {:?}",
        besieged.p99
    );
    assert_eq!(gauge.started, gauge.dropped);
}
