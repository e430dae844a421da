//! What tells whom a token speaks for.

use std::fmt;

use rpc_core::{Caller, Code, Status};

/// Tells whom a token speaks for. [`Tokens`](super::Tokens) and, with the feature `jwt`, `Jwt` are such; write your own to ask elsewhere.
///
/// It is asked for each call that brings a token, so keep what can be kept, and bound what you keep: callers choose what they send.
/// A pair of verifiers asks the second where the first refuses.
///
/// # Cancel safety
/// `verify` is dropped where the call is.
///
/// ```
/// use rpc_core::Caller;
/// use rpc_layers::auth::{AuthError, Authenticate, Verify};
///
/// struct Sessions;
///
/// impl Verify for Sessions {
///     async fn verify(&self, token: &str) -> Result<Caller, AuthError> {
///         match look_up(token).await {
///             Ok(Some(name)) => Ok(Caller::new(name)),
///             Ok(None) => Err(AuthError::invalid("the session is over: log in again")),
///             Err(_) => Err(AuthError::unavailable("the sessions cannot be reached: try again later")),
///         }
///     }
/// }
/// # async fn look_up(_: &str) -> Result<Option<String>, std::io::Error> { Ok(None) }
/// let layer = Authenticate::new(Sessions);
/// # let _ = layer;
/// ```
pub trait Verify: Send + Sync + 'static {
    /// Tells whom a token speaks for. The token has 1 to 8,192 bytes of ASCII without white space.
    ///
    /// # Errors
    /// [`AuthError::invalid`] where it speaks for nobody, [`AuthError::unavailable`] where that cannot be found out now.
    fn verify(&self, token: &str) -> impl Future<Output = Result<Caller, AuthError>> + Send;

    /// Says what it takes, in a few words, for `describe`; no secrets.
    fn describe(&self) -> String {
        std::any::type_name::<Self>().to_owned()
    }
}

/// Why a token was refused.
///
/// The caller is told the reason, so it says what to do, and never repeats the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthError {
    code: Code,
    reason: String,
}

impl AuthError {
    /// The token speaks for nobody: `UNAUTHENTICATED`.
    pub fn invalid(reason: impl Into<String>) -> Self {
        Self { code: Code::Unauthenticated, reason: reason.into() }
    }

    /// Whom it speaks for cannot be found out now: `UNAVAILABLE`.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self { code: Code::Unavailable, reason: reason.into() }
    }

    /// Tells whether the token was refused, and not merely left open.
    pub fn is_invalid(&self) -> bool {
        self.code == Code::Unauthenticated
    }

    pub(super) fn into_status(self) -> Status {
        let text = match self.is_invalid() {
            true => format!("the token was refused: {}", self.reason),
            false => format!("the token could not be verified: {}", self.reason),
        };
        Status::new(self.code, text)
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for AuthError {}

/// Takes no token: for a server that knows its callers by their certificates alone.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct NoTokens;

impl NoTokens {
    /// Creates the verifier.
    pub const fn new() -> Self {
        Self
    }
}

impl Verify for NoTokens {
    async fn verify(&self, _: &str) -> Result<Caller, AuthError> {
        Err(AuthError::invalid("no tokens are taken here: leave it out"))
    }

    fn describe(&self) -> String {
        "no tokens".to_owned()
    }
}

impl<A: Verify, B: Verify> Verify for (A, B) {
    async fn verify(&self, token: &str) -> Result<Caller, AuthError> {
        let first = match self.0.verify(token).await {
            Err(error) => error,
            caller => return caller,
        };
        match self.1.verify(token).await {
            // What the first could not find out may have been a yes.
            Err(second) if second.is_invalid() && !first.is_invalid() => Err(first),
            verdict => verdict,
        }
    }

    fn describe(&self) -> String {
        format!("{}, {}", self.0.describe(), self.1.describe())
    }
}
