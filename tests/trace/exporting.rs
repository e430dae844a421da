//! What calls notice of an exporter that cannot send: nothing.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use farcall::layers::Trace;
use farcall::{Channel, Layer, Server, service};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Builder;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::Registry;

use crate::collector::Collector;
use crate::process::{batching, subscriber};

const CALLS: u64 = 200;
const QUEUE: usize = 8;
/// Far less than an export may take, far more than the calls do.
const BOUND: Duration = Duration::from_secs(20);

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

/// Makes calls with a span on each side.
fn make_calls(provider: &SdkTracerProvider) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    tracing::dispatcher::with_default(&subscriber(provider), || {
        tracing::callsite::rebuild_interest_cache();
        runtime.block_on(async {
            let server = Server::builder().service(AdderServer::new(Plain)).layer(Trace::server());
            let server = server.bind("mem://").await.unwrap();
            let channel = Channel::connect(server.uri()).await.unwrap();
            let client = AdderClient::new(Trace::client().layer(channel));
            let calls = async {
                for number in 0..CALLS {
                    assert_eq!(client.add(number, 1).await.unwrap(), number + 1);
                }
            };
            tokio::time::timeout(BOUND, calls).await.expect("calls do not wait for the collector");
        });
        drop(runtime);
    });
}

/// Keeps what the SDK says of spans that it has dropped.
#[derive(Clone, Default)]
struct Dropped(Arc<Mutex<Option<u64>>>);

impl<S: Subscriber> tracing_subscriber::Layer<S> for Dropped {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().name() == "BatchSpanProcessor.SpansDropped" {
            event.record(&mut self.clone());
        }
    }
}

impl Visit for Dropped {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "dropped_span_count" {
            *self.0.lock().unwrap() = Some(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

#[test]
fn fault_54_a_collector_that_hangs_leaves_calls_alone_and_what_is_dropped_is_counted() {
    let collector = Collector::hanging();
    let provider = batching(collector.uri(), QUEUE).build();
    make_calls(&provider);
    collector.wait(1);
    let dropped = Dropped::default();
    tracing::subscriber::with_default(Registry::default().with(dropped.clone()), || {
        provider.shutdown_with_timeout(Duration::from_millis(10)).unwrap_err();
    });
    let dropped = dropped.0.lock().unwrap().expect("the SDK says how many it has dropped");
    // All but the batch that hangs, and those that wait behind it.
    let kept = 2 * QUEUE as u64;
    assert!((2 * CALLS - kept..2 * CALLS).contains(&dropped), "{dropped} of {}", 2 * CALLS);
}

#[test]
fn fault_54_a_collector_that_refuses_leaves_calls_alone_and_exports_say_so() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let provider = batching(&format!("http://{free}/v1/traces"), 2048).build();
    make_calls(&provider);
    provider.force_flush().expect_err("nobody has taken the spans");
    provider.shutdown().unwrap();
}
