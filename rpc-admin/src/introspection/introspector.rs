//! The answering side of introspection.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_core::Stream;
use rpc_core::wire::{VERSION_MAJOR, VERSION_MINOR};
use rpc_core::{
    Context, Error, Handler, MethodDescriptor, MethodId, Request, Response, Service, ServiceDescriptor,
};
use rpc_transport::Inspector;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::gather::{Busiest, Oldest, Sums, connections, cut, each_connection, ended_info, failure_info};
use super::{
    CallList, ConnectionList, EndedInfo, FailureInfo, Introspection, IntrospectionError, IntrospectionServer,
    ServerInfo, Snapshot,
};
use crate::unfold::unfold;

/// So many connections, or calls, go into one answer: about 1 MB at most, a quarter of what a client takes.
const LISTED_MAX: usize = 1000;
/// So many of each are in a snapshot.
const SHOWN_MAX: usize = 20;
const EVERY_MIN: Duration = Duration::from_millis(100);
const EVERY_MAX: Duration = Duration::from_secs(60);
const DIRECTIVES_BYTES_MAX: usize = 4096;

/// Answers [`Introspection`] with what an [`Inspector`] sees; a service as it is.
///
/// ```
/// use rpc_admin::Introspector;
/// use rpc_transport::{Inspector, Server};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), rpc_core::Error> {
/// let inspector = Inspector::new();
/// let server = Server::builder().inspector(&inspector).bind("mem://").await?;
/// // Operators have an address of their own; where all have the same one, put a layer in front that authenticates.
/// let admin = Server::builder()
///     .service(Introspector::new(&inspector).version("shop", "1.4.2"))
///     .bind("tcp://127.0.0.1:0")
///     .await?;
/// # drop((server, admin));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Introspector {
    seen: Arc<Seen>,
    server: IntrospectionServer<Seen>,
}

#[derive(Clone)]
struct Seen {
    inspector: Inspector,
    versions: BTreeMap<String, String>,
    log_level: Option<Arc<LogLevel>>,
    is_leaving: watch::Sender<bool>,
}

type LogLevel = dyn Fn(&str) -> Result<String, String> + Send + Sync;

impl Introspector {
    /// Shows what `inspector` sees.
    pub fn new(inspector: &Inspector) -> Self {
        Self::of(Seen {
            inspector: inspector.clone(),
            versions: BTreeMap::new(),
            log_level: None,
            is_leaving: watch::Sender::new(false),
        })
    }

    /// Adds to what [`Introspection::versions`] says: the program's own name and version, say.
    #[must_use]
    pub fn version(self, name: impl Into<String>, version: impl Into<String>) -> Self {
        let mut seen = Self::take(self);
        seen.versions.insert(name.into(), version.into());
        Self::of(seen)
    }

    /// Lets operators change what is logged: `change` gets their directives, and returns what is in force then.
    ///
    /// Directives are up to 4,096 bytes of what an operator wrote; an error goes back as it reads, cut to 512 bytes. `change` runs where calls
    /// are answered, so it must not block.
    ///
    /// With a reload handle of `tracing_subscriber`:
    ///
    /// ```
    /// use rpc_admin::Introspector;
    /// use rpc_transport::Inspector;
    /// use tracing_subscriber::filter::{LevelFilter, Targets};
    /// use tracing_subscriber::layer::SubscriberExt;
    /// use tracing_subscriber::reload;
    ///
    /// let (filter, handle) = reload::Layer::new(Targets::new().with_default(LevelFilter::INFO));
    /// let subscriber = tracing_subscriber::registry().with(filter); // and with what writes the log
    /// let introspector = Introspector::new(&Inspector::new()).on_log_level(move |directives| {
    ///     let targets: Targets = directives.parse()?;
    ///     let in_force = targets.to_string();
    ///     handle.reload(targets)?;
    ///     Ok::<_, Box<dyn std::error::Error>>(in_force)
    /// });
    /// # let _ = (subscriber, introspector);
    /// ```
    #[must_use]
    pub fn on_log_level<E: fmt::Display>(
        self,
        change: impl Fn(&str) -> Result<String, E> + Send + Sync + 'static,
    ) -> Self {
        let mut seen = Self::take(self);
        seen.log_level =
            Some(Arc::new(move |directives| change(directives).map_err(|error| error.to_string())));
        Self::of(seen)
    }

    fn of(seen: Seen) -> Self {
        let seen = Arc::new(seen);
        Self { server: IntrospectionServer::from_arc(seen.clone()), seen }
    }

    fn take(self) -> Seen {
        let Self { seen, server } = self;
        drop(server);
        Arc::unwrap_or_clone(seen)
    }
}

impl Introspection for Seen {
    async fn server(&self) -> Result<ServerInfo, IntrospectionError> {
        let mut sums = Sums::default();
        each_connection(&self.inspector, 0, |view| sums.see(&view)).await;
        self.inspector.server().map(|view| sums.server(view)).ok_or(IntrospectionError::NoServer)
    }

