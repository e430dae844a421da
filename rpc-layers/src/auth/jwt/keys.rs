//! Keys that tokens are signed with, each with its one algorithm.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use rpc_core::{Error, ErrorKind};
use serde_json::{Map, Value};

use super::claims::Claims;
use super::signed::Signed;

/// A key that verifies tokens. It goes with one algorithm: a token that names another is refused, whatever its signature.
#[derive(Clone)]
pub struct Key {
    id: Option<Box<str>>,
    material: Material,
}

#[derive(Clone)]
enum Material {
    Hs256(hmac::Key),
    Rs256(RsaPublicKeyComponents<Vec<u8>>),
    Es256(UnparsedPublicKey<Vec<u8>>),
    Ed25519(UnparsedPublicKey<Vec<u8>>),
}

const SECRET_BYTES_MIN: usize = 32;
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

impl Key {
    /// Takes a secret that whoever signs has, too (HS256).
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: it has less than 32 bytes, and could be found by trying (RFC 7518, 3.2).
    pub fn hs256(secret: &[u8]) -> Result<Self, Error> {
        if secret.len() < SECRET_BYTES_MIN {
            return Err(config("a secret of HS256 has 32 random bytes at least"));
        }
        Ok(Self::of(Material::Hs256(hmac::Key::new(hmac::HMAC_SHA256, secret))))
    }

    /// Takes an RSA public key (RS256): modulus and exponent, big-endian.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: the modulus has less than 2,048 bits, or more than 8,192.
    pub fn rs256(modulus: &[u8], exponent: &[u8]) -> Result<Self, Error> {
        let strip = |bytes: &[u8]| bytes.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<_>>();
        let (n, e) = (strip(modulus), strip(exponent));
        if !MODULUS_BYTES.contains(&n.len()) || e.is_empty() {
            return Err(config("an RSA key has a modulus of 2048 to 8192 bits, and an exponent"));
        }
        Ok(Self::of(Material::Rs256(RsaPublicKeyComponents { n, e })))
    }

    /// Takes a public key on the curve P-256 (ES256): both coordinates, 32 bytes each.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: they have another length.
    pub fn es256(x: &[u8], y: &[u8]) -> Result<Self, Error> {
        if x.len() != 32 || y.len() != 32 {
            return Err(config("a key on P-256 has two coordinates of 32 bytes"));
        }
        let point = [&[4], x, y].concat();
        Ok(Self::of(Material::Es256(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point))))
    }

    /// Takes a public key of Ed25519 (EdDSA): 32 bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: it has another length.
    pub fn ed25519(key: &[u8]) -> Result<Self, Error> {
        if key.len() != 32 {
            return Err(config("a key of Ed25519 has 32 bytes"));
        }
        Ok(Self::of(Material::Ed25519(UnparsedPublicKey::new(&ED25519, key.to_vec()))))
    }

    fn of(material: Material) -> Self {
        Self { id: None, material }
    }

    /// Names the key, as tokens do in `kid`.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<Box<str>>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Reads a JSON web key; none where it is for another purpose or algorithm.
    fn from_jwk(jwk: &Map<String, Value>) -> Result<Option<Self>, Error> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| {
            let bytes = text(name).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
            bytes.ok_or_else(|| config(&format!("a key has no {name:?} in base64url")))
        };
        let (algorithm, key) = match (text("kty"), text("crv")) {
            (Some("oct"), _) => ("HS256", Self::hs256(&bytes("k")?)),
            (Some("RSA"), _) => ("RS256", Self::rs256(&bytes("n")?, &bytes("e")?)),
            (Some("EC"), Some("P-256")) => ("ES256", Self::es256(&bytes("x")?, &bytes("y")?)),
            (Some("OKP"), Some("Ed25519")) => ("EdDSA", Self::ed25519(&bytes("x")?)),
            _ => return Ok(None),
        };
        let is_other = text("alg")
            .is_some_and(|alg| alg != algorithm && !(algorithm == "EdDSA" && alg == "Ed25519"))
            || text("use").is_some_and(|purpose| purpose != "sig");
        if is_other {
            return Ok(None);
        }
        key.map(|key| Some(text("kid").map_or(key.clone(), |id| key.with_id(id))))
    }

    fn algorithm(&self) -> &'static str {
        match self.material {
            Material::Hs256(_) => "HS256",
            Material::Rs256(_) => "RS256",
            Material::Es256(_) => "ES256",
            Material::Ed25519(_) => "EdDSA",
        }
    }

    /// Tells whether tokens of this key name their algorithm so; RFC 9864 has a second name for one.
    fn is_of(&self, algorithm: &str) -> bool {
        algorithm == self.algorithm()
            || (matches!(self.material, Material::Ed25519(_)) && algorithm == "Ed25519")
    }

    fn has_signed(&self, token: &Signed<'_>) -> bool {
        let (message, signature) = (token.message, &token.signature);
        match &self.material {
            Material::Hs256(key) => hmac::verify(key, message, signature),
            Material::Rs256(key) => key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature),
            Material::Es256(key) | Material::Ed25519(key) => key.verify(message, signature),
        }
        .is_ok()
    }
}

