//! Finds out who calls, and lets a call pass or not.

use std::fmt;
use std::sync::Arc;

use rpc_core::{
    Caller, Code, Error, Layer, MethodDescriptor, MethodId, PeerCertificate, Request, Response, Service,
    Status, Value,
};

use super::rules::{Applied, Authorize};
use super::verify::{NoTokens, Verify};

/// The metadata key under which a token travels, after `Bearer` and a space.
pub const AUTHORIZATION: &str = "authorization";

/// A longer one is refused before it is looked at.
const TOKEN_BYTES_MAX: usize = 8192;

/// Finds out who calls, and refuses what the caller may not do.
///
/// The token is that of the metadata `authorization: Bearer <token>`. A handler reads who it speaks for with
/// [`Context::caller`](rpc_core::Context::caller), a layer further in with [`Request::caller`].
///
/// Each method has a rule: that of the [`authorize`](Self::authorize) table, else that of the trait's `#[rpc(auth = "…")]`, else that the
/// caller is known. So nothing is open to everybody that does not say so. A method that is open to everybody is also open to those whose
/// token does not hold: for it, such a caller is unknown.
///
/// The token is taken out of the metadata: handlers, logs and recordings do not see it, and it does not go along with calls that the
/// handler makes. The caller is looked at when the call begins; a stream goes on when the token expires meanwhile.
///
/// ```
/// use rpc_core::Caller;
/// use rpc_layers::auth::{Authenticate, Tokens};
/// # fn main() -> Result<(), rpc_core::Error> {
/// let tokens = Tokens::new([("f3d8Kq0vXw7cTn1LzR5b", Caller::new("billing").with_role("reader"))])?;
/// let layer = Authenticate::new(tokens);
/// # let _ = layer;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct Authenticate<V> {
    verifier: V,
    policy: Policy,
}

#[derive(Default)]
struct Policy {
    certificates: Option<Arc<FindCaller>>,
    rules: Authorize,
    keeps_token: bool,
}

type FindCaller = dyn Fn(&PeerCertificate) -> Option<Caller> + Send + Sync;

impl<V: Verify> Authenticate<V> {
    /// Knows callers by what a verifier makes of their tokens.
    pub fn new(verifier: V) -> Self {
        Self { verifier, policy: Policy::default() }
    }

    /// Sets rules that go before those of the traits. Default: none.
    pub fn authorize(mut self, rules: Authorize) -> Self {
        self.policy.rules = rules;
        self
    }

    /// Knows callers also by the certificate that their connection has shown, where a call brings no token.
    ///
    /// The certificate was verified; the function says whom it speaks for, none being nobody. It is asked for each such call. A call with
    /// a token stands or falls by the token. Default: certificates say nothing.
    ///
    /// ```
    /// use rpc_core::{Caller, PeerCertificate};
    /// use rpc_layers::auth::{Authenticate, NoTokens};
    /// let billing = Caller::new("billing").with_scope("accounts.read");
    /// let layer = Authenticate::new(NoTokens::new()).certificates(move |certificate: &PeerCertificate| {
    ///     certificate.uris().iter().any(|uri| uri == "spiffe://prod/billing").then(|| billing.clone())
    /// });
    /// # let _ = layer;
    /// ```
    pub fn certificates(
        mut self,
        find: impl Fn(&PeerCertificate) -> Option<Caller> + Send + Sync + 'static,
    ) -> Self {
        self.policy.certificates = Some(Arc::new(find));
        self
    }

    /// Leaves the token in the metadata, for a handler that calls others in its caller's name. It is still not sent unasked.
    pub fn keep_token(mut self) -> Self {
        self.policy.keeps_token = true;
        self
    }
}

impl<S: Service, V: Verify> Layer<S> for Authenticate<V> {
    type Service = AuthenticateService<S, V>;

    fn layer(self, inner: S) -> Self::Service {
        AuthenticateService { inner, verifier: self.verifier, policy: self.policy }
    }
}

/// The service that [`Authenticate`] makes.
///
/// # Errors
/// `UNAUTHENTICATED` where the caller is not known and the method's rule asks for that, `PERMISSION_DENIED` where the caller is known and
/// lacks a right, `UNAVAILABLE` where the verifier cannot tell; the call was not run.
pub struct AuthenticateService<S, V> {
    inner: S,
    verifier: V,
    policy: Policy,
}

impl<S: Service, V: Verify> Service for AuthenticateService<S, V> {
    async fn call(&self, mut request: Request) -> Result<Response, Error> {
        request.find_descriptor(&self.inner);
        let found = match self.policy.credentials(&mut request) {
            Credentials::Token(value) => match token(&value) {
                Ok(token) => self.verifier.verify(token).await.map(Some).map_err(|error| error.into_status()),
                Err(problem) => Err(problem),
            },
            Credentials::Caller(caller) => Ok(caller),
        };
        let rule = self.policy.rules.rule(request.method(), request.descriptor());
        let caller = match found {
            Ok(caller) => caller,
            Err(_) if rule.is_none() => None,
            Err(status) => return Err(status.into()),
        };
        self.policy.admit(&request, &rule, caller.as_ref())?;
        request.set_caller(caller);
        self.inner.call(request).await
    }

