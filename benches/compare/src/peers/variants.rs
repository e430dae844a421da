//! farcall with something around it, beside farcall alone: what each part costs. They run where `--peers` names them.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use farcall::layers::{
    AccessLog, AccessLogService, ConcurrencyLimit, ConcurrencyLimitService, Retry, RetryService, Timeout,
    TimeoutService, Trace, TraceService,
};
use farcall::{Channel, Pem, Server, ServerBuilder, TlsClient, TlsServer};

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

/// Traces and an access log on both sides, which nobody collects.
pub struct Observed;

impl Variant for Observed {
    type Service = TraceService<AccessLogService<Channel>>;

    async fn bind(server: ServerBuilder) -> Result<Server> {
        Ok(server.layer(Trace::server()).layer(AccessLog::new()).bind(ADDRESS).await?)
    }

    async fn connect(port: u16) -> Result<Self::Service> {
        Ok(channel("tcp", port).layer(Trace::client()).layer(AccessLog::new()).connect().await?)
    }
}
