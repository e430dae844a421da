//! Calls over QUIC: each has a stream of its own, both sides show who they are, and the client may change its address.
//!
//! The certificates are made here, by an authority of this program's own; in earnest they come from yours. A proxy stands between client and
//! server as a NAT does, and forgets the client half way.

use farcall::{Channel, Context, Pem, Server, Streaming, TlsClient, TlsServer, service};
use futures::StreamExt;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;

/// Takes readings.
#[service]
pub trait Meter {
    /// Adds readings up, as they come.
    async fn total(&self, readings: Streaming<u64>) -> u64;
    /// Tells who calls.
    async fn who_am_i(&self) -> String;
}

struct Counter;

impl Meter for Counter {
    async fn total(&self, readings: Streaming<u64>) -> u64 {
        readings
            .filter_map(|reading| async { reading.ok() })
            .fold(0, |sum, reading| async move { sum + reading })
            .await
    }

    async fn who_am_i(&self) -> String {
        let context = Context::current();
        let certificate = context.peer().and_then(|peer| peer.certificate());
        certificate.and_then(|certificate| certificate.common_name()).unwrap_or("somebody").to_owned()
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let (chain, key) = authority.issue("localhost")?;
    let tls =
        TlsServer::builder(Pem::bytes(chain), Pem::bytes(key)).require_clients(authority.root()).build()?;
    let server =
        Server::builder().service(MeterServer::new(Counter)).tls(tls).bind("quic://127.0.0.1:0").await?;

    let (nat, forget) = nat(server.uri().trim_start_matches("quic://").to_owned()).await?;
    let (chain, key) = authority.issue("cellar")?;
    let tls = TlsClient::builder(authority.root())
        .identity(Pem::bytes(chain), Pem::bytes(key))
        .server_name("localhost")
        .build()?;
    let meter = MeterClient::new(Channel::builder(format!("quic://{nat}")).tls(tls).connect().await?);
    println!("the server sees {}", meter.who_am_i().await?);

    let (read, readings) = mpsc::channel(1);
    let total = tokio::spawn(meter.total(ReceiverStream::new(readings)).into_future());
    read.send(20).await?;
    forget.send(())?;
    println!("the client has another address");
    read.send(22).await?;
    drop(read);
    println!("the call goes on: {}", total.await??);

    server.shutdown().await;
    println!("the server is done");
    Ok(())
}

/// Forwards to the server, and from another port each time that it is told to forget.
async fn nat(server: String) -> anyhow::Result<(String, watch::Sender<()>)> {
    let near = UdpSocket::bind("127.0.0.1:0").await?;
    let address = near.local_addr()?.to_string();
    let (forget, mut forgotten) = watch::channel(());
    tokio::spawn(async move {
        let (mut there, mut back, mut client) = (vec![0; 65_536], vec![0; 65_536], None);
        let mut far = reach(&server).await?;
        loop {
            tokio::select! {
                sent = near.recv_from(&mut there) => {
                    let (bytes, from) = sent?;
                    client = Some(from);
                    far.send(&there[..bytes]).await?;
                }
                sent = far.recv(&mut back) => {
                    if let (Ok(bytes), Some(client)) = (sent, client) {
                        near.send_to(&back[..bytes], client).await?;
                    }
                }
                changed = forgotten.changed() => match changed {
                    Ok(()) => far = reach(&server).await?,
                    Err(_) => return anyhow::Ok(()),
                },
            }
        }
    });
    Ok((address, forget))
}

async fn reach(server: &str) -> anyhow::Result<UdpSocket> {
    let far = UdpSocket::bind("127.0.0.1:0").await?;
    far.connect(server).await?;
    Ok(far)
}

/// Issues certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: String,
}

impl Authority {
    fn new() -> anyhow::Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let root = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), root })
    }

    fn root(&self) -> Pem {
        Pem::bytes(&self.root)
    }

    fn issue(&self, name: &str) -> anyhow::Result<(String, String)> {
        let mut params = CertificateParams::new([name.to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate()?;
        Ok((params.signed_by(&key, &self.issuer)?.pem(), key.serialize_pem()))
    }
}
