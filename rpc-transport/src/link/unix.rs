//! Links over Unix sockets.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use super::Link;

pub(super) async fn connect(path: &Path) -> io::Result<Link> {
    let stream = UnixStream::connect(path).await?;
    Ok(Link::new(stream, format!("unix://{}", path.display())))
}

/// Listens on a path, which it takes away when it is dropped.
pub(crate) struct Listener {
    listener: UnixListener,
    path: PathBuf,
    /// The file as it was made: another server may have put its own in its place since.
    file: Option<(u64, u64)>,
}

impl Listener {
    pub(super) async fn bind(path: &Path) -> io::Result<Self> {
        let listener = match UnixListener::bind(path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_left_over(path).await => {
                std::fs::remove_file(path)?;
                UnixListener::bind(path)?
            }
            other => other?,
        };
        Ok(Self { listener, path: path.to_owned(), file: file_at(path) })
    }

    pub(super) async fn accept(&self) -> io::Result<Link> {
        let (stream, _) = self.listener.accept().await?;
        // The calling end of a Unix socket has no name of its own.
        Ok(Link::new(stream, format!("unix://{}", self.path.display())))
    }
}

/// A server that was killed leaves its socket behind: nobody answers there. Nor does a file that is no socket, which is not ours to remove.
async fn is_left_over(path: &Path) -> bool {
    let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket())
        && UnixStream::connect(path).await.is_err_and(refused)
}

/// Tells a file from any other that exists: its device and its number there.
fn file_at(path: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.file.is_some() && self.file == file_at(&self.path) {
            // Whoever has removed it meanwhile wanted the same.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
