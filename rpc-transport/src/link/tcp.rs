//! Links over TCP, with small segments sent at once.

use std::io;
use std::net::SocketAddr;

#[cfg(any(target_os = "linux", target_os = "android"))]
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};

use super::Link;

/// So much of what the peer cannot be sent yet is taken into the socket.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT_BYTES_MAX: u32 = 128 * 1024;

pub(super) async fn connect(host: &str) -> io::Result<Link> {
    Ok(link(connect_stream(host).await?, format!("tcp://{host}")))
}

pub(super) async fn connect_stream(host: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(host).await?;
    stream.set_nodelay(true)?;
    keep_queue_short(&stream);
    Ok(stream)
}

pub(super) async fn accept(listener: &TcpListener) -> io::Result<Link> {
    let (stream, peer) = accept_stream(listener).await?;
    Ok(link(stream, format!("tcp://{peer}")))
}

pub(super) async fn accept_stream(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, peer) = listener.accept().await?;
    // A peer that has gone by now is found out by the first read.
    let _ = stream.set_nodelay(true);
    keep_queue_short(&stream);
    Ok((stream, peer))
}

/// Lets the system take no more than is about to be sent: megabytes of a large message in the socket's own queue would stand before
/// every small one. As HTTP/2 servers do it; see `TCP_NOTSENT_LOWAT` in tcp(7).
fn keep_queue_short(stream: &TcpStream) {
    // Where the system does not know the option, its queue is as long as it likes.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_BYTES_MAX);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = stream;
}

fn link(stream: TcpStream, peer: String) -> Link {
    Link::new(stream, peer)
}
