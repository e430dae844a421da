//! A configuration that is made anew when its files change.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use rpc_core::{Error, ErrorKind, deadline_after};
use rustls::HandshakeKind;
use rustls::pki_types::CertificateDer;

use super::certificate::has_expired;
use super::pem::Pem;
use crate::clock::now;

/// What a configuration is made of.
pub(super) trait Recipe: Send + Sync + 'static {
    type Config: Send + Sync;

    /// All that it reads.
    fn parts(&self) -> impl Iterator<Item = &Pem>;

    /// Reads it all; gives the configuration, and the side's own certificate where it has one.
    fn make(&self) -> Result<(Self::Config, Option<CertificateDer<'static>>), Error>;
}

/// The latest configuration, and what it came from.
pub(super) struct Live<R: Recipe> {
    recipe: R,
    current: ArcSwap<R::Config>,
    interval: Duration,
    next_look: Mutex<Option<Instant>>,
    /// The files as they were before they were read last; held while they are read.
    seen: Mutex<Vec<Stamp>>,
    pub(super) tally: Tally,
}

/// What tells a file from its next version; none where there is no such file.
type Stamp = Option<(SystemTime, u64, u64)>;

/// How often files are looked at.
pub(super) const RELOAD_INTERVAL: Duration = Duration::from_secs(10);

impl<R: Recipe> Live<R> {
    /// Reads the files for the first time.
    pub(super) fn new(recipe: R, interval: Duration) -> Result<Self, Error> {
        let files = files(&recipe);
        let seen = stamps(&files);
        let (config, own) = recipe.make()?;
        if is_expired(own.as_ref())? {
            tracing::warn!("the certificate has expired: peers will refuse it");
        }
        let next_look = (!files.is_empty()).then(|| deadline_after(now(), interval));
        let (current, next_look, seen) =
            (ArcSwap::from_pointee(config), Mutex::new(next_look), Mutex::new(seen));
        Ok(Self { recipe, current, interval, next_look, seen, tally: Tally::default() })
    }

    #[cfg(feature = "quic")]
    pub(super) fn recipe(&self) -> &R {
        &self.recipe
    }

    /// Returns the latest configuration, after a look at the files where it is time for one.
    ///
    /// # Cancel safety
    /// It can be dropped at any time: a look that has begun goes on.
    pub(super) async fn latest(self: &Arc<Self>) -> Arc<R::Config> {
        if self.takes_look() {
            let live = self.clone();
            // Where the runtime stops, the handshake does as well.
            let _ = tokio::task::spawn_blocking(move || live.look()).await;
        }
        self.current.load_full()
    }

    /// Tells whether it is time for a look at the files, once for each interval.
    fn takes_look(&self) -> bool {
        let mut next_look = lock(&self.next_look);
        let is_due = next_look.is_some_and(|next_look| next_look <= now());
        if is_due {
            *next_look = Some(deadline_after(now(), self.interval));
        }
        is_due
    }

    /// Reads the files if they have changed. A set that cannot be used is logged once: it is not tried again before it changes.
    fn look(&self) {
        let mut seen = lock(&self.seen);
        // Before they are read: what changes meanwhile is seen next time.
        let stamps = stamps(&files(&self.recipe));
        if stamps != *seen {
            *seen = stamps;
            if let Err(error) = self.read() {
                tracing::warn!(%error, "new TLS files were refused; the old ones stay in use");
            }
        }
    }

    /// Reads the files, whether they have changed or not.
    pub(super) fn reload(&self) -> Result<(), Error> {
        let mut seen = lock(&self.seen);
        *seen = stamps(&files(&self.recipe));
        self.read()
    }

