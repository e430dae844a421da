//! Where a client's tokens come from.

use std::fmt;
use std::time::Duration;

use rpc_core::Error;

/// A token to call with. It is not shown in logs.
#[derive(Clone)]
pub struct Token {
    pub(super) text: Box<str>,
    pub(super) lifetime: Option<Duration>,
}

impl Token {
    /// Takes a token that stays valid.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self { text: text.into(), lifetime: None }
    }

    /// Says how long it is valid from now on, as `expires_in` does in OAuth 2.
    #[must_use]
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

/// Gets tokens: from an identity provider, say. An async function without arguments is such a source.
///
/// It is asked by one call at a time. Where that call is dropped, so is the future, and another call asks anew.
///
/// ```
/// use std::time::Duration;
/// use rpc_core::{Code, Error, Status};
/// use rpc_layers::auth::{BearerToken, Token};
/// let layer = BearerToken::from_source(async || -> Result<Token, Error> {
///     let (token, seconds) = log_in().await.map_err(|_| Status::new(Code::Unavailable, "the log-in does not answer"))?;
///     Ok(Token::new(token).expires_in(Duration::from_secs(seconds)))
/// });
/// # async fn log_in() -> Result<(String, u64), std::io::Error> { Ok((String::new(), 0)) }
/// # let _ = layer;
/// ```
pub trait TokenSource: Send + Sync + 'static {
    /// Gets a token.
    ///
    /// # Errors
    /// Whatever stood in the way; calls that cannot do without a new token fail with it.
    fn fetch(&self) -> impl Future<Output = Result<Token, Error>> + Send;
}

impl<F, Fut> TokenSource for F
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Token, Error>> + Send,
{
    fn fetch(&self) -> impl Future<Output = Result<Token, Error>> + Send {
        self()
    }
}

/// The source of a token that stays the same.
#[derive(Debug)]
pub struct Fixed {
    pub(super) token: Token,
}

impl TokenSource for Fixed {
    async fn fetch(&self) -> Result<Token, Error> {
        Ok(self.token.clone())
    }
}
