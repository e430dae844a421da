//! Links within the process, for tests and for parts that may be split into processes later.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use tokio::io::DuplexStream;
use tokio::sync::mpsc;

use super::Link;

/// How much one direction holds before its writer waits.
const PIPE_BYTES: usize = 256 * 1024;
/// How many links may wait to be accepted.
const BACKLOG: usize = 128;

type Names = HashMap<String, mpsc::Sender<DuplexStream>>;

static NAMES: LazyLock<Mutex<Names>> = LazyLock::new(Mutex::default);

fn names() -> MutexGuard<'static, Names> {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) async fn connect(name: &str) -> io::Result<Link> {
    let refused = || {
        io::Error::new(
            io::ErrorKind::ConnectionRefused,
            format!("nobody in this process listens on mem://{name}: bind a server to it first"),
        )
    };
    let listener = names().get(name).cloned().ok_or_else(refused)?;
    let (near, far) = tokio::io::duplex(PIPE_BYTES);
    listener.send(far).await.map_err(|_| refused())?;
    Ok(link(near, name))
}

fn link(stream: DuplexStream, name: &str) -> Link {
    Link::new(stream, format!("mem://{name}"))
}

/// Listens on a name, which is free again when it is dropped.
pub(crate) struct Listener {
    name: String,
    incoming: mpsc::Receiver<DuplexStream>,
}

impl Listener {
    /// Listens on `name`; an empty name is replaced by one that nobody has.
    pub(super) fn bind(name: &str) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let name = match name {
            "" => format!("auto-{}", NEXT.fetch_add(1, Ordering::Relaxed)),
            name => name.to_owned(),
        };
        let mut names = names();
        if names.get(&name).is_some_and(|listener| !listener.is_closed()) {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                format!(
                    "mem://{name} is taken in this process: choose another name, or shut that server down"
                ),
            ));
        }
        let (sender, incoming) = mpsc::channel(BACKLOG);
        names.insert(name.clone(), sender);
        Ok(Self { name, incoming })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) async fn accept(&mut self) -> io::Result<Link> {
        match self.incoming.recv().await {
            Some(stream) => Ok(link(stream, &self.name)),
            // The table keeps a sender for as long as this listener lives.
            None => Err(io::Error::other("the listener's name was taken away")),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        names().remove(&self.name);
    }
}
