//! Links over Unix sockets.

use std::io;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use super::Link;

pub(super) async fn connect(path: &Path) -> io::Result<Link> {
    let stream = UnixStream::connect(path).await?;
    let (reader, writer) = stream.into_split();
    Ok(Link::new(reader, writer, format!("unix://{}", path.display())))
}

/// Listens on a path, which it takes away when it is dropped.
pub(crate) struct Listener {
    listener: UnixListener,
    path: PathBuf,
}

impl Listener {
    pub(super) fn bind(path: &Path) -> io::Result<Self> {
        let listener = match UnixListener::bind(path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_left_over(path) => {
                std::fs::remove_file(path)?;
                UnixListener::bind(path)?
            }
            other => other?,
        };
        Ok(Self { listener, path: path.to_owned() })
    }

    pub(super) async fn accept(&self) -> io::Result<Link> {
        let (stream, _) = self.listener.accept().await?;
        let (reader, writer) = stream.into_split();
        // The calling end of a Unix socket has no name of its own.
        Ok(Link::new(reader, writer, format!("unix://{}", self.path.display())))
    }
}

/// A server that was killed leaves its socket behind: nobody answers there.
fn is_left_over(path: &Path) -> bool {
    let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    std::os::unix::net::UnixStream::connect(path).is_err_and(refused)
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Whoever has removed it already wanted the same.
        let _ = std::fs::remove_file(&self.path);
    }
}
