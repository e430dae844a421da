//! Links over TCP, with small segments sent at once.

use std::io;

use tokio::net::{TcpListener, TcpStream};

use super::Link;

pub(super) async fn connect(host: &str) -> io::Result<Link> {
    let stream = TcpStream::connect(host).await?;
    stream.set_nodelay(true)?;
    Ok(link(stream, format!("tcp://{host}")))
}

pub(super) async fn accept(listener: &TcpListener) -> io::Result<Link> {
    let (stream, peer) = listener.accept().await?;
    // A peer that has gone by now is found out by the first read.
    let _ = stream.set_nodelay(true);
    Ok(link(stream, format!("tcp://{peer}")))
}

fn link(stream: TcpStream, peer: String) -> Link {
    Link::new(stream, peer)
}
