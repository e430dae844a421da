//! farcall with something around it, beside farcall alone: what each part costs. They run where `--peers` names them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use farcall::layers::{
    AccessLog, AccessLogService, ConcurrencyLimit, ConcurrencyLimitService, Metrics, MetricsService, Retry,
    RetryService, Timeout, TimeoutService, Trace, TraceService,
};
use farcall::metrics::Prometheus;
use farcall::{Channel, Inspector, Pem, Server, ServerBuilder, TlsClient, TlsServer};

use super::farcall::{ADDRESS, Variant, channel};

/// `tls://`, with a certificate of its own; W2 begins after the handshake.
pub struct Tls;

impl Variant for Tls {
    type Service = Channel;

    async fn bind(server: ServerBuilder) -> Result<Server> {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let (chain, key) = (own.cert.pem(), own.signing_key.serialize_pem());
        let tls = TlsServer::builder(Pem::bytes(chain.clone()), Pem::bytes(key)).build()?;
        let server = server.tls(tls).bind("tls://127.0.0.1:0").await?;
        let port = server.uri().rsplit_once(':').map_or("", |(_, port)| port);
        std::fs::write(trusted(port), chain)?;
        Ok(server)
    }

    async fn connect(port: u16) -> Result<Channel> {
        let tls =
            TlsClient::builder(Pem::file(trusted(&port.to_string()))).server_name("localhost").build()?;
        Ok(channel("tls", port).tls(tls).connect().await?)
    }
}

/// Where the server leaves what its clients trust.
fn trusted(port: &str) -> PathBuf {
    std::env::temp_dir().join(format!("farcall-compare-{port}.pem"))
}

/// A timeout, a limit on calls at once and retries around the channel; a timeout and a limit around the services.
pub struct Layered;

const LONG: Duration = Duration::from_secs(60);
const MANY: usize = 1 << 20;

impl Variant for Layered {
    type Service = TimeoutService<ConcurrencyLimitService<RetryService<Channel>>>;

    async fn bind(server: ServerBuilder) -> Result<Server> {
        Ok(server.layer(Timeout::new(LONG)).layer(ConcurrencyLimit::new(MANY)).bind(ADDRESS).await?)
    }

    async fn connect(port: u16) -> Result<Self::Service> {
        let channel = channel("tcp", port).layer(Timeout::new(LONG)).layer(ConcurrencyLimit::new(MANY));
        Ok(channel.layer(Retry::new()).connect().await?)
    }
}

/// Traces, metrics and an access log on both sides, which nobody collects.
pub struct Observed;

impl Variant for Observed {
    type Service = TraceService<MetricsService<AccessLogService<Channel>>>;

    async fn bind(server: ServerBuilder) -> Result<Server> {
        let server = server.layer(Trace::server()).layer(Metrics::server()).layer(AccessLog::new());
        Ok(server.bind(ADDRESS).await?)
    }

    async fn connect(port: u16) -> Result<Self::Service> {
        let channel = channel("tcp", port).layer(Trace::client()).layer(Metrics::client());
        Ok(channel.layer(AccessLog::new()).connect().await?)
    }
}

/// Metrics on both sides as their guide has them, collected: each process has an endpoint that is scraped once a second.
pub struct Metered;

impl Variant for Metered {
    type Service = MetricsService<MetricsService<Channel>>;

    async fn bind(server: ServerBuilder) -> Result<Server> {
        let inspector = Inspector::new();
        scrape(Prometheus::builder().inspector(&inspector).bind(ENDPOINT)?);
        Ok(server.layer(Metrics::server()).inspector(&inspector).bind(ADDRESS).await?)
    }

    async fn connect(port: u16) -> Result<Self::Service> {
        scrape(Prometheus::builder().bind(ENDPOINT)?);
        Ok(channel("tcp", port).layer(Metrics::client()).layer(Metrics::attempts()).connect().await?)
    }
}

const ENDPOINT: &str = "127.0.0.1:0";

/// Scrapes as long as the process lives, from a thread of its own; ends the process where that fails, for then nothing is measured.
fn scrape(endpoint: Prometheus) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(1));
            if let Err(error) = scrape_once(&endpoint) {
                eprintln!("cannot scrape: {error}");
                std::process::exit(1);
            }
        }
    });
}

fn scrape_once(endpoint: &Prometheus) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(endpoint.address())?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    if page.contains("_calls_finished_total{") {
        return Ok(());
    }
    Err(std::io::Error::other("the page has no calls"))
}
