//! Settings of a verifier, and what they make of claims.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rpc_core::{Caller, Error, ErrorKind};

use super::claims::{Claims, Times, caller};
use super::file::KeyFile;
use super::{AuthError, Clock, Inner, Jwt, KeySet, State, Tally};

const LEEWAY: Duration = Duration::from_secs(60);
const RELOAD_INTERVAL: Duration = Duration::from_secs(10);
const CACHE_MAX: usize = 10_000;

/// Sets up a [`Jwt`]: [`issuer`](Self::issuer) and [`audience`](Self::audience) must be named, or any of them allowed.
#[must_use]
pub struct JwtBuilder {
    source: Source,
    issuers: Asked,
    audiences: Asked,
    leeway: Duration,
    clock: Clock,
    callers: Arc<FindCaller>,
    cache_max: usize,
    reload_interval: Duration,
}

pub(super) enum Source {
    Keys(KeySet),
    File(PathBuf),
}

type FindCaller = dyn Fn(&Claims) -> Result<Caller, AuthError> + Send + Sync;

/// One of these, or any.
#[derive(Default)]
struct Asked {
    any: bool,
    names: Vec<String>,
}

impl JwtBuilder {
    pub(super) fn new(source: Source) -> Self {
        Self {
            source,
            issuers: Asked::default(),
            audiences: Asked::default(),
            leeway: LEEWAY,
            clock: Arc::new(SystemTime::now),
            callers: Arc::new(caller),
            cache_max: CACHE_MAX,
            reload_interval: RELOAD_INTERVAL,
        }
    }

    /// Takes tokens of this issuer (`iss`), written as the issuer does; once for each, where there are several.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuers.names.push(issuer.into());
        self
    }

    /// Takes tokens whatever their issuer: for keys that nobody else signs with.
    pub fn any_issuer(mut self) -> Self {
        self.issuers.any = true;
        self
    }

    /// Takes tokens for this audience (`aud`), the name of this service mostly; once for each, where there are several.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.names.push(audience.into());
        self
    }

    /// Takes tokens whatever they are for. Another service that gets one can then call this one with it.
    pub fn any_audience(mut self) -> Self {
        self.audiences.any = true;
        self
    }

    /// Allows for clocks that differ: a token is good for so much longer than it says, and so much earlier.
    ///
    /// Default: 60 s. Too little refuses tokens that have only just been issued; too much keeps those alive that have expired.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Sets the clock that tokens are held against. Default: the system's. A jump of it moves what is expired and what is not yet valid, and
    /// nothing else.
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets what makes callers of claims whose signature, times, issuer and audience have been checked. It is asked once for a token that is kept.
    ///
    /// Default: the name is `sub`, which must be there; scopes are the words of `scope` and `scp`, roles those of `roles`, each a text or a
    /// list. The claims are attached either way.
    ///
    /// ```
    /// use rpc_core::Caller;
    /// use rpc_layers::auth::{AuthError, Claims, Jwt};
    /// let jwt = Jwt::from_file("/etc/bank/jwks.json").callers(|claims: &Claims| {
    ///     let tenant = claims.text("tenant").ok_or_else(|| AuthError::invalid("it names no tenant"))?;
    ///     Ok(Caller::new(tenant).with_role("tenant"))
    /// });
    /// # let _ = jwt;
    /// ```
    pub fn callers(
        mut self,
        callers: impl Fn(&Claims) -> Result<Caller, AuthError> + Send + Sync + 'static,
    ) -> Self {
        self.callers = Arc::new(callers);
        self
    }

    /// Caps the verified tokens that are kept. Default: 10,000; each takes about 1 KB, with its claims. Too few
    /// verify the same signatures over and over.
    pub fn cache_max(mut self, tokens: usize) -> Self {
        self.cache_max = tokens;
        self
    }

    /// Sets how often the file of keys is looked at. Default: 10 s. A key that is taken out of it is good for so much longer.
    pub fn reload_interval(mut self, interval: Duration) -> Self {
        self.reload_interval = interval;
        self
    }

    /// Makes the verifier.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: neither an issuer is named nor any allowed, or no audience, or the file of keys cannot be used.
    pub fn build(self) -> Result<Jwt, Error> {
        self.issuers.check("issuer")?;
        self.audiences.check("audience")?;
        let tally = Tally::default();
        let (keys, file) = match self.source {
            Source::Keys(keys) => (keys, None),
            Source::File(path) => {
                let (file, keys) = KeyFile::new(path, self.reload_interval)?;
                (keys, Some(file))
            }
        };
        let settings = Settings {
            issuers: self.issuers,
            audiences: self.audiences,
            leeway_seconds: self.leeway.as_secs_f64(),
            clock: self.clock,
            callers: self.callers,
            cache_max: self.cache_max,
        };
        let state = ArcSwap::from_pointee(State::new(keys, self.cache_max));
        Ok(Jwt { inner: Arc::new(Inner { settings, state, file, tally }) })
    }
}

impl fmt::Debug for JwtBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtBuilder")
            .field("issuers", &self.issuers.names)
            .field("audiences", &self.audiences.names)
            .field("leeway", &self.leeway)
            .finish_non_exhaustive()
    }
}

impl Asked {
    fn check(&self, what: &str) -> Result<(), Error> {
        let text = match (self.any, self.names.is_empty()) {
            (false, true) => {
                format!("name the {what} of the tokens with `{what}`, or allow for `any_{what}`")
            }
            (true, false) => format!("`{what}` and `any_{what}` rule each other out: leave one out"),
            _ => return Ok(()),
        };
        Err(Error::new(ErrorKind::Config, text))
    }

    fn has<'n>(&self, mut names: impl Iterator<Item = &'n str>) -> bool {
        self.any || names.any(|name| self.names.iter().any(|asked| asked == name))
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&if self.any { "any".to_owned() } else { self.names.join(" or ") })
    }
}

/// What is asked of tokens.
pub(super) struct Settings {
    issuers: Asked,
    audiences: Asked,
    pub(super) leeway_seconds: f64,
    pub(super) clock: Clock,
    callers: Arc<FindCaller>,
    pub(super) cache_max: usize,
}

impl Settings {
    /// Finds the caller in the claims of a token whose signature fits.
    pub(super) fn check(&self, claims: Claims, now: f64) -> Result<(Caller, Times), AuthError> {
        let times = Times::of(&claims).map_err(AuthError::invalid)?;
        times.check(now, self.leeway_seconds).map_err(AuthError::invalid)?;
        // Of one who issues there is one name; a list is nobody's.
        if !self.issuers.has(claims.text("iss").into_iter()) {
            return Err(AuthError::invalid(
                "it is from another issuer (iss) than those that are trusted here",
            ));
        }
        if !self.audiences.has(claims.texts("aud")) {
            return Err(AuthError::invalid("it is for others (aud): ask for one for this service"));
        }
        Ok(((self.callers)(&claims)?.with_detail(claims), times))
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "issuer {}, audience {}, leeway {}s", self.issuers, self.audiences, self.leeway_seconds)
    }
}
