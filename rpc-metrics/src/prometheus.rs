//! Metrics as Prometheus reads them, and the endpoint where it does.

mod http;
mod registry;
mod series;
mod text;
mod threads;

use std::fmt;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use rpc_core::{Error, ErrorKind};
use rpc_transport::Inspector;
use tokio::runtime;
use tokio::sync::oneshot;

use crate::Sampler;
use registry::Registry;

const SERIES_MAX: usize = 20_000;
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(10);

/// The recorder of this program: endpoints that follow each other show the same metrics.
static REGISTRY: OnceLock<Arc<Registry>> = OnceLock::new();

/// Records the metrics of this program, and answers `GET /metrics` in Prometheus' text format until it is dropped.
///
/// It runs in a thread of its own: a scraper that is slow or hangs takes nothing from calls, and it answers while handlers hold all
/// threads of the program. A head of more than 8 KiB, a scrape that takes longer than 10 s, and more than 8 at one time are cut off.
/// Counters, gauges and histograms of the program's own that go through the `metrics` facade are shown too.
///
/// Anybody who reaches the address reads method names and how much they are used; nothing else can be done there. Bind it where only
/// the scraper comes.
///
/// A histogram keeps so many calls under each bound, and so its memory does not grow. Those in seconds have bounds from 25 µs to 30 s,
/// those in bytes from 64 B to 64 MiB. What a program records in other units has bounds from 1 to 1,000,000.
///
/// ```
/// # fn main() -> Result<(), rpc_core::Error> {
/// use rpc_metrics::Prometheus;
/// use rpc_transport::Inspector;
/// let inspector = Inspector::new();
/// let prometheus = Prometheus::builder().inspector(&inspector).bind("127.0.0.1:0")?;
/// println!("scrape http://{}/metrics", prometheus.address());
/// # Ok(()) }
/// ```
#[must_use = "dropping it ends the endpoint"]
pub struct Prometheus {
    address: SocketAddr,
    /// Never sent to: the thread ends when it is dropped.
    _stop: oneshot::Sender<()>,
}

impl Prometheus {
    /// Starts setting up an endpoint.
    pub fn builder() -> PrometheusBuilder {
        PrometheusBuilder {
            inspectors: Vec::new(),
            stuck_after: None,
            series_max: SERIES_MAX,
            scrape_timeout: SCRAPE_TIMEOUT,
        }
    }

    /// Returns the address it listens on, with the port that the system chose.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl fmt::Debug for Prometheus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prometheus").field("address", &self.address).finish_non_exhaustive()
    }
}

/// The settings of a [`Prometheus`] endpoint.
#[derive(Clone, Debug)]
#[must_use]
pub struct PrometheusBuilder {
    inspectors: Vec<Inspector>,
    stuck_after: Option<Duration>,
    series_max: usize,
    scrape_timeout: Duration,
}

impl PrometheusBuilder {
    /// Shows what a server is doing, sampled at each scrape; called again, that of a further server.
    ///
    /// Give it an inspector that the server gets later, so that this comes first.
    pub fn inspector(mut self, inspector: &Inspector) -> Self {
        self.inspectors.push(inspector.clone());
        self
    }

    /// Says after how long a call counts as stuck whose handler has not answered; see [`Sampler::stuck_after`].
    ///
    /// Default: 60 s.
    pub const fn stuck_after(mut self, after: Duration) -> Self {
        self.stuck_after = Some(after);
        self
    }

    /// Caps how many metrics there are, each set of labels counted apart; further ones are not recorded, and counted in
    /// `farcall_prometheus_series_refused_total`. The first endpoint of a program decides.
    ///
    /// Default: 20,000. A counter takes some 1,300 bytes, a histogram some 600 and 170 for each of up to 16 threads that record into it, and each
    /// is read at each scrape; too few hide metrics.
    pub const fn series_max(mut self, series: usize) -> Self {
        self.series_max = series;
        self
    }

    /// Caps how long a scrape may take, from the connection to the last byte.
    ///
    /// Default: 10 s, as long as Prometheus waits. A scraper that hangs keeps one of eight places for so long; too short cuts slow ones off.
    pub const fn scrape_timeout(mut self, timeout: Duration) -> Self {
        self.scrape_timeout = timeout;
        self
    }

    /// Installs the recorder, unless an earlier endpoint has, and listens; port 0 lets the system choose.
    ///
    /// Do it before calls are made or answered: what was recorded before is lost.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where the program has installed another recorder: use a [`Sampler`] with that one;
    /// [`ErrorKind::Connect`] where the address cannot be listened on.
    pub fn bind(self, address: impl ToSocketAddrs) -> Result<Prometheus, Error> {
        let registry = install(self.series_max)?;
        let samplers = self.inspectors.iter().map(|inspector| match self.stuck_after {
            Some(after) => Sampler::new(inspector).stuck_after(after),
            None => Sampler::new(inspector),
        });
        let page = Arc::new(Page { registry, samplers: Mutex::new(samplers.collect()) });
        let listener = TcpListener::bind(address).map_err(cannot_listen)?;
        let address = listener.local_addr().map_err(cannot_listen)?;
        listener.set_nonblocking(true).map_err(cannot_listen)?;
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(cannot_listen)?;
        let (stop, stopped) = oneshot::channel();
        let endpoint = http::serve(listener, page, self.scrape_timeout);
        let work = move || {
            runtime.spawn(endpoint);
            // Nothing is sent: it ends when the other side is dropped, and all that the runtime has spawned with it.
            let _ = runtime.block_on(stopped);
        };
        thread::Builder::new().name("farcall-metrics".to_owned()).spawn(work).map_err(cannot_listen)?;
        Ok(Prometheus { address, _stop: stop })
    }
}

/// Makes the program's recorder, or finds the one that an earlier endpoint has made.
fn install(series_max: usize) -> Result<Arc<Registry>, Error> {
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(registry) = REGISTRY.get() {
        return Ok(registry.clone());
    }
    let registry = Arc::new(Registry::new(series_max));
    metrics::set_global_recorder(registry.clone()).map_err(|_| {
        let text = "this program has a recorder for `metrics` already: leave one of the two out, or use a `Sampler` with that one";
        Error::new(ErrorKind::Config, text)
    })?;
    Ok(REGISTRY.get_or_init(|| registry).clone())
}

fn cannot_listen(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Connect, "the endpoint for metrics cannot be set up: check its address")
        .with_source(error)
}

/// What a scrape shows.
struct Page {
    registry: Arc<Registry>,
    samplers: Mutex<Vec<Sampler>>,
}

impl Page {
    /// Takes a sample, and writes all down.
    fn render(&self) -> String {
        let mut samplers = self.samplers.lock().unwrap_or_else(PoisonError::into_inner);
        samplers.iter_mut().for_each(Sampler::sample);
        drop(samplers);
        text::render(&self.registry)
    }
}
