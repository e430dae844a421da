//! Servers that cannot take links in: no descriptors are left, or the system says no.

use std::io::BufRead;
use std::process::Stdio;
use std::time::Duration;

use farcall::Channel;

use crate::kit::{LabClient, soon};
use crate::logs::MARK;
use crate::process::{ServerProcess, Times, comes_true};
use crate::shim::Shim;
use crate::wire::RawPeer;

const DESCRIPTORS: usize = 64;

#[tokio::test]
async fn fault_53_a_server_without_descriptors_serves_on_does_not_spin_and_recovers() {
    let limited = ["sh", "-c", "ulimit -n 64; exec \"$0\" \"$@\""];
    let server = ServerProcess::start_with("tcp://127.0.0.1:0", Times::default(), &limited, |_| {});
    let (lab, ward) = server.clients().await;
    lab.echo("before".into()).await.unwrap();
    let at_rest = (server.descriptors(), ward.gauge().await.unwrap().tasks);
    let mut hoard = Vec::new();
    for _ in 0..2 * DESCRIPTORS {
        // The system takes links in for the server until its queue is full.
        hoard.push(RawPeer::connect(&server.uri).await);
    }
    comes_true(async || server.descriptors() >= DESCRIPTORS - 1).await;
    // Time is the subject: what a server that spins would burn a processor for.
    let (ticks, waits) = (server.processor_ticks(), server.waits());
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (ticks, waits) = (server.processor_ticks() - ticks, server.waits() - waits);
    println!("in a second without descriptors: {ticks} ticks of 10 ms, and {waits} waits");
    assert!(ticks < 25, "{ticks} ticks of 10 ms in one second");
    assert!(waits < 100, "it waited {waits} times in one second");
    assert_eq!(soon(lab.echo("meanwhile".into())).await.unwrap(), "meanwhile");
    drop(hoard);
    let newcomer = soon(LabClient::connect(&server.uri)).await.unwrap();
    assert_eq!(soon(newcomer.echo("after".into())).await.unwrap(), "after");
    drop(newcomer);
    comes_true(async || (server.descriptors(), ward.gauge().await.unwrap().tasks) == at_rest).await;
}

const FAILURES: usize = 8;
/// In turn: ECONNABORTED, EMFILE, ENFILE and ENOMEM.
const ERRORS: [i32; 4] = [103, 24, 23, 12];

#[tokio::test]
async fn fault_66_errors_of_accept_are_waited_out_longer_each_time_and_serving_goes_on() {
    let shim = match Shim::build() {
        Ok(shim) => shim,
        Err(reason) => return println!("skipped: {reason}"),
    };
    let mut server = ServerProcess::start_with("tcp://127.0.0.1:0", Times::default(), &[], |command| {
        shim.preload(command).env("FARCALL_SHIM_ACCEPTS", FAILURES.to_string()).stderr(Stdio::piped());
    });
    let (lab, _) = server.clients().await;
    lab.echo("before".into()).await.unwrap();
    let second = tokio::spawn(Channel::connect(server.uri.clone()));
    assert_eq!(soon(lab.echo("meanwhile".into())).await.unwrap(), "meanwhile");
    let second = LabClient::new(soon(second).await.unwrap().unwrap());
    assert_eq!(soon(second.echo("accepted in the end".into())).await.unwrap(), "accepted in the end");
    let third = soon(LabClient::connect(&server.uri)).await.unwrap();
    assert_eq!(soon(third.echo("and so are others".into())).await.unwrap(), "and so are others");
    let stderr = server.child().stderr.take().unwrap();
    server.kill();
    let lines: Vec<_> = std::io::BufReader::new(stderr).lines().map(Result::unwrap).collect();
    let failed_at: Vec<u64> = lines
        .iter()
        .filter_map(|line| Some(line.strip_prefix("accept fails at ")?.parse().unwrap()))
        .collect();
    assert_eq!(failed_at.len(), FAILURES);
    let logged: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix(MARK)).collect();
    assert_eq!(logged.len(), FAILURES, "each is logged once: {lines:#?}");
    for (line, number) in logged.iter().zip(ERRORS.iter().cycle()) {
        let tells = line.starts_with("WARN message=a link could not be accepted; trying again error=");
        assert!(tells && line.contains(&format!("(os error {number})")) && line.contains(" wait="), "{line}");
    }
    for (failure, times) in failed_at.windows(2).enumerate() {
        let (waited, least) = (times[1] - times[0], 4000.0 * 1.6_f64.powi(failure as i32));
        assert!(waited as f64 >= least, "after failure {failure} it waited {waited} µs");
    }
}
