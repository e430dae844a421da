use std::sync::{Arc, Mutex};

use bytes::Bytes;
use rpc_core::{Body, CodecKind, Status};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context as Within, SubscriberExt};
use tracing_subscriber::registry::Registry;

use super::*;
use crate::Trace;

/// Keeps the targets of the events that it takes.
#[derive(Clone, Default)]
struct Taken(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> tracing_subscriber::Layer<S> for Taken {
    fn on_event(&self, event: &Event<'_>, _: Within<'_, S>) {
        self.0.lock().unwrap().push(event.metadata().target().to_owned());
    }
}

/// A handler with a line of its own.
struct Tells;

impl Service for Tells {
    async fn call(&self, _: Request) -> Result<Response, Error> {
        tracing::info!(target: "handler", "at work");
        Err(Status::new(Code::NotFound, "nothing here").into())
    }
}

#[tokio::test]
async fn a_subscriber_of_which_one_layer_does_not_listen_loses_no_line_of_the_handlers() {
    let (picky, all) = (Taken::default(), Taken::default());
    let of_the_program = filter_fn(|metadata: &Metadata<'_>| !metadata.target().starts_with("farcall"));
    let subscriber = Registry::default()
        .with(picky.clone().with_filter(of_the_program))
        .with(all.clone().with_filter(filter_fn(|_| true)));
    let _guard = tracing::subscriber::set_default(subscriber);
    tracing::callsite::rebuild_interest_cache();
    let service = Trace::server().layer(AccessLog::new().layer(Tells));
    for _ in 0..2 {
        let request = Request::by_id(MethodId::new(1), CodecKind::Postcard, Body::new(Bytes::new()));
        service.call(request).await.unwrap_err();
    }
    assert_eq!(*picky.0.lock().unwrap(), ["handler", "handler"]);
    assert_eq!(*all.0.lock().unwrap(), ["handler", TARGET, "handler", TARGET]);
}
