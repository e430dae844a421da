//! Who signs tokens: for each algorithm, and wrongly where a test asks for that.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use farcall::layers::auth::{Jwt, JwtBuilder, KeySet};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A key of 2,048 bits for these tests alone; ring makes none.
const RSA: &[u8] = include_bytes!("rsa.pk8");

pub struct Issuer {
    pub id: String,
    signer: Signer,
}

enum Signer {
    Hs256(Vec<u8>),
    Rs256(Box<RsaKeyPair>),
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

impl Issuer {
    fn new(id: &str, signer: Signer) -> Self {
        Self { id: id.to_owned(), signer }
    }

    pub fn hs256(id: &str) -> Self {
        Self::new(
            id,
            Signer::Hs256(ring::digest::digest(&ring::digest::SHA256, id.as_bytes()).as_ref().to_vec()),
        )
    }

    pub fn rs256(id: &str) -> Self {
        Self::new(id, Signer::Rs256(Box::new(RsaKeyPair::from_pkcs8(RSA).unwrap())))
    }

    pub fn es256(id: &str) -> Self {
        let (kind, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let document = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        Self::new(id, Signer::Es256(EcdsaKeyPair::from_pkcs8(kind, document.as_ref(), &random).unwrap()))
    }

    pub fn eddsa(id: &str) -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::new(id, Signer::EdDsa(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap()))
    }

    pub fn all() -> [Self; 4] {
        [Self::hs256("hs"), Self::rs256("rs"), Self::es256("es"), Self::eddsa("ed")]
    }

    pub fn algorithm(&self) -> &'static str {
        match self.signer {
            Signer::Hs256(_) => "HS256",
            Signer::Rs256(_) => "RS256",
            Signer::Es256(_) => "ES256",
            Signer::EdDsa(_) => "EdDSA",
        }
    }

    /// The public key as it is published; of HS256, the secret.
    pub fn jwk(&self) -> Value {
        let id = &self.id;
        match &self.signer {
            Signer::Hs256(secret) => json!({"kid": id, "kty": "oct", "k": encode(secret)}),
            Signer::Rs256(pair) => {
                let public = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"kid": id, "kty": "RSA", "use": "sig", "alg": "RS256", "n": encode(public.n), "e": encode(public.e)})
            }
            Signer::Es256(pair) => {
                let point = pair.public_key().as_ref();
                json!({"kid": id, "kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..])})
            }
            Signer::EdDsa(pair) => {
                json!({"kid": id, "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key())})
            }
        }
    }

    pub fn token(&self, claims: &Value) -> String {
        self.token_with(&json!({"typ": "JWT", "alg": self.algorithm(), "kid": self.id}), claims)
    }

    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = self.sign(message.as_bytes());
        format!("{message}.{}", encode(signature))
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.signer {
            Signer::Hs256(secret) => hs256(secret, message),
            Signer::Rs256(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            Signer::Es256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Signer::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    pub fn keys(&self) -> KeySet {
        KeySet::from_jwks(&jwks([self])).unwrap()
    }

    /// A verifier of this issuer's tokens, still without issuer and audience.
    pub fn verifier(&self) -> JwtBuilder {
        Jwt::builder(self.keys())
    }
}

pub fn hs256(secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec()
}

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The keys of several issuers as a key set.
pub fn jwks<'i>(issuers: impl IntoIterator<Item = &'i Issuer>) -> String {
    let keys: Vec<_> = issuers.into_iter().map(Issuer::jwk).collect();
    json!({ "keys": keys }).to_string()
}

/// A file of keys that a test changes.
pub struct KeyFile(TempDir);

impl KeyFile {
    pub fn new(text: &str) -> Self {
        let file = Self(tempfile::tempdir().unwrap());
        file.put(text);
        file
    }

    pub fn path(&self) -> PathBuf {
        self.0.path().join("jwks.json")
    }

    /// Puts a whole file in the place of the old one.
    pub fn put(&self, text: &str) {
        let new = self.0.path().join("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, self.path()).unwrap();
    }
}