    fn find_method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.inner.find_method(id)
    }

    fn describe(&self, lines: &mut Vec<String>) {
        let certificates = self.policy.certificates.as_ref().map_or("", |_| ", certificates");
        let rules = match self.policy.rules.is_empty() {
            true => String::new(),
            false => format!("{}; ", self.policy.rules),
        };
        lines.push(format!(
            "Authenticate({}{certificates}; {rules}other methods: as their traits say, else caller)",
            self.verifier.describe()
        ));
        self.inner.describe(lines);
    }
}

/// What a request brings for its caller.
enum Credentials {
    Token(Value),
    /// Found without one, or nobody.
    Caller(Option<Caller>),
}

impl Policy {
    fn credentials(&self, request: &mut Request) -> Credentials {
        if let Some(value) = request.metadata_mut().remove(AUTHORIZATION) {
            if self.keeps_token {
                // Anew, and so without a mark to propagate.
                request.metadata_mut().insert(AUTHORIZATION, value.clone());
            }
            return Credentials::Token(value);
        }
        // A layer further out may have found the caller already.
        Credentials::Caller(request.caller().cloned().or_else(|| {
            let certificate = request.peer()?.certificate()?;
            self.certificates.as_ref()?(certificate)
        }))
    }

    fn admit(&self, request: &Request, rule: &Applied<'_>, caller: Option<&Caller>) -> Result<(), Status> {
        match caller {
            Some(caller) if rule.allows(caller) => Ok(()),
            None if rule.is_none() => Ok(()),
            Some(caller) => {
                let text =
                    format!("{} may not call {}: that takes {rule}", caller.name(), request.method_name());
                Err(Status::new(Code::PermissionDenied, text))
            }
            None => {
                let or = self
                    .certificates
                    .as_ref()
                    .map_or("", |_| ", or connect over tls:// with a client certificate that is known here");
                let text = format!(
                    "{} is for callers who are known: send the metadata `authorization: Bearer <token>`{or}",
                    request.method_name()
                );
                Err(Status::new(Code::Unauthenticated, text))
            }
        }
    }
}

/// Finds the token in the metadata's value.
fn token(value: &Value) -> Result<&str, Status> {
    let malformed = |what: &str| {
        let text = format!("the metadata `authorization` {what}: send `Bearer <token>`, as text");
        Status::new(Code::Unauthenticated, text)
    };
    let Value::Text(text) = value else { return Err(malformed("is not text")) };
    let Some((scheme, token)) = text.split_once(' ') else { return Err(malformed("is malformed")) };
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(malformed("has another scheme than Bearer"));
    }
    let token = token.trim_start_matches(' ');
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(malformed("is malformed"));
    }
    if token.len() > TOKEN_BYTES_MAX {
        return Err(malformed("holds more than 8192 bytes"));
    }
    Ok(token)
}

impl Authenticate<NoTokens> {
    /// Knows callers by the certificates of their connections alone; see [`certificates`](Self::certificates).
    pub fn by_certificate(find: impl Fn(&PeerCertificate) -> Option<Caller> + Send + Sync + 'static) -> Self {
        Self::new(NoTokens::new()).certificates(find)
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("certificates", &self.certificates.is_some())
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

impl<V: Verify> fmt::Debug for Authenticate<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticate")
            .field("verifier", &self.verifier.describe())
            .field("policy", &self.policy)
            .finish()
    }
}

impl<S: fmt::Debug, V: Verify> fmt::Debug for AuthenticateService<S, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticateService")
            .field("verifier", &self.verifier.describe())
            .field("policy", &self.policy)
            .field("inner", &self.inner)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_is_compared_without_regard_to_case() {
        for text in ["Bearer abc", "bearer abc", "BEARER   abc"] {
            assert_eq!(token(&Value::from(text)).unwrap(), "abc");
        }
    }

    #[test]
    fn what_is_malformed_is_told_what_to_send_and_not_repeated() {
        let long = format!("Bearer {}", "x".repeat(TOKEN_BYTES_MAX + 1));
        for text in
            ["", "Bearer", "Bearer ", "Basic s3cr3t", "s3cr3t", "Bearer s3cr3t x", "Bearer\ts3cr3t", &long]
        {
            let status = token(&Value::from(text)).unwrap_err();
            assert_eq!(status.code(), Code::Unauthenticated);
            assert!(
                status.message().contains("Bearer <token>") && !status.message().contains("s3cr3t"),
                "{status}"
            );
        }
        assert!(token(&Value::from(&b"Bearer abc"[..])).is_err());
    }
}