    async fn connections(&self, after: u64) -> ConnectionList {
        connections(&self.inspector, after, LISTED_MAX).await
    }

    async fn calls(&self, older_than: Duration) -> CallList {
        let mut oldest = Oldest::new(older_than, LISTED_MAX);
        each_connection(&self.inspector, 0, |view| oldest.see(&view)).await;
        oldest.list(&self.inspector)
    }

    async fn failures(&self) -> Vec<FailureInfo> {
        self.inspector.failures().into_iter().map(failure_info).collect()
    }

    async fn ended(&self) -> Vec<EndedInfo> {
        self.inspector.ended().into_iter().map(ended_info).collect()
    }

    fn watch(&self, every: Duration) -> impl Stream<Item = Snapshot> + Send {
        let every = every.clamp(EVERY_MIN, EVERY_MAX);
        let begin = Watching { before: HashMap::new(), failures: 0, next: Instant::now(), is_over: false };
        unfold((begin, self.is_leaving.subscribe()), move |(mut watching, mut is_leaving)| async move {
            if watching.is_over {
                return None;
            }
            // The sender lives as long as the handler, so what ends the wait is the news.
            let leaves = is_leaving.wait_for(|is_leaving| *is_leaving);
            watching.is_over = timeout_at(watching.next, leaves).await.is_ok();
            let snapshot = watching.look(&self.inspector).await;
            watching.next = Instant::now().checked_add(every)?;
            Some((snapshot, (watching, is_leaving)))
        })
    }

    async fn set_log_level(&self, directives: String) -> Result<String, IntrospectionError> {
        let bad = |why: &str| IntrospectionError::BadDirectives(cut(why));
        let change = self.log_level.as_ref().ok_or(IntrospectionError::NoLogLevel)?;
        if directives.len() > DIRECTIVES_BYTES_MAX {
            return Err(bad("they have more than 4,096 bytes"));
        }
        let in_force = change(&directives).map_err(|why| bad(&why))?;
        let context = Context::current();
        let peer = context.peer().map_or("this process", |peer| peer.uri());
        tracing::warn!(peer, caller = ?context.caller(), in_force, "what is logged was changed");
        Ok(in_force)
    }

    async fn versions(&self) -> BTreeMap<String, String> {
        let services = self.inspector.services().iter().filter(|service| !service.version().is_empty());
        let mut versions: BTreeMap<_, _> = services
            .map(|service| (format!("service {}", service.name()), service.version().to_owned()))
            .collect();
        versions.insert("farcall".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        versions.insert("protocol".to_owned(), format!("{VERSION_MAJOR}.{VERSION_MINOR}"));
        let platform = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
        versions.insert("platform".to_owned(), platform);
        versions.extend(self.versions.clone());
        versions
    }
}

/// What a watcher has been shown.
struct Watching {
    /// What each connection had moved, in bytes.
    before: HashMap<u64, u64>,
    failures: u64,
    next: Instant,
    is_over: bool,
}

impl Watching {
    async fn look(&mut self, inspector: &Inspector) -> Snapshot {
        let mut sums = Sums::default();
        let mut oldest = Oldest::new(Duration::ZERO, SHOWN_MAX);
        let mut busiest = Busiest::new(&self.before, SHOWN_MAX);
        each_connection(inspector, 0, |view| {
            sums.see(&view);
            oldest.see(&view);
            busiest.see(&view);
        })
        .await;
        let (busiest, before) = busiest.list();
        self.before = before;
        // The list first: what fails between the two is shown twice rather than never.
        let failures = inspector.failures();
        let server = inspector.server().map(|view| sums.server(view));
        let count = server.as_ref().map_or(0, |server| server.failures);
        let new = usize::try_from(count.saturating_sub(self.failures)).unwrap_or(usize::MAX);
        self.failures = count;
        let old = failures.len().saturating_sub(new);
        Snapshot {
            at: SystemTime::now(),
            server,
            busiest,
            oldest: oldest.list(inspector),
            failures: failures.into_iter().skip(old).map(failure_info).collect(),
            more: BTreeMap::new(),
        }
    }
}

impl Service for Introspector {
    fn call(&self, request: Request) -> impl Future<Output = Result<Response, Error>> + Send {
        self.server.call(request)
    }

    fn find_method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.server.find_method(id)
    }

    fn leave(&self) {
        self.seen.is_leaving.send_replace(true);
    }
}

impl Handler for Introspector {
    fn descriptor() -> &'static ServiceDescriptor {
        IntrospectionServer::<Seen>::descriptor()
    }
}

impl fmt::Debug for Introspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspector").field("inspector", &self.seen.inspector).finish_non_exhaustive()
    }
}
