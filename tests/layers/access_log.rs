//! `AccessLog`: one event for each call.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use farcall::layers::{AccessLog, RequestId};
use farcall::{Layer, Server, Stack};
use futures::{FutureExt, StreamExt, stream};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

use crate::recorded::Listening;
use crate::shop::{Corner, Fails, Script, ShopClient, ShopServer, stand_in};

type Line = BTreeMap<&'static str, String>;

/// Keeps the events of the thread that it is set for.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<Line>>>);

impl Lines {
    fn listen() -> (Self, Listening) {
        let lines = Self::default();
        let listening = Listening::with(lines.clone());
        (lines, listening)
    }

    fn take(&self) -> Vec<Line> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// The one line that was written.
    fn one(&self) -> Line {
        let mut lines = self.take();
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines.remove(0)
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "farcall::access"
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Fields(Line);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

fn check(line: &Line, expected: &[(&str, &str)]) {
    for (field, value) in expected {
        assert_eq!(line.get(field).map(String::as_str), Some(*value), "{field} of {line:?}");
    }
}

#[tokio::test]
async fn on_a_server_a_call_is_a_line_with_all_that_is_known() {
    let (lines, _guard) = Lines::listen();
    let server = Server::builder().service(ShopServer::new(Corner)).layer(RequestId::new());
    let server = server.layer(AccessLog::new()).bind("tcp://127.0.0.1:0").await.unwrap();
    let client = ShopClient::connect(server.uri()).await.unwrap();
    client.price("ink".into()).metadata("request-id", "r7").await.unwrap();
    let line = lines.one();
    let expected = [
        ("method", "Shop/price"),
        ("code", "OK"),
        ("failed", "false"),
        ("request_bytes", "4"),
        ("response_bytes", "1"),
        ("items", "0"),
        ("request_id", "r7"),
    ];
    check(&line, &expected);
    assert!(line["peer"].starts_with("tcp://127.0.0.1:"), "{line:?}");
    assert!(line["elapsed_us"].parse::<u64>().is_ok());
    client.boom().await.unwrap_err();
    check(&lines.one(), &[("method", "Shop/boom"), ("code", "INTERNAL")]);
}

#[tokio::test(start_paused = true)]
async fn on_a_client_failures_and_calls_that_are_given_up_have_their_lines() {
    let (lines, _guard) = Lines::listen();
    let script = Script::new([Fails::Refused]);
    let client = ShopClient::new(AccessLog::new().layer(script.service()));
    client.buy("x".into()).await.unwrap_err();
    let line = lines.one();
    check(&line, &[("code", "UNAVAILABLE"), ("request_bytes", "2"), ("response_bytes", "0")]);
    assert!(!line.contains_key("peer") && !line.contains_key("request_id"), "{line:?}");
    let slow = stand_in(|_| std::future::pending());
    let client = ShopClient::new(AccessLog::new().layer(slow));
    let mut call = Box::pin(client.buy("x".into()));
    assert!(call.as_mut().now_or_never().is_none());
    tokio::time::advance(std::time::Duration::from_millis(5)).await;
    assert!(lines.take().is_empty());
    drop(call);
    check(&lines.one(), &[("code", "CANCELLED"), ("elapsed_us", "5000")]);
}

#[tokio::test]
async fn a_stream_is_a_line_once_it_is_over() {
    let (lines, _guard) = Lines::listen();
    let layers = Stack::new(RequestId::new(), AccessLog::new());
    let client = ShopClient::new(layers.layer(ShopServer::new(Corner)));
    let mut offers = client.offers(3).await.unwrap();
    assert!(offers.next().await.is_some());
    assert!(lines.take().is_empty());
    assert_eq!(offers.by_ref().count().await, 2);
    check(
        &lines.one(),
        &[("method", "Shop/offers"), ("code", "OK"), ("items", "3"), ("response_bytes", "3")],
    );
    drop(client.offers(3).await.unwrap());
    check(&lines.one(), &[("code", "CANCELLED"), ("items", "0")]);
    client.fill(stream::iter([1, 2])).await.unwrap();
    check(&lines.one(), &[("method", "Shop/fill"), ("code", "OK")]);
}
