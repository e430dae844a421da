//! Three processes: a client asks a shop, which asks a warehouse, which is slow for 100 ms. Prints what the client says, what is scraped from
//! the warehouse, and the trace of all three: each tells by itself who took the time.
//!
//! `cargo run --features prometheus --example hops`

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Parser;
use farcall::layers::{Metrics, Trace};
use farcall::metrics::Prometheus;
use farcall::{BoxService, Channel, Error, Layer, Server, service};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Subscriber, subscriber};
use tracing_subscriber::layer::{self, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

/// Something is as slow as this.
const SLOW: Duration = Duration::from_millis(100);
/// So much less time than there is do servers have, to be able to say that it was too little.
const MARGIN: Duration = Duration::from_millis(50);

/// Why the shop has no answer, with the story of the call that failed.
#[derive(Debug, Serialize, Deserialize)]
struct ShopError(String);

impl fmt::Display for ShopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Error> for ShopError {
    fn from(error: Error) -> Self {
        Self(format!("{error:#}"))
    }
}

/// Knows what is on the shelves.
#[service]
trait Warehouse {
    /// Counts an item.
    async fn count(&self, item: String) -> u64;
    /// Says where an item lies.
    async fn shelf(&self, item: String) -> u64;
}

/// Deals with customers.
#[service]
trait Shop {
    /// Says how many there are, and where.
    async fn offer(&self, item: String) -> Result<(u64, u64), ShopError>;
}

struct Shelves;

impl Warehouse for Shelves {
    async fn count(&self, item: String) -> u64 {
        if item == "plum" {
            // Plums roll.
            tokio::time::sleep(SLOW + Duration::from_millis(5)).await;
        }
        item.len() as u64
    }

    async fn shelf(&self, item: String) -> u64 {
        item.bytes().map(u64::from).sum::<u64>() % 100
    }
}

struct Counter(WarehouseClient<BoxService>);

impl Shop for Counter {
    async fn offer(&self, item: String) -> Result<(u64, u64), ShopError> {
        let shelf = self.0.shelf(item.clone()).await?;
        Ok((self.0.count(item).timeout(SLOW + MARGIN).await?, shelf))
    }
}

/// Three processes, one of which is slow.
#[derive(Parser)]
enum Role {
    /// The last of the three.
    Warehouse,
    /// The one in the middle.
    Shop {
        /// Where the warehouse is.
        warehouse: String,
    },
    /// The first.
    Client {
        /// Where the shop is.
        shop: String,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if std::env::args().len() == 1 {
        return run_all().await;
    }
    subscriber::set_global_default(Registry::default().with(PrintSpans::default()))?;
    match Role::parse() {
        Role::Warehouse => {
            let prometheus = Prometheus::builder().bind("127.0.0.1:0")?;
            let server = Server::builder().layer(Trace::server()).layer(Metrics::server());
            let server = server.service(WarehouseServer::new(Shelves)).bind("tcp://127.0.0.1:0").await?;
            println!("{} {}", server.uri(), prometheus.address());
            until_told(server).await;
        }
        Role::Shop { warehouse } => {
            let counter = Counter(WarehouseClient::new(connect(&warehouse).await?));
            let server = Server::builder().layer(Trace::server()).service(ShopServer::new(counter));
            let server = server.bind("tcp://127.0.0.1:0").await?;
            println!("{}", server.uri());
            until_told(server).await;
        }
        Role::Client { shop } => {
            let client = ShopClient::new(connect(&shop).await?);
            for item in ["pear", "apple", "plum"] {
                match client.offer(item.into()).timeout(SLOW * 10).await {
                    Ok((count, shelf)) => println!("{item}: {count} on shelf {shelf}"),
                    Err(error) => println!("{item}: {error:#}"),
                }
            }
        }
    }
    Ok(())
}

async fn connect(uri: &str) -> Result<BoxService, Error> {
    let channel = Channel::builder(uri).deadline_margin(MARGIN).connect().await?;
    Ok(BoxService::new(Trace::client().address(uri).layer(channel)))
}

/// Serves until whoever has started this process closes its input.
async fn until_told(server: Server) {
    let _ = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await;
    server.shutdown().await;
}

/// Starts the three, and prints what each of the three ways tells.
async fn run_all() -> anyhow::Result<()> {
    let mut warehouse = Process::start(&["warehouse"])?;
    let addresses = warehouse.line().await?;
    let (uri, metrics) = addresses.split_once(' ').context("two addresses")?;
    let mut shop = Process::start(&["shop", uri])?;
    let shop_uri = shop.line().await?;
    let client = Process::start(&["client", &shop_uri])?.end().await?;

    println!("what the client says:");
    client.iter().filter(|line| !line.starts_with(SPAN)).for_each(|line| println!("  {line}"));
    println!("what is scraped from the warehouse:");
    let duration = "farcall_server_call_duration_seconds_";
    for line in scrape(metrics.parse()?).await? {
        if line.starts_with(&format!("{duration}sum")) || line.starts_with(&format!("{duration}count")) {
            println!("  {line}");
        }
    }
    let mut lines = client;
    lines.extend(shop.end().await?);
    lines.extend(warehouse.end().await?);
    let spans: Vec<Span> =
        lines.iter().filter_map(|line| serde_json::from_str(line.strip_prefix(SPAN)?).ok()).collect();
    // Of the last call: the others were quick.
    let last = spans.iter().rfind(|span| span.field("parent_span_id").is_none());
    println!("what the trace of that call says:");
    print_tree(last.context("a root")?, &spans, 1);
    Ok(())
}

fn print_tree(span: &Span, spans: &[Span], depth: usize) {
    let text = |name| span.field(name).unwrap_or_default();
    let name = format!("{:indent$}{} {}", "", text("otel.kind"), text("otel.name"), indent = 2 * depth);
    println!("{name:<36} took {:>6.1} ms  {}", span.took_ms, text("rpc.response.status_code"));
    let id = span.field("span_id");
    spans.iter().filter(|child| child.field("parent_span_id") == id).for_each(|child| {
        print_tree(child, spans, depth + 1);
    });
}

/// What a scraper does.
async fn scrape(endpoint: SocketAddr) -> std::io::Result<Vec<String>> {
    let mut stream = TcpStream::connect(endpoint).await?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.lines().map(str::to_owned).collect())
}

/// This program again, in another role.
struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(args: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let lines = BufReader::new(child.stdout.take().context("an output")?).lines();
        Ok(Self { child, lines })
    }

    async fn line(&mut self) -> anyhow::Result<String> {
        self.lines.next_line().await?.context("the process has ended")
    }

    /// Tells it to end, and returns what else it has said.
    async fn end(mut self) -> anyhow::Result<Vec<String>> {
        drop(self.child.stdin.take());
        let mut said = Vec::new();
        while let Some(line) = self.lines.next_line().await? {
            said.push(line);
        }
        anyhow::ensure!(self.child.wait().await?.success(), "a process failed");
        Ok(said)
    }
}

