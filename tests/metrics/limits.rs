//! Which limit has refused a call.

use std::time::Duration;

use farcall::layers::{ConcurrencyLimit, Quota, RateLimit, Timeout};
use farcall::{BoxService, Layer, service};
use futures::FutureExt;

use crate::scrape::{endpoint, scrape};

#[service]
trait Narrow {
    async fn rated(&self) -> u64;
    async fn crowded(&self) -> u64;
    async fn late(&self) -> u64;
}

struct Slow;

impl Narrow for Slow {
    async fn rated(&self) -> u64 {
        1
    }

    async fn crowded(&self) -> u64 {
        std::future::pending().await
    }

    async fn late(&self) -> u64 {
        std::future::pending().await
    }
}

fn client(layer: impl Layer<NarrowServer<Slow>, Service: farcall::Service>) -> NarrowClient<BoxService> {
    NarrowClient::new(BoxService::new(layer.layer(NarrowServer::new(Slow))))
}

#[tokio::test(start_paused = true)]
async fn each_limit_counts_what_it_refuses() {
    endpoint();
    let rated = client(RateLimit::new().total(Quota::per_second(1)));
    rated.rated().await.unwrap();
    rated.rated().await.unwrap_err();
    rated.rated().await.unwrap_err();
    let crowded = client(ConcurrencyLimit::new(8).per_method(1));
    let mut first = Box::pin(crowded.crowded());
    assert!(first.as_mut().now_or_never().is_none());
    crowded.crowded().await.unwrap_err();
    let late = client(Timeout::new(Duration::from_millis(20)));
    late.late().await.unwrap_err();
    // Here it is the call's own deadline that passes.
    late.late().timeout(Duration::from_millis(5)).await.unwrap_err();
    let seen = scrape(endpoint()).await;
    let refusals = |limit: &str, method: &str| {
        let labels = format!("limit=\"{limit}\",method=\"{method}\",service=\"Narrow\"");
        seen.get(&format!("farcall_limit_refusals_total{{{labels}}}"))
    };
    assert_eq!(refusals("rate", "rated"), 2.0, "{}", seen.text);
    assert_eq!(refusals("concurrency", "crowded"), 1.0);
    assert_eq!(refusals("timeout", "late"), 1.0);
    let ours: Vec<_> = seen.named("farcall_limit_refusals_total");
    assert_eq!(ours.iter().filter(|(name, _)| name.contains("\"Narrow\"")).count(), 3, "{ours:?}");
}
