//! What calls notice of a log that cannot be written: nothing.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::mpsc;
use std::time::Duration;

use farcall::layers::AccessLog;
use farcall::metrics::LogWriter;
use farcall::{Channel, Layer, Server, service};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber, subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::Registry;

use crate::scrape::{BOUND, comes_true, endpoint, scrape};

const CALLS: u64 = 500;

#[service]
trait Logged {
    async fn add(&self, a: u64, b: u64) -> u64;
}

struct Plain;

impl Logged for Plain {
    async fn add(&self, a: u64, b: u64) -> u64 {
        a + b
    }
}

/// Writes events down as `tracing_subscriber::fmt` does, one write each.
struct Lines(LogWriter);

impl<S: Subscriber> tracing_subscriber::Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Fields(String::new());
        event.record(&mut line);
        line.0.push('\n');
        self.0.clone().write_all(line.0.as_bytes()).unwrap();
    }
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

/// Makes calls with a line each on the client's side.
async fn make_calls(log: &LogWriter) {
    let filter =
        tracing_subscriber::filter::Targets::new().with_target("farcall::access", tracing::Level::INFO);
    let _guard = subscriber::set_default(Registry::default().with(filter).with(Lines(log.clone())));
    tracing::callsite::rebuild_interest_cache();
    let server = Server::builder().service(LoggedServer::new(Plain)).bind("mem://").await.unwrap();
    let channel = Channel::connect(server.uri()).await.unwrap();
    let client = LoggedClient::new(AccessLog::new().layer(channel));
    let calls = async {
        for number in 0..CALLS {
            assert_eq!(client.add(number, 1).await.unwrap(), number + 1);
        }
    };
    tokio::time::timeout(BOUND, calls).await.expect("calls do not wait for the log");
    server.shutdown().await;
}

fn dropped(cause: &str) -> String {
    format!("farcall_log_lines_dropped_total{{cause=\"{cause}\"}}")
}

/// Hands each write over to whoever takes it, and waits for that.
struct Handed(mpsc::SyncSender<Vec<u8>>);

impl Write for Handed {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.send(line.to_vec()).map_err(io::Error::other)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn fault_54_a_disk_that_hangs_leaves_calls_alone_and_lines_that_are_dropped_are_counted() {
    const BYTES: usize = 4096;
    let endpoint = endpoint();
    let before = scrape(endpoint).await.get(&dropped("full"));
    let (send, lines) = mpsc::sync_channel(0);
    let log = LogWriter::new(Handed(send)).unwrap().bytes_max(BYTES);
    make_calls(&log).await;
    assert!(!log.drain(Duration::ZERO), "the first line hangs");
    let lost = scrape(endpoint).await.get(&dropped("full")) - before;
    drop(log);
    // The disk is well again: what was kept is written, and then the thread ends.
    let kept: Vec<Vec<u8>> = lines.iter().collect();
    assert_eq!(kept.len() as u64 + lost as u64, CALLS);
    let bytes: usize = kept.iter().map(Vec::len).sum();
    assert!((BYTES / 2..=BYTES).contains(&bytes), "{bytes} bytes were kept");
    assert!(kept.iter().all(|line| line.starts_with(b"message=call method=Logged/add code=\"OK\"")));
}

#[tokio::test]
async fn fault_54_a_disk_that_is_full_leaves_calls_alone_and_lines_that_are_dropped_are_counted() {
    let endpoint = endpoint();
    let before = scrape(endpoint).await.get(&dropped("failed"));
    let log = LogWriter::new(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap()).unwrap();
    make_calls(&log).await;
    assert!(log.drain(BOUND));
    comes_true(endpoint, |seen| seen.get(&dropped("failed")) - before == CALLS as f64).await;
}

#[test]
fn a_disk_that_is_well_gets_all_lines_in_order() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let log = LogWriter::new(file.reopen().unwrap()).unwrap();
    for number in 0..1000 {
        writeln!(log.clone(), "{number}").unwrap();
    }
    assert!(log.drain(BOUND));
    let expected: String = (0..1000).map(|number| format!("{number}\n")).collect();
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), expected);
}
