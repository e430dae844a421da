//! Keeps spans, as a tracing system would.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber, subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

/// Whether anybody in this process listens: the layers ask no further than that.
static LISTENING: RwLock<()> = RwLock::new(());

/// This thread is listened to until this is dropped.
pub struct Listening {
    _subscriber: subscriber::DefaultGuard,
    _lock: RwLockReadGuard<'static, ()>,
}

impl Listening {
    pub fn with(subscriber: impl Subscriber + Send + Sync + 'static) -> Self {
        let lock = LISTENING.read().unwrap_or_else(PoisonError::into_inner);
        let listening = Self { _subscriber: subscriber::set_default(subscriber), _lock: lock };
        // What other tests have found not to be listened to is asked about anew.
        tracing::callsite::rebuild_interest_cache();
        listening
    }
}

/// No test of this process listens until this is dropped.
pub struct Silence {
    _lock: RwLockWriteGuard<'static, ()>,
}

impl Silence {
    pub fn new() -> Self {
        let lock = LISTENING.write().unwrap_or_else(PoisonError::into_inner);
        tracing::callsite::rebuild_interest_cache();
        Self { _lock: lock }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Recorded {
    pub fields: BTreeMap<&'static str, String>,
    /// The `span_id` of the span that `tracing` has it within.
    pub within: Option<String>,
    pub is_closed: bool,
}

impl Recorded {
    #[track_caller]
    pub fn check(&self, expected: &[(&str, Option<&str>)]) {
        for (field, value) in expected {
            assert_eq!(self.field(field), *value, "{field} of {self:?}");
        }
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// A field that must be there.
    #[track_caller]
    pub fn get(&self, name: &str) -> &str {
        self.field(name).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }
}

/// The spans of `Trace`, of the thread that it is set for, in the order in which they began.
#[derive(Clone, Default)]
pub struct Spans(Arc<Mutex<Vec<(Id, Recorded)>>>);

impl Spans {
    pub fn listen() -> (Self, Listening) {
        let spans = Self::default();
        let listening = Listening::with(Registry::default().with(spans.clone()));
        (spans, listening)
    }

    /// Those of one side: `client` or `server`.
    pub fn of(&self, kind: &str) -> Vec<Recorded> {
        self.all().into_iter().filter(|span| span.get("otel.kind") == kind).collect()
    }

    pub fn all(&self) -> Vec<Recorded> {
        self.0.lock().unwrap().iter().map(|(_, span)| span.clone()).collect()
    }

    /// The one span that there is.
    #[track_caller]
    pub fn one(&self) -> Recorded {
        let mut all = self.all();
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    pub fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    fn change(&self, id: &Id, change: impl FnOnce(&mut Recorded)) {
        // Ids are used again: the latest is meant.
        if let Some((_, span)) = self.0.lock().unwrap().iter_mut().rfind(|(known, _)| known == id) {
            change(span);
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target() == "farcall::trace"
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut span = Recorded::default();
        let parent = context.current_span().id().cloned();
        if let Some(parent) = parent {
            self.change(&parent, |parent| span.within = parent.field("span_id").map(str::to_owned));
        }
        attributes.record(&mut span);
        self.0.lock().unwrap().push((id.clone(), span));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        self.change(id, |span| values.record(span));
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        self.change(&id, |span| span.is_closed = true);
    }
}

impl Visit for Recorded {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }
}
