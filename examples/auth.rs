//! Who calls, and whether they may: tokens from a table, JSON web tokens, rules of the trait and of the server, and a client that gets its
//! tokens itself.
//!
//! The identity provider is played here, with a key of this program's own; in earnest it is elsewhere and publishes its keys.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use farcall::layers::auth::{
    Authenticate, Authorize, BearerToken, Claims, Jwt, Key, KeySet, Rule, Token, Tokens,
};
use farcall::{Caller, Channel, Context, Error, Layer, Server, service};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

/// Keeps accounts.
#[service]
pub trait Bank {
    /// What anybody may know.
    #[rpc(auth = "none")]
    async fn rate(&self) -> String;
    /// Tells who calls. Nothing is written beside it, so the caller must be known.
    async fn who_am_i(&self) -> String;
    /// What is in an account, for those who were granted it.
    #[rpc(auth = "scope:accounts.read | role:admin")]
    async fn balance(&self, account: u64) -> i64;
    /// Closes an account, for those who run the bank.
    #[rpc(auth = "role:admin")]
    async fn close(&self, account: u64);
    /// Tells how things stand.
    async fn audit(&self) -> String;
}

struct Vault;

impl Bank for Vault {
    async fn rate(&self) -> String {
        "two per cent".into()
    }

    async fn who_am_i(&self) -> String {
        let context = Context::current();
        let Some(caller) = context.caller() else { return "nobody".into() };
        let tenant =
            caller.detail::<Claims>().and_then(|claims| claims.text("tenant")).unwrap_or("no tenant");
        format!("{} of {tenant}", caller.name())
    }

    async fn balance(&self, account: u64) -> i64 {
        account as i64 * 100
    }

    async fn close(&self, _: u64) {}

    async fn audit(&self) -> String {
        "all is well".into()
    }
}

/// Whoever issues tokens.
struct Provider {
    pair: Ed25519KeyPair,
}

impl Provider {
    fn new() -> anyhow::Result<Self> {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())?;
        Ok(Self { pair: Ed25519KeyPair::from_pkcs8(document.as_ref())? })
    }

    fn keys(&self) -> Result<KeySet, Error> {
        KeySet::new([Key::ed25519(self.pair.public_key().as_ref())?.with_id("2026-11")])
    }

    /// Issues a token that is good for so many seconds.
    fn token(&self, name: &str, scope: &str, seconds: i64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs() as i64);
        self.sign(&json!({
            "iss": "https://id.example", "aud": "bank", "sub": name, "scope": scope, "tenant": "a1", "exp": now + seconds,
        }))
    }

    fn sign(&self, claims: &Value) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = format!("{}.{}", part(&json!({"alg": "EdDSA", "kid": "2026-11"})), part(claims));
        let signature = self.pair.sign(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn said<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => error.status().map_or_else(|| error.to_string(), ToString::to_string),
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let provider = Provider::new()?;
    let tokens = Tokens::new([("Zs6pQ2mYh4eUj9AgVt8i", Caller::new("ops").with_role("admin"))])?;
    let jwt = Jwt::builder(provider.keys()?).issuer("https://id.example").audience("bank").build()?;
    // The operator of the server is stricter than the trait.
    let rules = Authorize::new().method(BankClient::DESCRIPTOR, "audit", Rule::role("auditor"))?;
    let layer = Authenticate::new((tokens, jwt.clone())).authorize(rules);
    let server =
        Server::builder().service(BankServer::new(Vault)).layer(layer).bind("tcp://127.0.0.1:0").await?;

    let channel = Channel::connect(server.uri()).await?;
    let nobody = BankClient::new(channel.clone());
    println!("nobody asks for the rate: {}", said(nobody.rate().await));
    println!("nobody asks who it is: {}", said(nobody.who_am_i().await));
    let wrong = nobody.who_am_i().metadata("authorization", "Bearer something-made-up");
    println!("a token that was made up: {}", said(wrong.await));
    let basic = nobody.who_am_i().metadata("authorization", "Basic b3BzOnBhc3N3b3Jk");
    println!("a password: {}", said(basic.await));

    let ops = BankClient::new(BearerToken::new("Zs6pQ2mYh4eUj9AgVt8i").layer(channel.clone()));
    println!("ops is: {}", said(ops.who_am_i().await));
    println!("ops closes an account: {}", said(ops.close(7).await));
    println!("ops asks for the audit: {}", said(ops.audit().await));

    let granted = provider.token("ada", "accounts.read", 300);
    let log_in = move || {
        let token = Token::new(granted.clone()).expires_in(Duration::from_secs(300));
        async move { Ok(token) }
    };
    let ada = BankClient::new(BearerToken::from_source(log_in).layer(channel.clone()));
    println!("ada is: {}", said(ada.who_am_i().await));
    println!("ada asks for a balance: {}", said(ada.balance(7).await));
    println!("ada closes an account: {}", said(ada.close(7).await));

    let late = BankClient::new(
        BearerToken::new(provider.token("ada", "accounts.read", -3600)).layer(channel.clone()),
    );
    println!("a token of an hour ago: {}", said(late.who_am_i().await));
    let forged = BankClient::new(BearerToken::new(Provider::new()?.token("ada", "", 300)).layer(channel));
    println!("a token of another provider: {}", said(forged.who_am_i().await));

    // From now on the old key is worth nothing, and neither is what it has signed.
    jwt.replace_keys(KeySet::new([Key::hs256(&[7; 32])?.with_id("2026-12")])?);
    println!("ada's token after its key was withdrawn: {}", said(ada.who_am_i().await));
    server.shutdown().await;
    Ok(())
}
