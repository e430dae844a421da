//! A shop in trouble, and an operator who looks into it from elsewhere: a handler that is stuck, a reader that is slow, a client that floods, a
//! method that fails, a connection that keeps breaking.
//!
//! `cargo run --features admin --example introspection` shows a table that is drawn anew each second; where its output is not a terminal, it
//! prints some snapshots and ends. With `--to URI` it looks into another server that has introspection.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use clap::Parser;
use farcall::admin::{HealthReporter, IntrospectionClient, Introspector, Snapshot};
use farcall::{Inspector, Limits, Server, service};
use futures::{Stream, StreamExt, stream};
use tokio::sync::Mutex;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, reload};

/// Sells things.
#[service]
trait Shop {
    /// Finds what is on the shelves; it takes its time.
    async fn search(&self, word: String) -> u32;
    /// Adds the day up.
    async fn report(&self) -> u64;
    /// Names all there is, with pictures.
    fn catalogue(&self) -> impl Stream<Item = Vec<u8>> + Send;
    /// Says what a thing costs.
    async fn price(&self, item: String) -> u32;
}

#[derive(Default)]
struct Shelves {
    /// Whoever closed the day has gone home with the key.
    books: Mutex<u64>,
}

impl Shop for Shelves {
    async fn search(&self, word: String) -> u32 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        tracing::debug!(target: "shop", bytes = word.len(), "searched");
        word.len() as u32
    }

    async fn report(&self) -> u64 {
        let _key = self.books.lock().await;
        std::future::pending::<()>().await;
        0
    }

    fn catalogue(&self) -> impl Stream<Item = Vec<u8>> + Send {
        stream::repeat_with(|| vec![7; 8 << 10])
    }

    async fn price(&self, item: String) -> u32 {
        panic!("nobody has written down what {item} costs");
    }
}

#[derive(Parser)]
struct Options {
    /// The server to look into; without it, one of this program's own.
    #[arg(long)]
    to: Option<String>,
    /// How many snapshots to print; on a terminal without end.
    #[arg(long)]
    snapshots: Option<usize>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Options { to, snapshots } = Options::parse();
    let is_live = std::io::stdout().is_terminal();
    let count = snapshots.unwrap_or(if is_live { usize::MAX } else { 4 });
    if let Some(uri) = to {
        return look(&IntrospectionClient::connect(&uri).await?, count, is_live).await;
    }
    let inspector = Inspector::new();
    let shop = Server::builder()
        .service(ShopServer::new(Shelves::default()))
        .service(HealthReporter::new())
        .limits(Limits::default().calls_in_flight(32))
        .inspector(&inspector)
        .bind("tcp://127.0.0.1:0")
        .await?;
    // Operators have a server of their own: who can reach it sees what all others do.
    let admin = Server::builder().service(introspector(&inspector)).bind("tcp://127.0.0.1:0").await?;
    make_trouble(shop.uri()).await?;

    let operator = IntrospectionClient::connect(admin.uri()).await?;
    look(&operator, count, is_live).await?;
    if let Some(ended) = operator.ended().await?.last() {
        println!("the last connection that ended was {} ms old: {}", ended.age.as_millis(), ended.reason);
    }
    for directives in ["warn,shop=debug", "shop=loudly"] {
        match operator.set_log_level(directives.to_owned()).await {
            Ok(in_force) => println!("the log is now: {in_force}"),
            Err(error) => println!("the log stays as it is: {error}"),
        }
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    println!("searches that the log has seen: {}", if SEEN.get().is_some() { "some" } else { "none" });
    for (name, version) in operator.versions().await?.into_iter().filter(|(name, _)| name != "platform") {
        println!("version of {name}: {version}");
    }
    Ok(())
}

/// Shows a server, and lets its log be changed.
fn introspector(inspector: &Inspector) -> Introspector {
    let (filter, handle) = reload::Layer::new(Targets::new().with_default(tracing::Level::ERROR));
    tracing_subscriber::registry().with(Noticing.with_filter(filter)).init();
    Introspector::new(inspector).version("shop", "1.4.2").on_log_level(move |directives| {
        let targets: Targets = directives.parse()?;
        let in_force = targets.to_string();
        handle.reload(targets)?;
        Ok::<_, Box<dyn std::error::Error>>(in_force)
    })
}

/// Stands for a log: it notices that something was written about searches.
struct Noticing;

static SEEN: std::sync::OnceLock<()> = std::sync::OnceLock::new();

impl<S: tracing::Subscriber> Layer<S> for Noticing {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        if event.metadata().target() == "shop" {
            let _ = SEEN.set(());
        }
    }
}

