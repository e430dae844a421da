//! Who calls, and whether they may: tokens, certificates and rules for servers, tokens for clients.
//!
//! On a server, [`Authenticate`] finds out who calls, from a bearer token or a client certificate, and lets a call pass if the method's
//! rule does: the one of the [`Authorize`] table, else the one that the trait writes as `#[rpc(auth = "…")]`, else that the caller is
//! known. On a client, [`BearerToken`] sends a token with each call.
//!
//! ```
//! use rpc_core::{Caller, Layer, Router};
//! use rpc_layers::auth::{Authenticate, Tokens};
//! use rpc_layers::describe;
//!
//! # fn main() -> Result<(), rpc_core::Error> {
//! let tokens = Tokens::new([("a-long-and-random-token", Caller::new("ada").with_role("admin"))])?;
//! let service = Authenticate::new(tokens).layer(Router::new());
//! assert_eq!(describe(&service), ["Authenticate(1 token; other methods: as their traits say, else caller)", "{}"]);
//! # Ok(())
//! # }
//! ```

mod authenticate;
mod bearer;
#[cfg(feature = "jwt")]
mod jwt;
mod rules;
mod tokens;
mod verify;

pub use authenticate::{AUTHORIZATION, Authenticate, AuthenticateService};
pub use bearer::{BearerToken, BearerTokenService, Fixed, Token, TokenSource};
#[cfg(feature = "jwt")]
pub use jwt::{Claims, Jwt, JwtBuilder, JwtCounts, Key, KeySet};
pub use rules::{Authorize, Rule};
pub use tokens::Tokens;
pub use verify::{AuthError, NoTokens, Verify};
