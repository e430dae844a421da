//! One-line set-up of a server and a client over any link.

use farcall::{Channel, ChannelBuilder, Error, Limits, Server, ServerBuilder};
use tempfile::TempDir;

#[cfg(feature = "tls")]
use crate::authority::Authority;
use crate::kit::{LabClient, Probe, builder};

/// A link, by where a server listens on it.
pub struct Way {
    uri: String,
    limits: Limits,
    _folder: TempDir,
    #[cfg(feature = "tls")]
    authority: Authority,
}

/// A running server with one client.
pub struct Set {
    pub client: LabClient,
    pub probe: Probe,
    pub server: Server,
}

impl Way {
    pub fn new(scheme: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let uri = match scheme {
            "mem" => "mem://".to_owned(),
            "unix" => format!("unix://{}", folder.path().join("lab.sock").display()),
            "ws" | "wss" => format!("{scheme}://127.0.0.1:0/rpc"),
            _ => format!("{scheme}://127.0.0.1:0"),
        };
        Self {
            uri,
            limits: Limits::default(),
            _folder: folder,
            #[cfg(feature = "tls")]
            authority: Authority::new("root"),
        }
    }

    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    #[cfg(feature = "quic")]
    pub fn root_pem(&self) -> &str {
        self.authority.root_pem()
    }

    pub async fn serve(&self) -> Set {
        self.serve_with(|server| server).await
    }

    pub async fn serve_with(&self, set_up: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Set {
        let probe = Probe::new();
        let server = self.bind(set_up(builder(&probe)), &self.uri).await;
        let client = LabClient::new(self.connect(server.uri()).await.unwrap());
        Set { client, probe, server }
    }

    pub async fn bind(&self, server: ServerBuilder, uri: &str) -> Server {
        self.build(server).bind(uri).await.unwrap()
    }

    pub fn build(&self, server: ServerBuilder) -> ServerBuilder {
        self.secure(server.limits(self.limits.clone()))
    }

    pub fn uri(&self) -> &str {
        &self.uri
    }

    pub async fn connect(&self, uri: &str) -> Result<Channel, Error> {
        self.channel(uri).connect().await
    }

    pub fn channel(&self, uri: &str) -> ChannelBuilder {
        let channel = Channel::builder(uri).limits(self.limits.clone());
        #[cfg(feature = "tls")]
        let channel = channel.tls(farcall::TlsClient::builder(self.authority.root()).build().unwrap());
        channel
    }

    #[cfg(feature = "tls")]
    fn secure(&self, server: ServerBuilder) -> ServerBuilder {
        let own = self.authority.server();
        server.tls(farcall::TlsServer::builder(own.chain(), own.key()).build().unwrap())
    }

    #[cfg(not(feature = "tls"))]
    fn secure(&self, server: ServerBuilder) -> ServerBuilder {
        server
    }
}
