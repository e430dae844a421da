//! Moves files of any size in constant memory, and checks their SHA-256.
//!
//! ```text
//! files serve --bind tcp://127.0.0.1:7000 --dir /srv/files
//! files put --to tcp://127.0.0.1:7000 ubuntu.iso
//! files get --from tcp://127.0.0.1:7000 ubuntu.iso --out copy.iso
//! ```

use std::fmt;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::pin::pin;

use anyhow::Context as _;
use bytes::{Bytes, BytesMut};
use clap::Parser;
use farcall::{Channel, Limits, Server, Streaming, service};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How much of a file is in one part: enough to make the overhead small, little enough to bound memory.
const PART_BYTES: usize = 128 << 10;

/// A file on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Part {
    /// The next bytes.
    Bytes(Bytes),
    /// All bytes were sent, and this is their sum. A file without it is not whole.
    End(Sum),
}

/// A SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::exhaustive_structs)]
pub struct Sum(pub [u8; 32]);

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Why a file was not moved.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FileError {
    /// A name is not the plain name of a file.
    Name(String),
    /// Reading or writing failed.
    Io(String),
    /// The file ended before its sum came.
    NotWhole,
    /// What arrived is not what was sent.
    Sum {
        /// The sender's sum.
        sent: Sum,
        /// The receiver's sum.
        received: Sum,
    },
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name:?} is not the plain name of a file"),
            Self::Io(error) => f.write_str(error),
            Self::NotWhole => f.write_str("the file ended half way"),
            Self::Sum { sent, received } => write!(f, "sha256 {sent} was sent and {received} has arrived"),
        }
    }
}

impl std::error::Error for FileError {}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.to_string())
    }
}

/// Keeps files.
#[service]
pub trait Files {
    /// Stores a file. The sender may fail, too: its error takes the place of a part.
    async fn put(&self, name: &str, parts: Streaming<Result<Part, FileError>>) -> Result<Sum, FileError>;
    /// Returns the size of a file in bytes.
    async fn size(&self, name: &str) -> Result<u64, FileError>;
    /// Returns a file.
    async fn get(&self, name: &str) -> Result<impl Stream<Item = Result<Part, FileError>> + Send, FileError>;
}

struct Folder(PathBuf);

impl Folder {
    fn path(&self, name: &str) -> Result<PathBuf, FileError> {
        let mut components = Path::new(name).components();
        match (components.next(), components.next()) {
            (Some(Component::Normal(plain)), None) if plain == name => Ok(self.0.join(plain)),
            _ => Err(FileError::Name(name.to_owned())),
        }
    }
}

impl Files for Folder {
    async fn put(&self, name: &str, parts: Streaming<Result<Part, FileError>>) -> Result<Sum, FileError> {
        let parts = parts.map(|part| part.unwrap_or_else(|error| Err(FileError::Io(error.to_string()))));
        receive(parts, &self.path(name)?).await
    }

    async fn size(&self, name: &str) -> Result<u64, FileError> {
        Ok(tokio::fs::metadata(self.path(name)?).await?.len())
    }

    async fn get(&self, name: &str) -> Result<impl Stream<Item = Result<Part, FileError>> + Send, FileError> {
        Ok(parts(File::open(self.path(name)?).await?))
    }
}

/// Reads a file, part by part; the sum comes last.
fn parts(file: File) -> impl Stream<Item = Result<Part, FileError>> + Send {
    stream::try_unfold(Some((file, Sha256::new())), async |state| {
        let Some((mut file, mut sum)) = state else { return Ok(None) };
        let mut part = BytesMut::with_capacity(PART_BYTES);
        while part.len() < PART_BYTES && file.read_buf(&mut part).await? > 0 {}
        if part.is_empty() {
            return Ok(Some((Part::End(Sum(sum.finalize().into())), None)));
        }
        sum.update(&part);
        Ok(Some((Part::Bytes(part.freeze()), Some((file, sum)))))
    })
}

/// Writes a file, which gets its name once all of it is there and its sum is right; until then dropping this removes it.
async fn receive<E: From<FileError>>(
    parts: impl Stream<Item = Result<Part, E>>,
    path: &Path,
) -> Result<Sum, E> {
    let io = |error: io::Error| FileError::from(error);
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let unfinished = NamedTempFile::new_in(folder).map_err(io)?;
    let mut file = File::from_std(unfinished.reopen().map_err(io)?);
    let mut sum = Sha256::new();
    let mut parts = pin!(parts);
    while let Some(part) = parts.try_next().await? {
        match part {
            Part::Bytes(bytes) => {
                sum.update(&bytes);
                file.write_all(&bytes).await.map_err(io)?;
            }
            Part::End(sent) => {
                let received = Sum(sum.finalize().into());
                if sent != received {
                    return Err(FileError::Sum { sent, received }.into());
                }
                file.sync_all().await.map_err(io)?;
                unfinished.persist(path).map_err(|error| io(error.error))?;
                return Ok(received);
            }
        }
    }
    Err(FileError::NotWhole.into())
}

/// Moves files of any size, and checks their SHA-256.
#[derive(Parser)]
enum Command {
    /// Keeps files in a folder until it gets Ctrl-C.
    Serve {
        /// Where to listen; port 0 lets the system choose.
        #[arg(long, value_name = "URI", default_value = "tcp://127.0.0.1:0")]
        bind: String,
        /// The folder.
        #[arg(long)]
        dir: PathBuf,
    },
    /// Sends a file.
    Put {
        /// Where the server is.
        #[arg(long, value_name = "URI")]
        to: String,
        /// The file; it keeps its name.
        file: PathBuf,
    },
    /// Fetches a file.
    Get {
        /// Where the server is.
        #[arg(long, value_name = "URI")]
        from: String,
        /// The file's name there.
        name: String,
        /// Where to put it.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Serve { bind, dir } => {
            let service = FilesServer::new(Folder(dir));
            let server = Server::builder().service(service).limits(limits()).bind(bind).await?;
            println!("listening on {}", server.uri());
            tokio::signal::ctrl_c().await?;
            server.shutdown().await;
        }
        Command::Put { to, file: path } => {
            let name = path.file_name().and_then(|name| name.to_str()).context("the file has no name")?;
            let file = File::open(&path).await.with_context(|| format!("cannot read {}", path.display()))?;
            let bar = progress(file.metadata().await?.len());
            let parts = parts(file).inspect_ok(move |part| advance(&bar, part));
            let sum = connect(&to).await?.put(name, parts).await?;
            println!("sha256 {sum}  {name}");
        }
        Command::Get { from, name, out } => {
            let files = connect(&from).await?;
            let bar = progress(files.size(&name).await?);
            let parts = files.get(&name).await?.inspect_ok(move |part| advance(&bar, part));
            let sum = receive(parts.map_err(anyhow::Error::from), &out).await?;
            println!("sha256 {sum}  {name}");
        }
    }
    Ok(())
}

async fn connect(uri: &str) -> Result<FilesClient, farcall::Error> {
    Ok(FilesClient::new(Channel::builder(uri).limits(limits()).connect().await?))
}

/// Lets several parts be under way, so that neither side waits for the other.
fn limits() -> Limits {
    Limits::default().stream_window_bytes(1 << 20)
}

/// A bar on standard error; it hides itself where that is not a terminal.
fn progress(bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left");
    ProgressBar::new(bytes).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn advance(bar: &ProgressBar, part: &Part) {
    match part {
        Part::Bytes(bytes) => bar.inc(bytes.len() as u64),
        Part::End(_) => bar.finish(),
    }
}