    fn read(&self) -> Result<(), Error> {
        let made = self.recipe.make().and_then(|(config, own)| {
            if is_expired(own.as_ref())? {
                return Err(Error::new(ErrorKind::Config, "the new certificate has expired: issue another"));
            }
            Ok(config)
        });
        match made {
            Ok(config) => {
                self.current.store(Arc::new(config));
                Tally::add(&self.tally.reloads);
                tracing::info!("TLS files were read; new handshakes use them");
                Ok(())
            }
            Err(error) => {
                Tally::add(&self.tally.reloads_refused);
                Err(error)
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn files<R: Recipe>(recipe: &R) -> Vec<&Path> {
    recipe.parts().filter_map(Pem::path).collect()
}

fn stamps(files: &[&Path]) -> Vec<Stamp> {
    let stamp = |file: &Path| {
        let file = std::fs::metadata(file).ok()?;
        Some((file.modified().ok()?, file.len(), number(&file)))
    };
    files.iter().map(|file| stamp(file)).collect()
}

/// A file that was put in the place of another has another number, also within one tick of the clock.
fn number(file: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(file)
}

fn is_expired(own: Option<&CertificateDer<'_>>) -> Result<bool, Error> {
    let is_expired = own.map(|own| has_expired(own, SystemTime::now())).transpose();
    let is_expired = is_expired
        .map_err(|error| Error::new(ErrorKind::Config, format!("the certificate cannot be read: {error}")))?;
    Ok(is_expired == Some(true))
}

/// How often things have happened.
#[derive(Default)]
pub(super) struct Tally {
    full: AtomicU64,
    resumed: AtomicU64,
    failed: AtomicU64,
    reloads: AtomicU64,
    reloads_refused: AtomicU64,
}

impl Tally {
    fn add(count: &AtomicU64) {
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn done(&self, kind: Option<HandshakeKind>) {
        Self::add(if kind == Some(HandshakeKind::Resumed) { &self.resumed } else { &self.full });
    }

    pub(super) fn failed(&self) {
        Self::add(&self.failed);
    }

    pub(super) fn counts(&self) -> TlsCounts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        TlsCounts {
            full: read(&self.full),
            resumed: read(&self.resumed),
            failed: read(&self.failed),
            reloads: read(&self.reloads),
            reloads_refused: read(&self.reloads_refused),
        }
    }
}

/// How often handshakes and reloads have happened, since the start.
///
/// A `resumed` that stays at zero while clients come back says that resumption does not work; a `reloads_refused` that rises, that the files
/// are wrong and the old ones in use are growing old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsCounts {
    /// Handshakes with certificates.
    pub full: u64,
    /// Handshakes that have resumed an earlier session.
    pub resumed: u64,
    /// Handshakes that failed.
    pub failed: u64,
    /// Reloads that took new files into use.
    pub reloads: u64,
    /// Reloads that were refused, so that the old files stayed in use.
    pub reloads_refused: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts how often it is read, and can be read only while there is a file.
    struct Counting(Pem, AtomicU64);

    impl Recipe for Counting {
        type Config = u64;

        fn parts(&self) -> impl Iterator<Item = &Pem> {
            std::iter::once(&self.0)
        }

        fn make(&self) -> Result<(u64, Option<CertificateDer<'static>>), Error> {
            match self.0.path().is_some_and(Path::exists) {
                true => Ok((self.1.fetch_add(1, Ordering::Relaxed), None)),
                false => Err(Error::new(ErrorKind::Config, "there is no file")),
            }
        }
    }

    fn live(name: &str, interval: Duration) -> (std::path::PathBuf, Arc<Live<Counting>>) {
        let file = std::env::temp_dir().join(format!("farcall-live-{}-{name}", std::process::id()));
        std::fs::write(&file, "one").unwrap();
        let recipe = Counting(Pem::file(&file), AtomicU64::new(0));
        (file, Arc::new(Live::new(recipe, interval).unwrap()))
    }

    #[tokio::test(start_paused = true)]
    async fn files_are_looked_at_once_an_interval() {
        let interval = Duration::from_secs(10);
        let (file, live) = live("interval", interval);
        assert_eq!(*live.latest().await, 0);
        std::fs::write(&file, "the second").unwrap();
        tokio::time::advance(interval - Duration::from_millis(2)).await;
        assert_eq!(*live.latest().await, 0, "it is too early");
        tokio::time::advance(Duration::from_millis(4)).await;
        assert_eq!(*live.latest().await, 1);
        std::fs::write(&file, "and the third").unwrap();
        assert_eq!(*live.latest().await, 1, "the interval begins anew");
        tokio::time::advance(interval * 2).await;
        assert_eq!(*live.latest().await, 2);
        tokio::time::advance(interval * 2).await;
        assert_eq!(*live.latest().await, 2, "nothing has changed");
        std::fs::remove_file(file).unwrap();
        tokio::time::advance(interval * 2).await;
        assert_eq!(*live.latest().await, 2, "what cannot be read changes nothing");
        assert_eq!(live.tally.counts().reloads_refused, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_interval_without_end_never_looks() {
        let (file, live) = live("never", Duration::MAX);
        std::fs::write(&file, "the second").unwrap();
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(*live.latest().await, 0);
        live.reload().unwrap();
        assert_eq!(*live.latest().await, 1);
        std::fs::remove_file(file).unwrap();
    }
}