/// Shows name and algorithm, and nothing of the key.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

/// Keys that tokens may be signed with.
///
/// A token that names a key (`kid`) is verified with that one. A token that names none is verified with the only key of its algorithm, and
/// refused where there are several.
#[derive(Clone, Debug)]
pub struct KeySet {
    keys: Vec<Key>,
}

const KEYS_MAX: usize = 64;

/// Why no key vouches for a token.
pub(super) enum Unfit {
    UnknownKey,
    Other(&'static str),
}

impl KeySet {
    /// Takes 1 to 64 keys.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: there are none, or more, or two with one name.
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Result<Self, Error> {
        let keys: Vec<_> = keys.into_iter().take(KEYS_MAX.saturating_add(1)).collect();
        if keys.is_empty() {
            return Err(config("there is no key that tokens could be verified with"));
        }
        if keys.len() > KEYS_MAX {
            return Err(config("there are more than 64 keys: take out those that nobody signs with"));
        }
        let ids: std::collections::HashSet<_> = keys.iter().filter_map(|key| key.id.as_deref()).collect();
        if ids.len() < keys.iter().filter(|key| key.id.is_some()).count() {
            return Err(config("two keys have the same name (kid): give each its own"));
        }
        Ok(Self { keys })
    }

    /// Reads a JSON web key set (RFC 7517), as identity providers publish it at their `jwks_uri`.
    ///
    /// Keys of other kinds, for other algorithms or for encryption are passed over.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: it is not a key set, a key in it is broken or too weak, or as with [`new`](Self::new).
    pub fn from_jwks(json: &str) -> Result<Self, Error> {
        let json: Value = serde_json::from_str(json).map_err(|error| {
            Error::new(ErrorKind::Config, "a JSON web key set is not JSON").with_source(error)
        })?;
        let keys = json.get("keys").and_then(Value::as_array);
        let keys = keys.ok_or_else(|| config("a JSON web key set is an object with a list `keys`"))?;
        let keys = keys.iter().filter_map(|jwk| match jwk.as_object() {
            Some(jwk) => Key::from_jwk(jwk).transpose(),
            None => Some(Err(config("a key in a JSON web key set is not an object"))),
        });
        Self::new(keys.collect::<Result<Vec<_>, _>>()?)
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns what a token says, if one of the keys has signed it.
    pub(super) fn verified(&self, token: &Signed<'_>) -> Result<Claims, Unfit> {
        if token.algorithm.eq_ignore_ascii_case("none") {
            return Err(Unfit::Other("it is not signed (alg none)"));
        }
        let key = self.key(token)?;
        if !key.is_of(&token.algorithm) {
            return Err(Unfit::Other("its algorithm (alg) is not that of its key"));
        }
        if !key.has_signed(token) {
            return Err(Unfit::Other("its signature does not fit"));
        }
        token.claims().map_err(Unfit::Other)
    }

    fn key(&self, token: &Signed<'_>) -> Result<&Key, Unfit> {
        if let Some(id) = &token.key_id {
            return self.keys.iter().find(|key| key.id.as_deref() == Some(id)).ok_or(Unfit::UnknownKey);
        }
        let mut fitting = self.keys.iter().filter(|key| key.is_of(&token.algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (None, _) => Err(Unfit::Other("no key here has its algorithm (alg)")),
            _ => Err(Unfit::Other("it does not say which key has signed it (kid)")),
        }
    }
}

fn config(text: &str) -> Error {
    Error::new(ErrorKind::Config, text)
}

#[cfg(test)]
mod tests;
