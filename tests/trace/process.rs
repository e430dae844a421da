//! What a process has to itself: here, a thread with a runtime, a subscriber and an exporter.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, TracerProviderBuilder,
};
use tokio::runtime::Builder;
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::Registry;

use crate::collector::Post;

pub fn exporter(uri: &str) -> SpanExporter {
    let exporter = SpanExporter::builder().with_http().with_http_client(Post).with_endpoint(uri);
    exporter.with_timeout(Duration::from_secs(60)).build().unwrap()
}

/// A provider that keeps at most `queue` spans that were not sent yet.
pub fn batching(uri: &str, queue: usize) -> TracerProviderBuilder {
    let settings = BatchConfigBuilder::default()
        .with_max_queue_size(queue)
        .with_max_export_batch_size(queue)
        .with_scheduled_delay(Duration::from_millis(10))
        .build();
    let batches = BatchSpanProcessor::builder(exporter(uri)).with_batch_config(settings).build();
    SdkTracerProvider::builder().with_span_processor(batches)
}

pub fn subscriber(provider: &SdkTracerProvider) -> Dispatch {
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("farcall"));
    Dispatch::new(Registry::default().with(layer))
}

/// Runs a future as a process of its own would, and sends what it has recorded before it ends.
pub fn process<F: Future>(
    name: &'static str,
    collector: &str,
    sampler: Sampler,
    job: impl FnOnce() -> F + Send + 'static,
) -> JoinHandle<()> {
    let provider = batching(collector, 2048)
        .with_sampler(sampler)
        .with_resource(
            Resource::builder_empty()
                .with_attribute(opentelemetry::KeyValue::new("service.name", name))
                .build(),
        )
        .build();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        tracing::dispatcher::with_default(&subscriber(&provider), || {
            tracing::callsite::rebuild_interest_cache();
            runtime.block_on(job());
            drop(runtime);
        });
        provider.shutdown().unwrap();
    })
}
