//! A file of keys, which is read again when it has changed, and not more often than agreed.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rpc_core::{Error, ErrorKind};

use super::{Inner, KeySet, State};
use crate::timeout::now;

/// Tokens with keys that are not known have the file looked at once in so long: whoever makes such tokens up decides when, but not how often.
const LOOK_PAUSE: Duration = Duration::from_secs(1);
const BYTES_MAX: u64 = 1 << 20;

pub(super) struct KeyFile {
    path: PathBuf,
    interval: Duration,
    /// When the last look ended. Whoever looks holds it.
    looked_at: tokio::sync::Mutex<Instant>,
    /// What the file was like when it was read last.
    seen: Mutex<Option<Stamp>>,
}

/// When it was changed, its length and its number: a file that was put in the place of another has another number.
type Stamp = (SystemTime, u64, u64);

impl KeyFile {
    /// Reads the file for the first time.
    pub(super) fn new(path: PathBuf, interval: Duration) -> Result<(Self, KeySet), Error> {
        let looked_at = tokio::sync::Mutex::new(now());
        let file = Self { path, interval, looked_at, seen: Mutex::new(None) };
        *file.seen() = file.stamp();
        let keys = file.read()?;
        Ok((file, keys))
    }

    /// Looks at the file where it is time to. Calls that come meanwhile go on with the keys that there are.
    pub(super) async fn look_if_due(&self, jwt: &Arc<Inner>) {
        let Ok(looked_at) = self.looked_at.try_lock() else { return };
        if since(*looked_at) >= self.interval {
            look(jwt, looked_at).await;
        }
    }

    /// Looks at the file for a key that is not known; returns the latest keys.
    pub(super) async fn look_for_key(&self, jwt: &Arc<Inner>) -> Arc<State> {
        let looked_at = self.looked_at.lock().await;
        // Those who have waited for another's look find that it was only just now.
        if since(*looked_at) >= LOOK_PAUSE {
            look(jwt, looked_at).await;
        }
        jwt.state.load_full()
    }

    /// Reads the file, whether it has changed or not.
    pub(super) fn reload(&self, jwt: &Inner) -> Result<(), Error> {
        let mut seen = self.seen();
        *seen = self.stamp();
        self.take(jwt)
    }

    /// Reads the file if it has changed. One that cannot be used is logged once: it is not tried again before it changes.
    fn read_if_changed(&self, jwt: &Inner) {
        let mut seen = self.seen();
        // Before it is read: what changes meanwhile is seen next time.
        let stamp = self.stamp();
        if stamp != *seen {
            *seen = stamp;
            if let Err(error) = self.take(jwt) {
                tracing::warn!(%error, "new keys for JSON web tokens were refused; the old ones stay in use");
            }
        }
    }

    fn take(&self, jwt: &Inner) -> Result<(), Error> {
        let read = self.read();
        let count = if read.is_ok() { &jwt.tally.reloads } else { &jwt.tally.reloads_refused };
        count.fetch_add(1, Ordering::Relaxed);
        jwt.replace(read?);
        tracing::info!(path = %self.path.display(), "keys for JSON web tokens were read");
        Ok(())
    }

    fn read(&self) -> Result<KeySet, Error> {
        let fail = |text: &str| format!("{text} {}", self.path.display());
        let mut text = String::new();
        let read = File::open(&self.path).and_then(|file| file.take(BYTES_MAX).read_to_string(&mut text));
        read.map_err(|error| {
            Error::new(ErrorKind::Config, fail("keys cannot be read from")).with_source(error)
        })?;
        KeySet::from_jwks(&text).map_err(|error| {
            Error::new(ErrorKind::Config, fail("no keys can be taken from")).with_source(error)
        })
    }

    fn stamp(&self) -> Option<Stamp> {
        let stamp = |file: Metadata| Some((file.modified().ok()?, file.len(), file.ino()));
        std::fs::metadata(&self.path).ok().and_then(stamp)
    }

    fn seen(&self) -> MutexGuard<'_, Option<Stamp>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at the file apart from the tasks, for a disk may be slow. Where the call is dropped meanwhile, the look goes on.
async fn look(jwt: &Arc<Inner>, mut looked_at: tokio::sync::MutexGuard<'_, Instant>) {
    // Also now: the call may be dropped before the end.
    *looked_at = now();
    jwt.tally.looks.fetch_add(1, Ordering::Relaxed);
    let jwt = jwt.clone();
    let look = move || jwt.file.as_ref().map(|file| file.read_if_changed(&jwt));
    // Where the runtime stops, the call does as well.
    let _ = tokio::task::spawn_blocking(look).await;
    *looked_at = now();
}

fn since(instant: Instant) -> Duration {
    now().saturating_duration_since(instant)
}
