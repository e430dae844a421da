//! What a token says.

use std::fmt;

use rpc_core::Caller;
use serde_json::{Map, Value};

use super::AuthError;

/// What a verified token says: [`Caller::detail`] of a caller that [`Jwt`](super::Jwt) knows.
///
/// ```
/// use rpc_core::Context;
/// use rpc_layers::auth::Claims;
/// fn tenant() -> Option<String> {
///     let context = Context::current();
///     context.caller()?.detail::<Claims>()?.text("tenant").map(str::to_owned)
/// }
/// # assert_eq!(tenant(), None);
/// ```
#[derive(Clone, PartialEq)]
pub struct Claims {
    json: Map<String, Value>,
}

impl Claims {
    pub(super) fn new(json: Map<String, Value>) -> Self {
        Self { json }
    }

    /// Returns a claim.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.json.get(name)
    }

    /// Returns a claim that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.json.get(name)?.as_str()
    }

    /// Returns all claims.
    pub fn as_json(&self) -> &Map<String, Value> {
        &self.json
    }

    /// Goes through a claim that is a text, or a list of texts.
    pub(super) fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        let value = self.json.get(name);
        let list = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        value.and_then(Value::as_str).into_iter().chain(list)
    }
}

// They may be personal: a log shows the names only.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.json.keys()).finish()
    }
}

/// From when to when a token is good, in seconds since 1970.
#[derive(Clone, Copy)]
pub(super) struct Times {
    not_before: Option<f64>,
    expires: f64,
}

impl Times {
    pub(super) fn of(claims: &Claims) -> Result<Self, &'static str> {
        let expires =
            claims.value("exp").ok_or("it does not say when it expires (exp): such a token is not taken")?;
        let expires = expires.as_f64().ok_or("its expiry (exp) is not a number")?;
        // What is there must be understood: passing over it would let a token in too early.
        let not_before = match claims.value("nbf") {
            Some(time) => Some(time.as_f64().ok_or("its time nbf is not a number")?),
            None => None,
        };
        Ok(Self { not_before, expires })
    }

    pub(super) fn check(&self, now: f64, leeway: f64) -> Result<(), &'static str> {
        if now >= self.expires + leeway {
            return Err("it has expired (exp): get a new one");
        }
        if self.not_before.is_some_and(|not_before| now + leeway < not_before) {
            return Err("it is not valid yet (nbf): try later, or see whether the clocks differ");
        }
        Ok(())
    }
}

/// Makes a caller of the claims that RFC 9068 and RFC 8693 name.
pub(super) fn caller(claims: &Claims) -> Result<Caller, AuthError> {
    let name = claims.text("sub").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| AuthError::invalid("it names nobody (sub)"))?;
    let words = |claim| claims.texts(claim).flat_map(str::split_ascii_whitespace);
    let caller = words("roles").fold(Caller::new(name), Caller::with_role);
    Ok(words("scope").chain(words("scp")).fold(caller, Caller::with_scope))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(json: &str) -> Claims {
        Claims::new(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn roles_and_scopes_are_found_in_text_and_in_lists() {
        let text = claims(r#"{"sub":"ada","scope":"read  write","roles":["admin","ops"],"scp":["extra",7]}"#);
        let caller = caller(&text).unwrap();
        assert_eq!(caller.scopes().collect::<Vec<_>>(), ["read", "write", "extra"]);
        assert_eq!(caller.roles().collect::<Vec<_>>(), ["admin", "ops"]);
    }

    #[test]
    fn times_that_are_not_numbers_are_refused_and_not_passed_over() {
        for json in [
            r#"{}"#,
            r#"{"exp":"9"}"#,
            r#"{"exp":null}"#,
            r#"{"exp":9,"nbf":"1"}"#,
            r#"{"exp":9,"nbf":null}"#,
        ] {
            assert!(Times::of(&claims(json)).is_err(), "{json}");
        }
    }

    #[test]
    fn a_token_is_good_from_nbf_until_exp_give_or_take_the_leeway() {
        let times = Times::of(&claims(r#"{"exp":1000,"nbf":500.5}"#)).unwrap();
        let good = |now| times.check(now, 60.0).is_ok();
        assert_eq!([440.4, 440.5, 1059.9, 1060.0].map(good), [false, true, true, false]);
    }
}
