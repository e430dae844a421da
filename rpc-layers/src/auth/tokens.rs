//! Tokens from a table.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rpc_core::{Caller, Error, ErrorKind};

use super::verify::{AuthError, Verify};

/// Shorter ones can be guessed: 16 characters of base64 are 96 bits.
const TOKEN_BYTES_MIN: usize = 16;
const TOKEN_BYTES_MAX: usize = 8192;

/// Knows callers by tokens from a table, which can be replaced while the server runs; clones share the table.
///
/// How long the answer takes does not tell which token is nearly right: all entries are compared, by hashes whose keys nobody
/// outside of the process knows. It takes time in proportion to the table: for thousands of callers, write a [`Verify`] of your own.
///
/// ```
/// use rpc_core::Caller;
/// use rpc_layers::auth::Tokens;
/// # fn main() -> Result<(), rpc_core::Error> {
/// let tokens = Tokens::new([
///     ("f3d8Kq0vXw7cTn1LzR5b", Caller::new("billing").with_scope("accounts.read")),
///     ("Zs6pQ2mYh4eUj9AgVt8i", Caller::new("ops").with_role("admin")),
/// ])?;
/// // Later, say from a signal handler: `billing` is known no longer.
/// tokens.replace([("Zs6pQ2mYh4eUj9AgVt8i", Caller::new("ops").with_role("admin"))])?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Tokens {
    table: Arc<ArcSwap<Table>>,
}

struct Table {
    keys: [RandomState; 2],
    entries: Vec<Entry>,
}

struct Entry {
    hash: u128,
    token: Box<str>,
    caller: Caller,
}

impl Tokens {
    /// Takes tokens, each with whom it speaks for.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: a token has less than 16 bytes or more than 8,192, has white space or other than ASCII in it, or stands there twice.
    pub fn new<T: AsRef<str>>(tokens: impl IntoIterator<Item = (T, Caller)>) -> Result<Self, Error> {
        Ok(Self { table: Arc::new(ArcSwap::from_pointee(Table::new(tokens)?)) })
    }

    /// Replaces all tokens, for calls from now on. One that is not among the new ones is refused then.
    ///
    /// # Errors
    /// As [`new`](Self::new); the old table stays in use.
    pub fn replace<T: AsRef<str>>(&self, tokens: impl IntoIterator<Item = (T, Caller)>) -> Result<(), Error> {
        self.table.store(Arc::new(Table::new(tokens)?));
        Ok(())
    }
}

impl Table {
    fn new<T: AsRef<str>>(tokens: impl IntoIterator<Item = (T, Caller)>) -> Result<Self, Error> {
        let mut table = Self { keys: [RandomState::new(), RandomState::new()], entries: Vec::new() };
        for (token, caller) in tokens {
            let token = token.as_ref();
            if let Some(problem) = problem(token) {
                let text = format!("the token of {:?} {problem}", caller.name());
                return Err(Error::new(ErrorKind::Config, text));
            }
            if let Some(other) = table.find(token) {
                let text = format!("{:?} and {:?} have the same token", other.name(), caller.name());
                return Err(Error::new(ErrorKind::Config, text));
            }
            table.entries.push(Entry { hash: table.hash(token), token: token.into(), caller });
        }
        Ok(table)
    }

    /// Hashes with keys of this process, so that it says nothing of the token how many bits of two hashes are alike.
    fn hash(&self, token: &str) -> u128 {
        let [low, high] = self.keys.each_ref().map(|key| u128::from(key.hash_one(token)));
        high << 64 | low
    }

    fn find(&self, token: &str) -> Option<&Caller> {
        let hash = self.hash(token);
        // No end before the last entry: where the right one stands is not to be seen from without.
        let found = self.entries.iter().fold(None, |found, entry| {
            if std::hint::black_box(entry.hash ^ hash) == 0 { Some(entry) } else { found }
        })?;
        // That hashes are alike is no proof. Only who has the token, or a second one with the same hash, gets here.
        (*found.token == *token).then_some(&found.caller)
    }
}

fn problem(token: &str) -> Option<&'static str> {
    if token.len() < TOKEN_BYTES_MIN {
        Some("has less than 16 bytes, and may be guessed: make one of 32 random characters")
    } else if token.len() > TOKEN_BYTES_MAX {
        Some("has more than 8192 bytes, which no caller can send")
    } else if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        Some("has white space or other than ASCII in it, which no caller can send")
    } else {
        None
    }
}

impl Verify for Tokens {
    fn verify(&self, token: &str) -> impl Future<Output = Result<Caller, AuthError>> + Send {
        let caller = self.table.load().find(token).cloned();
        std::future::ready(caller.ok_or_else(|| AuthError::invalid("it is not known here: ask for another")))
    }

    fn describe(&self) -> String {
        match self.table.load().entries.len() {
            1 => "1 token".to_owned(),
            tokens => format!("{tokens} tokens"),
        }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.describe())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(count: usize) -> Table {
        let names = (0..count).map(|n| (format!("token-number-{n:06}"), Caller::new(n.to_string())));
        Table::new(names).unwrap()
    }

    #[test]
    fn each_token_is_its_callers() {
        let table = table(50);
        for n in 0..50 {
            let caller = table.find(&format!("token-number-{n:06}")).unwrap();
            assert_eq!(caller.name(), n.to_string());
        }
        for wrong in ["token-number-000050", "token-number-00000", "", "token-number-0000011"] {
            assert!(table.find(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_token_whose_hash_is_anothers_is_refused() {
        let mut table = table(1);
        table.entries[0].hash = table.hash("some-other-token-x");
        assert!(table.find("some-other-token-x").is_none());
    }

    #[test]
    fn hashes_differ_from_table_to_table() {
        assert_ne!(table(1).entries[0].hash, table(1).entries[0].hash);
    }

    #[test]
    fn tokens_that_cannot_serve_are_refused_without_being_repeated() {
        let cases = ["short", "with a space in it ", "not-ascii-äöüäöüäöü"];
        for token in cases {
            let error = Tokens::new([(token, Caller::new("ada"))]).unwrap_err().to_string();
            assert!(error.contains("ada") && !error.contains(token), "{error}");
        }
        let twice = ["same-token-for-both", "same-token-for-both"].map(|token| (token, Caller::new("ada")));
        let error = Tokens::new(twice).unwrap_err().to_string();
        assert!(error.contains("the same token") && !error.contains("for-both"), "{error}");
    }
}
