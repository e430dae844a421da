//! JSON web tokens (RFC 7519) that an identity provider has signed.

mod builder;
mod cache;
mod claims;
mod file;
mod keys;
mod signed;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use ring::digest::{SHA256, digest};
use rpc_core::{Caller, Error};

pub use builder::JwtBuilder;
pub use claims::Claims;
pub use keys::{Key, KeySet};

use super::verify::{AuthError, Verify};
use builder::Settings;
use cache::{Cache, Digest};
use file::KeyFile;
use keys::Unfit;

/// Knows callers by JSON web tokens: HS256, RS256, ES256 and EdDSA (Ed25519), in the compact form.
///
/// A token is taken if a key of this set has signed it with that key's algorithm, if it is from the issuer and for the audience that are
/// asked for, if it has not expired (`exp`, which must be there), and if it is valid already (`nbf`). The algorithm belongs to the key: what
/// the token says of it must be the same, and can choose nothing. The caller is the subject (`sub`) with the scopes of `scope` and `scp` and
/// the roles of `roles`, unless [`JwtBuilder::callers`] says otherwise; its [`detail`](Caller::detail) is the [`Claims`].
///
/// Verified tokens are kept by their SHA-256 until keys change, and their times are held against the clock for each call. Clones are the same
/// verifier.
///
/// ```
/// use rpc_layers::auth::{Authenticate, Jwt, Key, KeySet};
/// # fn main() -> Result<(), rpc_core::Error> {
/// # let secret = [7_u8; 32];
/// let keys = KeySet::new([Key::hs256(&secret)?.with_id("2026-01")])?;
/// let jwt = Jwt::builder(keys).issuer("https://id.example").audience("bank").build()?;
/// let layer = Authenticate::new(jwt.clone());
/// // Later: tokens of the old key are refused from now on, also those that were taken before.
/// jwt.replace_keys(KeySet::new([Key::hs256(&[8; 32])?.with_id("2026-02")])?);
/// # let _ = layer;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Jwt {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    state: ArcSwap<State>,
    file: Option<KeyFile>,
    tally: Tally,
}

/// Keys and what was verified with them: they go together, so that nothing outlives its key.
struct State {
    keys: KeySet,
    cache: Mutex<Cache>,
}

impl Jwt {
    /// Takes tokens that these keys have signed.
    pub fn builder(keys: KeySet) -> JwtBuilder {
        JwtBuilder::new(builder::Source::Keys(keys))
    }

    /// Takes tokens that the keys of a file have signed, which holds a JSON web key set (RFC 7517).
    ///
    /// It needs a tokio runtime: the file is read apart from its tasks.
    ///
    /// The file is looked at every 10 s ([`JwtBuilder::reload_interval`]) while calls come, and when a token names a key that is not known,
    /// once a second at most; it is read where it has changed. A file that cannot be used is logged once, and the old keys stay. Publish a
    /// key before you sign with it.
    pub fn from_file(path: impl Into<std::path::PathBuf>) -> JwtBuilder {
        JwtBuilder::new(builder::Source::File(path.into()))
    }

    /// Replaces all keys, for calls from now on; what was verified with the old ones is forgotten.
    pub fn replace_keys(&self, keys: KeySet) {
        self.inner.replace(keys);
    }

    /// Reads the file of keys at once, whether it has changed or not. Without a file, nothing happens. It blocks while it reads.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](rpc_core::ErrorKind::Config): the file cannot be used; the old keys stay.
    pub fn reload(&self) -> Result<(), Error> {
        self.inner.file.as_ref().map_or(Ok(()), |file| file.reload(&self.inner))
    }

    /// Counts what has happened since the start.
    pub fn counts(&self) -> JwtCounts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let tally = &self.inner.tally;
        JwtCounts {
            verified: read(&tally.verified),
            looks: read(&tally.looks),
            reloads: read(&tally.reloads),
            reloads_refused: read(&tally.reloads_refused),
        }
    }
}

