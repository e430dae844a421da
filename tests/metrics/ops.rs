//! The dashboard, the alerts and the guide name metrics that there are, and all that there are.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use farcall::layers::{ConcurrencyLimit, Metrics, Quota, RateLimit, Retry, Timeout};
use farcall::metrics::{LogWriter, Prometheus};
use farcall::{Channel, Code, Inspector, Layer, Server, Stack, Streaming, service};
use futures::{Stream, StreamExt, stream};

use crate::scrape::{Scrape, scrape};

#[service]
trait Harbour {
    #[rpc(idempotent)]
    async fn dock(&self, ship: String) -> u64;
    async fn load(&self, boxes: Streaming<u64>) -> u64;
    fn ships(&self) -> impl Stream<Item = u64> + Send;
    async fn wait(&self) -> u64;
}

struct Quay;

impl Harbour for Quay {
    async fn dock(&self, ship: String) -> u64 {
        ship.len() as u64
    }

    async fn load(&self, boxes: Streaming<u64>) -> u64 {
        boxes.count().await as u64
    }

    fn ships(&self) -> impl Stream<Item = u64> + Send {
        stream::iter(0..10)
    }

    async fn wait(&self) -> u64 {
        std::future::pending().await
    }
}

/// Runs a program whose calls succeed, fail, are refused, made again, stream and wait, and scrapes it.
async fn loaded() -> Scrape {
    let inspector = Inspector::new();
    let prometheus = Prometheus::builder().inspector(&inspector).bind("127.0.0.1:0").unwrap();
    let limit =
        RateLimit::new().per_metadata("tenant", Quota::per_second(1000)).key("a1", Quota::per_second(1));
    let server = Server::builder()
        .service(HarbourServer::new(Quay))
        .layer(Metrics::server())
        .layer(ConcurrencyLimit::new(64))
        .layer(limit)
        .inspector(&inspector)
        .bind("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let channel = Channel::connect(server.uri()).await.unwrap();
    let layers = Stack::new(Metrics::client(), Timeout::new(Duration::from_secs(5)));
    let retry = Retry::new().backoff(Duration::from_millis(1), Duration::from_millis(1)).attempts(2);
    let client = HarbourClient::new(layers.then(retry).then(Metrics::attempts()).layer(channel));
    let tenant = |ship: &str| client.dock(ship.to_owned()).metadata("tenant", "a1");
    tenant("Argo").await.unwrap();
    // It is over its rate, and told to come back in a second.
    assert_eq!(tenant("Beagle").timeout(Duration::from_secs(3)).await.unwrap(), 6);
    let error = tenant("Calypso").timeout(Duration::from_millis(100)).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert_eq!(client.load(stream::iter(0..5)).await.unwrap(), 5);
    assert_eq!(client.ships().await.unwrap().count().await, 10);
    let waiting = tokio::spawn(client.wait());
    let _log = LogWriter::new(std::io::sink()).unwrap();
    loop {
        let seen = scrape(prometheus.address()).await;
        if !seen.named("farcall_server_calls_stuck").is_empty() {
            waiting.abort();
            return seen;
        }
        tokio::task::yield_now().await;
    }
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// What the panels of a dashboard ask for.
fn queries(dashboard: &str) -> Vec<String> {
    let dashboard: serde_json::Value = serde_json::from_str(dashboard).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

/// The names of metrics in a text.
fn named(text: &str) -> BTreeSet<&str> {
    let is_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let words = text.split(|char| !is_name(char));
    words.filter(|word| word.starts_with("farcall_") && word.len() > 8 && !word.ends_with('_')).collect()
}

/// The names of all metrics, those of a histogram's parts not among them.
fn families(scrape: &Scrape) -> BTreeSet<&str> {
    let heads = scrape.text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let names = heads.filter_map(|head| head.split(' ').next());
    names.filter(|name| name.starts_with("farcall_")).collect()
}

/// A histogram's name stands for its parts.
fn family(name: &str) -> &str {
    let parts = ["_bucket", "_sum", "_count"];
    parts.iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name)
}

#[tokio::test]
async fn dashboard_alerts_and_guide_name_what_there_is() {
    let scrape = loaded().await;
    let there = families(&scrape);
    let dashboard = std::fs::read_to_string(path("ops/grafana/farcall.json")).unwrap();
    let shown = queries(&dashboard).join("\n");
    let alerts = std::fs::read_to_string(path("ops/prometheus/alerts.yml")).unwrap();
    for (file, text) in [("the dashboard", &shown), ("the alerts", &alerts)] {
        let names = named(text);
        assert!(names.len() > 8, "{file} names {names:?}");
        for name in names {
            assert!(
                there.contains(family(name)),
                "{file} names {name}, which is not there:\n{}",
                scrape.text
            );
            let is_histogram = scrape.text.contains(&format!("# TYPE {} histogram", family(name)));
            assert_eq!(is_histogram, family(name) != name, "{file} takes {name} for what it is not");
        }
    }
    let guide = std::fs::read_to_string(path("docs/guides/metrics.md")).unwrap();
    let rows: String = guide.lines().filter(|line| line.starts_with("| `farcall_")).collect();
    assert_eq!(named(&rows), there, "the guide has a row for each metric, and for no other");
}

/// Runs Prometheus' own tool, where there is one.
fn promtool(args: &[&str], input: &str) {
    if Command::new("promtool").arg("--version").output().is_err() {
        println!("skipped: `promtool` is not installed; on Debian it comes with the package `prometheus`");
        return;
    }
    let mut child = Command::new("promtool")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "promtool {args:?} ended with {}:\n{said}", output.status);
    println!("promtool {args:?}: {said}");
}

#[test]
fn prometheus_takes_the_alerts() {
    let rules = path("ops/prometheus/alerts.yml");
    promtool(&["check", "rules", rules.to_str().unwrap()], "");
}

#[tokio::test]
async fn prometheus_takes_the_metrics_and_finds_their_names_good() {
    let scrape = loaded().await;
    promtool(&["check", "metrics"], &scrape.text);
}

#[test]
fn prometheus_takes_the_queries_of_the_dashboard() {
    let dashboard = std::fs::read_to_string(path("ops/grafana/farcall.json")).unwrap();
    let queries = queries(&dashboard);
    let rules = queries.iter().enumerate().map(|(number, query)| {
        let query = query.replace("$__rate_interval", "5m");
        format!("      - record: panel:{number}\n        expr: {}\n", serde_json::to_string(&query).unwrap())
    });
    let rules = format!("groups:\n  - name: panels\n    rules:\n{}", rules.collect::<String>());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("panels.yml");
    std::fs::write(&file, rules).unwrap();
    promtool(&["check", "rules", file.to_str().unwrap()], "");
}
