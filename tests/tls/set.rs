//! One-line set-up: a server on `tls://`, a service that tells who calls, and files that change.

use std::path::PathBuf;

use farcall::{
    Channel, Context, Error, ErrorKind, Pem, Server, ServerBuilder, TlsClient, TlsClientBuilder, TlsServer,
    TlsServerBuilder, service,
};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::authority::{Authority, Issued};
use crate::kit::soon;

/// What a certificate says of a caller.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Caller {
    pub subject: String,
    pub common_name: Option<String>,
    pub dns_names: Vec<String>,
    pub uris: Vec<String>,
    pub serial: Vec<u8>,
    pub chain: Vec<Vec<u8>>,
}

#[service]
pub trait Door {
    /// Tells who calls.
    async fn who(&self) -> Option<Caller>;
    async fn echo(&self, text: String) -> String;
}

pub struct Guard;

impl Door for Guard {
    async fn who(&self) -> Option<Caller> {
        let context = Context::current();
        let certificate = context.peer()?.certificate()?;
        Some(Caller {
            subject: certificate.subject().to_owned(),
            common_name: certificate.common_name().map(str::to_owned),
            dns_names: certificate.dns_names().to_vec(),
            uris: certificate.uris().to_vec(),
            serial: certificate.serial().to_vec(),
            chain: certificate.chain().iter().map(|der| der.to_vec()).collect(),
        })
    }

    async fn echo(&self, text: String) -> String {
        text
    }
}

pub async fn serve(tls: &TlsServer) -> Server {
    serve_with(tls, |server| server).await
}

pub async fn serve_with(tls: &TlsServer, set_up: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Server {
    let server = Server::builder().service(DoorServer::new(Guard)).tls(tls.clone());
    set_up(server).bind("tls://127.0.0.1:0").await.unwrap()
}

pub fn server(issued: &Issued) -> TlsServerBuilder {
    TlsServer::builder(issued.chain(), issued.key())
}

pub fn client(authority: &Authority) -> TlsClientBuilder {
    TlsClient::builder(authority.root())
}

pub async fn connect(server: &Server, tls: TlsClientBuilder) -> Result<DoorClient, Error> {
    connect_to(server.uri(), &tls.build().unwrap()).await
}

pub async fn connect_to(uri: &str, tls: &TlsClient) -> Result<DoorClient, Error> {
    let channel = soon(Channel::builder(uri).tls(tls.clone()).connect()).await?;
    Ok(DoorClient::new(channel))
}

/// Connects to a server that is to refuse it, and returns what the client is told.
pub async fn refusal(server: &Server, tls: TlsClientBuilder) -> String {
    let error = connect(server, tls).await.expect_err("it is refused");
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    error.to_string()
}

/// Files of PEM that a test changes.
pub struct Files(TempDir);

impl Files {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn pem(&self, name: &str) -> Pem {
        Pem::file(self.path(name))
    }

    /// Puts a whole file in the place of another, as whoever renews certificates should.
    pub fn put(&self, name: &str, text: &str) {
        let new = self.path("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, self.path(name)).unwrap();
    }

    pub fn put_pair(&self, issued: &Issued) {
        self.put("server.pem", &issued.chain);
        self.put("server.key", &issued.key);
    }

    /// A server that uses the pair in these files.
    pub fn server(&self) -> TlsServerBuilder {
        TlsServer::builder(self.pem("server.pem"), self.pem("server.key"))
    }
}
