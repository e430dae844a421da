//! A token in the compact form of RFC 7515: header, claims and signature.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::claims::Claims;

/// A token that was taken apart; nothing of it is proved.
pub(super) struct Signed<'t> {
    pub(super) algorithm: String,
    pub(super) key_id: Option<String>,
    /// What was signed: header and claims as they stand there.
    pub(super) message: &'t [u8],
    pub(super) signature: Vec<u8>,
    claims: &'t str,
}

const MALFORMED: &str = "it is not a signed JSON web token (header.claims.signature)";

impl<'t> Signed<'t> {
    pub(super) fn parse(token: &'t str) -> Result<Self, &'static str> {
        let (message, signature) = token.rsplit_once('.').ok_or(MALFORMED)?;
        let (header, claims) = message.split_once('.').ok_or(MALFORMED)?;
        let header = object(header)?;
        // Extensions that must be understood, and none is.
        if header.contains_key("crit") {
            return Err("it asks for an extension (crit) that is not known here");
        }
        let text = |name| match header.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(MALFORMED),
        };
        let algorithm = text("alg")?.ok_or(MALFORMED)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| MALFORMED)?;
        Ok(Self { algorithm, key_id: text("kid")?, message: message.as_bytes(), signature, claims })
    }

    /// Reads the claims, for whoever has verified the signature.
    pub(super) fn claims(&self) -> Result<Claims, &'static str> {
        object(self.claims).map(Claims::new)
    }
}

fn object(part: &str) -> Result<Map<String, Value>, &'static str> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| MALFORMED)?;
    serde_json::from_slice(&json).map_err(|_| MALFORMED)
}
