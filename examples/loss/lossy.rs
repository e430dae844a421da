//! Proxies that lose packets, by chance from a seed; they go on until the program ends.

use std::time::Duration;

use fastrand::Rng;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

/// What a segment of TCP holds on most networks.
const SEGMENT_BYTES: usize = 1448;
/// The least that Linux waits before it sends a segment again of its own accord (`TCP_RTO_MIN`).
const RESENT_AFTER: Duration = Duration::from_millis(200);

/// Drops datagrams.
pub(crate) async fn udp(server: &str, lost_per_mille: u32, seed: u64) -> anyhow::Result<String> {
    let (near, far) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    far.connect(server).await?;
    let address = near.local_addr()?.to_string();
    tokio::spawn(async move {
        let (mut rng, mut client) = (Rng::with_seed(seed), None);
        let (mut there, mut back) = (vec![0; 65_536], vec![0; 65_536]);
        let mut loses = move || rng.u32(0..1000) < lost_per_mille;
        loop {
            tokio::select! {
                sent = near.recv_from(&mut there) => {
                    let (bytes, from) = sent?;
                    client = Some(from);
                    if !loses() {
                        far.send(&there[..bytes]).await?;
                    }
                }
                sent = far.recv(&mut back) => {
                    let bytes = sent?;
                    if let Some(client) = client.filter(|_| !loses()) {
                        near.send_to(&back[..bytes], client).await?;
                    }
                }
            }
        }
        #[expect(unreachable_code, reason = "it says what the errors are")]
        anyhow::Ok(())
    });
    Ok(address)
}

/// Holds a byte stream up where a segment of it would have been lost.
pub(crate) async fn tcp(server: &str, lost_per_mille: u32, seed: u64) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let server = server.to_owned();
    tokio::spawn(async move {
        let (near, far) = (listener.accept().await?.0, TcpStream::connect(server).await?);
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        let (from_client, to_client) = near.into_split();
        let (from_server, to_server) = far.into_split();
        tokio::spawn(forward(from_client, to_server, Rng::with_seed(seed), lost_per_mille));
        forward(from_server, to_client, Rng::with_seed(seed + 1), lost_per_mille).await
    });
    Ok(address)
}

async fn forward(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut rng: Rng,
    lost_per_mille: u32,
) -> anyhow::Result<()> {
    let mut segment = vec![0; SEGMENT_BYTES];
    loop {
        let bytes = from.read(&mut segment).await?;
        if bytes == 0 {
            return Ok(to.shutdown().await?);
        }
        if rng.u32(0..1000) < lost_per_mille {
            tokio::time::sleep(RESENT_AFTER).await;
        }
        to.write_all(&segment[..bytes]).await?;
    }
}