const SPAN: &str = "span ";

/// A span that has ended.
#[derive(Serialize, Deserialize)]
struct Span {
    fields: BTreeMap<String, String>,
    took_ms: f64,
}

impl Span {
    fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

/// Prints spans as they end. A program has an OpenTelemetry layer instead: see docs/guides/tracing.md.
#[derive(Default)]
struct PrintSpans(Mutex<Vec<(Id, Fields, Instant)>>);

impl PrintSpans {
    fn change(&self, id: &Id, change: impl FnOnce(&mut Fields)) {
        if let Some((_, fields, _)) = self.0.lock().unwrap().iter_mut().rfind(|(known, ..)| known == id) {
            change(fields);
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> tracing_subscriber::Layer<S> for PrintSpans {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: layer::Context<'_, S>) -> bool {
        metadata.target() == "farcall::trace"
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: layer::Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        self.0.lock().unwrap().push((id.clone(), fields, Instant::now()));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: layer::Context<'_, S>) {
        self.change(id, |fields| values.record(fields));
    }

    fn on_close(&self, id: Id, _: layer::Context<'_, S>) {
        let mut spans = self.0.lock().unwrap();
        let Some(index) = spans.iter().rposition(|(known, ..)| *known == id) else { return };
        let (_, Fields(fields), began) = spans.remove(index);
        let span = Span { fields, took_ms: began.elapsed().as_secs_f64() * 1e3 };
        if let Ok(json) = serde_json::to_string(&span) {
            println!("{SPAN}{json}");
        }
    }
}

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}
