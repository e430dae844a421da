//! One trace over three hops: a client, a shop that it asks, and a stock that the shop asks. Prints the tree of spans, with times.
//!
//! `cargo run --example tracing`

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use farcall::layers::Trace;
use farcall::{BoxService, Channel, Context, Error, Layer, Server, service};
use futures::{Stream, StreamExt, future, stream};
use serde::{Deserialize, Serialize};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Subscriber, subscriber};
use tracing_subscriber::layer::{self, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

/// There is none left.
#[derive(Debug, Serialize, Deserialize)]
struct SoldOut;

/// Knows what is on the shelves.
#[service]
trait Stock {
    /// Counts an item.
    async fn level(&self, item: String) -> u32;
    /// Puts an item aside.
    async fn reserve(&self, item: String) -> Result<(), SoldOut>;
    /// Names those who deliver, one after the other.
    fn suppliers(&self) -> impl Stream<Item = String> + Send;
}

/// Deals with customers.
#[service]
trait Shop {
    /// Says what there is to say of an item, and in which trace it was asked.
    async fn quote(&self, item: String) -> (String, u128);
}

struct Shelves;

impl Stock for Shelves {
    async fn level(&self, item: String) -> u32 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        u32::try_from(item.len()).unwrap_or(u32::MAX)
    }

    async fn reserve(&self, _: String) -> Result<(), SoldOut> {
        Err(SoldOut)
    }

    fn suppliers(&self) -> impl Stream<Item = String> + Send {
        stream::iter(["Ada", "Grace"]).then(|name| async move {
            tokio::time::sleep(Duration::from_millis(4)).await;
            name.to_owned()
        })
    }
}

struct Counter(StockClient<BoxService>);

impl Shop for Counter {
    async fn quote(&self, item: String) -> (String, u128) {
        let (level, suppliers) = future::join(self.0.level(item.clone()), self.0.suppliers()).await;
        let suppliers = match suppliers {
            Ok(suppliers) => suppliers.count().await,
            Err(_) => 0,
        };
        let reserved = self.0.reserve(item).await.is_ok();
        let tenant = Context::current().baggage().value("tenant").unwrap_or_default().into_owned();
        let trace = Context::current().trace().map_or(0, |trace| trace.trace_id());
        let level = level.unwrap_or_default();
        (format!("for {tenant}: {level} in stock, {suppliers} suppliers, reserved: {reserved}"), trace)
    }
}

/// Connects through the layer; a server has it with `.layer(Trace::server())`.
async fn connect(uri: &str) -> Result<BoxService, Error> {
    Ok(BoxService::new(Trace::client().address(uri).layer(Channel::connect(uri).await?)))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let spans = Spans::default();
    // A program has `tracing_subscriber::fmt`, or an OpenTelemetry layer: see docs/guides/tracing.md.
    subscriber::set_global_default(Registry::default().with(spans.clone()))?;

    let stock = Server::builder().service(StockServer::new(Shelves)).layer(Trace::server());
    let stock = stock.bind("tcp://127.0.0.1:0").await?;
    let counter = Counter(StockClient::new(connect(stock.uri()).await?));
    let shop = Server::builder().service(ShopServer::new(counter)).layer(Trace::server());
    let shop = shop.bind("tcp://127.0.0.1:0").await?;
    let client = ShopClient::new(connect(shop.uri()).await?);

    let (quote, trace) = client.quote("teapot".into()).metadata("baggage", "tenant=Ada%20%26%20Co").await?;
    println!("{quote}");
    // Once the servers are down, their spans have ended.
    shop.shutdown().await;
    stock.shutdown().await;

    println!("trace {trace:032x}");
    let root = spans.children(None).pop().context("a span without a parent")?;
    spans.print(&root, root.began, 0);
    Ok(())
}

/// What is known of a span.
#[derive(Clone)]
struct Span {
    fields: BTreeMap<&'static str, String>,
    began: Instant,
    ended: Option<Instant>,
}

impl Span {
    fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

/// Keeps the spans of `Trace`.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<(Id, Span)>>>);

impl Spans {
    /// The spans with this parent, in the order in which they began.
    fn children(&self, parent: Option<&str>) -> Vec<Span> {
        let all = self.0.lock().unwrap();
        all.iter()
            .map(|(_, span)| span)
            .filter(|span| span.field("parent_span_id") == parent)
            .cloned()
            .collect()
    }

    fn print(&self, span: &Span, start: Instant, depth: usize) {
        let text = |name| span.field(name).unwrap_or_default();
        let name = format!("{:indent$}{} {}", "", text("otel.kind"), text("otel.name"), indent = 2 * depth);
        let began = span.began.duration_since(start).as_secs_f64() * 1e3;
        let took = span.ended.map_or(0.0, |ended| ended.duration_since(span.began).as_secs_f64() * 1e3);
        let ended = [text("rpc.response.status_code"), text("error.type")].join(" ");
        println!("{name:<32} at {began:>6.2} ms, took {took:>6.2} ms  {ended}");
        for child in self.children(span.field("span_id")) {
            self.print(&child, start, depth + 1);
        }
    }

    fn change(&self, id: &Id, change: impl FnOnce(&mut Span)) {
        if let Some((_, span)) = self.0.lock().unwrap().iter_mut().rfind(|(known, _)| known == id) {
            change(span);
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> tracing_subscriber::Layer<S> for Spans {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: layer::Context<'_, S>) -> bool {
        metadata.target() == "farcall::trace"
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: layer::Context<'_, S>) {
        let mut span = Span { fields: BTreeMap::new(), began: Instant::now(), ended: None };
        attributes.record(&mut span);
        self.0.lock().unwrap().push((id.clone(), span));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: layer::Context<'_, S>) {
        self.change(id, |span| values.record(span));
    }

    fn on_close(&self, id: Id, _: layer::Context<'_, S>) {
        self.change(&id, |span| span.ended = Some(Instant::now()));
    }
}

impl Visit for Span {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }
}