impl Verify for Jwt {
    async fn verify(&self, token: &str) -> Result<Caller, AuthError> {
        if let Some(file) = &self.inner.file {
            file.look_if_due(&self.inner).await;
        }
        let state = self.inner.state.load_full();
        let refused = match self.inner.check(&state, token) {
            Err(refused) => refused,
            Ok(caller) => return Ok(caller),
        };
        if let (Refused::UnknownKey, Some(file)) = (&refused, &self.inner.file) {
            let latest = file.look_for_key(&self.inner).await;
            return self.inner.check(&latest, token).map_err(Refused::into_error);
        }
        Err(refused.into_error())
    }

    fn describe(&self) -> String {
        let keys = match self.inner.state.load().keys.len() {
            1 => "1 key".to_owned(),
            keys => format!("{keys} keys"),
        };
        format!("JWT of {keys}, {}", self.inner.settings)
    }
}

/// Why a token was refused.
enum Refused {
    /// A look at the file may help.
    UnknownKey,
    Other(AuthError),
}

impl Refused {
    fn into_error(self) -> AuthError {
        match self {
            Self::UnknownKey => AuthError::invalid("its key (kid) is not known here: log in again"),
            Self::Other(error) => error,
        }
    }
}

impl From<AuthError> for Refused {
    fn from(error: AuthError) -> Self {
        Self::Other(error)
    }
}

impl From<Unfit> for Refused {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::UnknownKey => Self::UnknownKey,
            Unfit::Other(reason) => Self::Other(AuthError::invalid(reason)),
        }
    }
}

impl Inner {
    fn check(&self, state: &State, token: &str) -> Result<Caller, Refused> {
        let now = self.now()?;
        let digest = sha256(token);
        if let Some(known) = state.cache().find(&digest) {
            known.times.check(now, self.settings.leeway_seconds).map_err(AuthError::invalid)?;
            return Ok(known.caller);
        }
        self.tally.verified.fetch_add(1, Ordering::Relaxed);
        let claims = state.keys.verified(&signed::Signed::parse(token).map_err(AuthError::invalid)?)?;
        let (caller, times) = self.settings.check(claims, now)?;
        state.cache().insert(digest, cache::Known { caller: caller.clone(), times });
        Ok(caller)
    }

    /// Returns the present in seconds since 1970.
    fn now(&self) -> Result<f64, AuthError> {
        let now = (self.settings.clock)().duration_since(UNIX_EPOCH);
        now.map(|now| now.as_secs_f64())
            .map_err(|_| AuthError::unavailable("this server's clock stands before 1970: tell who runs it"))
    }

    fn replace(&self, keys: KeySet) {
        self.state.store(Arc::new(State::new(keys, self.settings.cache_max)));
    }
}

impl State {
    fn new(keys: KeySet, cache_max: usize) -> Self {
        Self { keys, cache: Mutex::new(Cache::new(cache_max)) }
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sha256(token: &str) -> Digest {
    let mut bytes = Digest::default();
    for (to, from) in bytes.iter_mut().zip(digest(&SHA256, token.as_bytes()).as_ref()) {
        *to = *from;
    }
    bytes
}

#[derive(Default)]
struct Tally {
    verified: AtomicU64,
    looks: AtomicU64,
    reloads: AtomicU64,
    reloads_refused: AtomicU64,
}

/// What a [`Jwt`] has done since the start: a `reloads_refused` that rises says that the file is wrong and the old keys are growing old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct JwtCounts {
    /// Tokens that were taken apart and verified, because they were not known.
    pub verified: u64,
    /// Looks at the file of keys.
    pub looks: u64,
    /// Reloads that took new keys into use.
    pub reloads: u64,
    /// Reloads that were refused, so that the old keys stayed in use.
    pub reloads_refused: u64,
}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jwt({})", self.describe())
    }
}

/// The clock that tokens are held against.
type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;
