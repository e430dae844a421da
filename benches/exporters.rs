//! What calls notice of exporters whose far end fails: their p99, divided by that with exporters that work, in one run.
//!
//! Each call has a span on each side, sent over OTLP, and a line in an access log, written to a file. Rounds are interleaved over the cases.
//!
//! `cargo bench --features opentelemetry,prometheus --bench exporters`

#[allow(dead_code, unreachable_pub)]
#[path = "../tests/trace/collector.rs"]
mod collector;
#[allow(dead_code, unreachable_pub)]
#[path = "../tests/trace/process.rs"]
mod process;

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use farcall::layers::{AccessLog, Trace};
use farcall::metrics::{LogWriter, Prometheus};
use farcall::{Channel, Server, service};
use futures::future::join_all;
use opentelemetry::trace::TracerProvider;
use tokio::runtime::Builder;
use tokio::time::{MissedTickBehavior, interval};
use tracing::field::{Field, Visit};
use tracing::{Dispatch, Event, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;

use collector::Collector;

const ROUNDS: usize = 21;
const CALLERS: usize = 8;
/// Each caller makes one in a millisecond.
const CALLS: usize = 300;
const QUEUE: usize = 512;

#[service]
trait Adder {
    async fn add(&self, a: u64, b: u64) -> u64;
}

struct Plain;

impl Adder for Plain {
    async fn add(&self, a: u64, b: u64) -> u64 {
        a + b
    }
}

/// What fails.
#[derive(Clone, Copy, Debug)]
enum Fails {
    Nothing,
    CollectorHangs,
    CollectorRefuses,
    DiskHangs,
    DiskIsFull,
}

const CASES: [Fails; 5] =
    [Fails::Nothing, Fails::CollectorHangs, Fails::CollectorRefuses, Fails::DiskHangs, Fails::DiskIsFull];

/// Writes nothing and never returns.
struct Hangs;

impl Write for Hangs {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        loop {
            std::thread::park();
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes events down as `tracing_subscriber::fmt` does, one write each.
struct Lines(LogWriter);

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Fields(String::new());
        event.record(&mut line);
        line.0.push('\n');
        self.0.clone().write_all(line.0.as_bytes()).expect("it never fails");
    }
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

fn log(fails: Fails) -> io::Result<LogWriter> {
    match fails {
        Fails::DiskHangs => LogWriter::new(Hangs),
        Fails::DiskIsFull => LogWriter::new(OpenOptions::new().write(true).open("/dev/full")?),
        _ => LogWriter::new(tempfile::tempfile()?),
    }
    .map(|log| log.bytes_max(64 << 10))
}

/// Makes calls, and returns how long each took, in microseconds, and how many spans have come to the collector.
fn measure(fails: Fails) -> io::Result<(Vec<f64>, usize)> {
    let collector =
        if matches!(fails, Fails::CollectorHangs) { Collector::hanging() } else { Collector::start() };
    let uri = match fails {
        Fails::CollectorRefuses => {
            format!("http://{}/v1/traces", TcpListener::bind("127.0.0.1:0")?.local_addr()?)
        }
        _ => collector.uri().to_owned(),
    };
    let resource = opentelemetry_sdk::Resource::builder_empty()
        .with_attribute(opentelemetry::KeyValue::new("service.name", "bench"))
        .build();
    let provider = process::batching(&uri, QUEUE).with_resource(resource).build();
    let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("bench"));
    let access = Targets::new().with_target("farcall::access", LevelFilter::INFO);
    let log = log(fails)?;
    let subscriber = Registry::default()
        .with(spans.with_filter(Targets::new().with_target("farcall::trace", LevelFilter::INFO)))
        .with(Lines(log.clone()).with_filter(access));
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let times = tracing::dispatcher::with_default(&Dispatch::new(subscriber), || {
        tracing::callsite::rebuild_interest_cache();
        runtime.block_on(calls())
    });
    // One that cannot send is not waited for.
    let _ = provider.shutdown_with_timeout(Duration::from_millis(200));
    log.drain(Duration::from_millis(200));
    Ok((times, collector.spans().len()))
}

async fn calls() -> Vec<f64> {
    let server = Server::builder().service(AdderServer::new(Plain));
    let server = server.layer(Trace::server()).layer(AccessLog::new()).bind("tcp://127.0.0.1:0").await;
    let server = server.expect("a port of this machine");
    let channel = Channel::builder(server.uri()).layer(Trace::client()).layer(AccessLog::new());
    let client = AdderClient::new(channel.connect().await.expect("the server listens"));
    let caller = async || {
        let mut ticks = interval(Duration::from_millis(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut times = Vec::with_capacity(CALLS);
        for number in 0..CALLS as u64 {
            ticks.tick().await;
            let start = Instant::now();
            let sum = client.add(number, 1).await.expect("an exporter fails no call");
            times.push(start.elapsed().as_secs_f64() * 1e6);
            assert_eq!(sum, number + 1);
        }
        times
    };
    let times = join_all((0..CALLERS).map(|_| caller())).await;
    server.shutdown().await;
    times.concat()
}

fn percentile(sorted: &[f64], part: f64) -> f64 {
    sorted.get(((sorted.len() - 1) as f64 * part) as usize).copied().unwrap_or_default()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    percentile(&values, 0.5)
}

/// So many lines have been dropped so far.
fn dropped(endpoint: &Prometheus, cause: &str) -> io::Result<u64> {
    let mut stream = std::net::TcpStream::connect(endpoint.address())?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
    let page = io::read_to_string(stream)?;
    let name = format!("farcall_log_lines_dropped_total{{cause=\"{cause}\"}} ");
    let line = page.lines().find_map(|line| line.strip_prefix(&name));
    Ok(line.and_then(|number| number.parse().ok()).unwrap_or(0))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let endpoint = Prometheus::builder().bind("127.0.0.1:0")?;
    let mut p99 = CASES.map(|_| Vec::new());
    let mut p50 = CASES.map(|_| Vec::new());
    let mut sent = [0; CASES.len()];
    let mut lost = [0; CASES.len()];
    measure(Fails::Nothing)?;
    for round in 0..ROUNDS {
        // Each follows each of the others in turn.
        for case in (0..CASES.len()).map(|case| (case * (1 + round % 4) + round) % CASES.len()) {
            let fails = CASES[case];
            let before = dropped(&endpoint, "full")? + dropped(&endpoint, "failed")?;
            let (mut times, spans) = measure(fails)?;
            times.sort_unstable_by(f64::total_cmp);
            p50[case].push(percentile(&times, 0.5));
            p99[case].push(percentile(&times, 0.99));
            sent[case] += spans;
            lost[case] += dropped(&endpoint, "full")? + dropped(&endpoint, "failed")? - before;
        }
    }
    let all = 2 * ROUNDS * CALLERS * CALLS;
    let works = (median(p50[0].clone()), median(p99[0].clone()));
    println!(
        "{CALLERS} callers, a call a millisecond each, {ROUNDS} rounds of {CALLS} calls; medians of the rounds"
    );
    println!("| what fails | p50 | p99 | spans that did not come | lines dropped, of {all} |");
    println!("|---|---|---|---|---|");
    for (case, fails) in CASES.into_iter().enumerate() {
        let (p50, p99) = (median(p50[case].clone()) / works.0, median(p99[case].clone()) / works.1);
        println!("| {fails:?} | {p50:.2} | {p99:.2} | {} | {} |", all - sent[case].min(all), lost[case]);
    }
    println!("1.00 is a p50 of {:.0} µs and a p99 of {:.0} µs", works.0, works.1);
    Ok(())
}
