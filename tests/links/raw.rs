//! A QUIC client that is not ours: it sends what it likes on each stream.

use std::net::SocketAddr;
use std::sync::Arc;

use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, Endpoint, RecvStream, SendStream};
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio_rustls::rustls::{self, RootCertStore};

use crate::kit::soon;
use crate::way::{Set, Way};

pub const HELLO: &[u8] = b"farcall/\x01\x00\x00\x00";

pub struct Raw {
    pub endpoint: Endpoint,
    pub connection: Connection,
    pub control: (SendStream, RecvStream),
}

/// A frame without an id: the stream says which call it belongs to.
pub fn frame(kind: u8, flags: u8, content: &[u8]) -> Vec<u8> {
    let mut frame = (content.len() as u32).to_le_bytes().to_vec();
    frame.extend([kind, flags, 1, 0]);
    frame.extend([0; 8]);
    frame.extend(content);
    frame
}

/// The OPEN of a call of the lab's.
pub fn open(method: &str, flags: u8, arguments: &[u8]) -> Vec<u8> {
    open_of("Lab", method, flags, arguments)
}

pub fn open_of(service: &str, method: &str, flags: u8, arguments: &[u8]) -> Vec<u8> {
    let id = farcall::MethodId::hash(service, method).as_u64().to_le_bytes();
    frame(1, flags, &[&id, arguments].concat())
}

pub fn reset() -> Vec<u8> {
    frame(5, 0, &[1, 0])
}

/// Reads a frame: its kind, its flags, and what it holds.
pub async fn read(recv: &mut RecvStream) -> (u8, u8, Vec<u8>) {
    let mut head = [0; 16];
    soon(recv.read_exact(&mut head)).await.unwrap();
    let mut content = vec![0; u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize];
    soon(recv.read_exact(&mut content)).await.unwrap();
    (head[4], head[5], content)
}

pub fn config(way: &Way, alpn: &[u8]) -> ClientConfig {
    config_for(way.root_pem(), alpn)
}

/// What a client trusts; it sends early data where it can.
pub fn config_for(root_pem: &str, alpn: &[u8]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(root_pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![alpn.to_vec()];
    tls.enable_early_data = true;
    ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()))
}

impl Raw {
    /// Connects without a word.
    pub async fn silent(way: &Way, set: &Set) -> Self {
        let endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
        let address: SocketAddr = set.server.uri().trim_start_matches("quic://").parse().unwrap();
        let connecting = endpoint.connect_with(config(way, b"farcall/1"), address, "localhost").unwrap();
        let connection = soon(connecting).await.unwrap();
        let control = connection.open_bi().await.unwrap();
        Self { endpoint, connection, control }
    }

    /// Connects, and says its opening.
    pub async fn connect(way: &Way, set: &Set) -> Self {
        let mut raw = Self::silent(way, set).await;
        raw.control.0.write_all(HELLO).await.unwrap();
        let mut fixed = [0; 12];
        soon(raw.control.1.read_exact(&mut fixed)).await.unwrap();
        assert_eq!(fixed[..10], HELLO[..10]);
        let mut settings = vec![0; usize::from(u16::from_le_bytes([fixed[10], fixed[11]]))];
        soon(raw.control.1.read_exact(&mut settings)).await.unwrap();
        raw
    }

    /// Opens a stream, and sends bytes on it.
    pub async fn send(&self, bytes: &[u8]) -> (SendStream, RecvStream) {
        let (mut send, recv) = self.connection.open_bi().await.unwrap();
        send.write_all(bytes).await.unwrap();
        (send, recv)
    }
}