/// Starts clients that each do something else wrong.
async fn make_trouble(uri: &str) -> anyhow::Result<()> {
    // The handler's panics are the point; their text is in what failed.
    std::panic::set_hook(Box::new(|_| {}));
    let stuck = ShopClient::connect(uri).await?;
    tokio::spawn(stuck.report());
    tokio::spawn(stuck.report());

    let slow = ShopClient::connect(uri).await?;
    tokio::spawn(async move {
        let mut pages = slow.catalogue().await?;
        pages.next().await.transpose()?;
        std::future::pending::<Result<(), farcall::Error>>().await
    });

    let flooding = ShopClient::connect(uri).await?;
    let searches = stream::repeat_with(move || flooding.search("x".repeat(2000)));
    tokio::spawn(searches.buffer_unordered(200).for_each(async |_| {}));

    let puzzled = ShopClient::connect(uri).await?;
    tokio::spawn(async move {
        while puzzled.price("tea".into()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });

    let uri = uri.to_owned();
    tokio::spawn(async move {
        while let Ok(breaking) = ShopClient::connect(&uri).await {
            drop(breaking);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    Ok(())
}

/// Draws what the server says of itself.
async fn look(operator: &IntrospectionClient, count: usize, is_live: bool) -> anyhow::Result<()> {
    let every = Duration::from_millis(if is_live { 1000 } else { 500 });
    let mut snapshots = operator.watch(every).await?.take(count);
    while let Some(snapshot) = snapshots.next().await {
        let table = table(&snapshot?, every);
        // Home, and clear what is below; then the table.
        let before = if is_live { "\x1b[H\x1b[J" } else { "" };
        writeln!(std::io::stdout(), "{before}{table}")?;
    }
    Ok(())
}

fn table(snapshot: &Snapshot, every: Duration) -> String {
    let mut lines = Vec::new();
    if let Some(server) = &snapshot.server {
        let seconds = server.age.as_secs_f64();
        lines.push(format!("{} up {seconds:.1} s, leaving: {}", server.uris.join(" "), server.is_leaving));
        let limits: Vec<_> =
            server.limits.iter().map(|l| format!("{} {}/{}", l.name, l.used, l.max)).collect();
        lines.push(format!("limits: {}", limits.join(", ")));
        let waiting: Vec<_> =
            server.waiting.iter().map(|(what, calls)| format!("{calls} for {what}")).collect();
        lines.push(format!("{} calls under way, waiting: {}", server.calls, waiting.join(", ")));
        let (opened, failures) = (server.connections_opened, server.failures);
        lines.push(format!("so far: {opened} connections opened, {failures} calls failed"));
    }
    lines.push(format!(
        "{:>6} {:<24}{:>10}{:>10}{:>12}{:>10}",
        "", "peer", "calls", "kB/s", "unsent kB", "silent s"
    ));
    for busy in snapshot.busiest.iter().take(6) {
        let connection = &busy.connection;
        lines.push(format!(
            "{:>6} {:<24}{:>10}{:>10.1}{:>12.1}{:>10.1}",
            format!("#{}", connection.number),
            connection.peer,
            format!("{}/{}", connection.calls, connection.calls_max),
            busy.recent_bytes as f64 / 1e3 / every.as_secs_f64(),
            connection.unsent_bytes as f64 / 1e3,
            connection.silent_for.as_secs_f64(),
        ));
    }
    lines.push("oldest calls:".to_owned());
    for call in snapshot.oldest.calls.iter().take(5) {
        let (connection, age) = (format!("#{}", call.connection), call.age.as_secs_f64());
        lines.push(format!("{connection:>6} {} waits for {} since {age:.1} s", call.method, call.waits_for));
    }
    let others = snapshot.oldest.left_out + snapshot.oldest.calls.len().saturating_sub(5) as u64;
    lines.push(format!("       and {others} more"));
    lines.push(format!("failed since the last look: {}", snapshot.failures.len()));
    for failure in snapshot.failures.iter().rev().take(2) {
        lines.push(format!("       {} {}: {}", failure.method, failure.code, failure.text));
    }
    lines.join("\n") + "\n"
}
