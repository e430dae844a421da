//! JSON web tokens: what is taken, what is refused, and what becomes of both when keys change.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use farcall::ErrorKind;
use farcall::layers::auth::{AuthError, Authenticate, Claims, Jwt, JwtBuilder, Key, KeySet, Verify};
use farcall::{Caller, Server};
use serde_json::{Value, json};

use crate::bank::{BankClient, connect, refusal, serve, who};
use crate::issuer::{Issuer, KeyFile, encode, jwks};

/// A wall clock that stands where a test sets it, in seconds since 1970.
#[derive(Clone)]
pub struct Wall(Arc<AtomicU64>);

pub const NOW: u64 = 1_800_000_000;

impl Wall {
    pub fn new() -> Self {
        Self(Arc::new(AtomicU64::new(NOW)))
    }

    pub fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::Relaxed);
    }

    pub fn of(&self, jwt: JwtBuilder) -> JwtBuilder {
        let wall = self.clone();
        jwt.clock(move || UNIX_EPOCH + Duration::from_secs(wall.0.load(Ordering::Relaxed)))
    }
}

/// Claims that are right, of which some are replaced; null takes one out.
pub fn claims(changes: &Value) -> Value {
    let mut claims = json!({"iss": "https://id.test", "aud": "bank", "sub": "ada", "exp": NOW + 300});
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

/// What this bank asks of tokens.
pub fn asks(jwt: JwtBuilder) -> JwtBuilder {
    Wall::new().of(jwt.issuer("https://id.test").audience("bank"))
}

pub async fn bank(jwt: &Jwt) -> (Server, BankClient) {
    let server = serve(Authenticate::new(jwt.clone())).await;
    let client = connect(&server).await;
    (server, client)
}

pub async fn accepted(client: &BankClient, token: &str) -> String {
    who(client, &format!("Bearer {token}")).await.unwrap().unwrap()
}

#[tokio::test]
async fn tokens_of_all_four_algorithms_are_taken() {
    let issuers = Issuer::all();
    let jwt = asks(Jwt::builder(KeySet::from_jwks(&jwks(&issuers)).unwrap())).build().unwrap();
    let (_server, client) = bank(&jwt).await;
    for issuer in &issuers {
        let token = issuer.token(&claims(&json!({"sub": issuer.algorithm()})));
        assert_eq!(accepted(&client, &token).await, issuer.algorithm());
        let unnamed = issuer.token_with(&json!({"alg": issuer.algorithm()}), &claims(&json!({})));
        assert_eq!(accepted(&client, &unnamed).await, "ada", "the only key of its algorithm");
        let other = issuers.iter().find(|other| other.id != issuer.id).unwrap();
        let header = json!({"alg": issuer.algorithm(), "kid": issuer.id});
        let forged = other.token_with(&header, &claims(&json!({"sub": "eve"})));
        assert!(refusal(&client, &forged).await.ends_with("its signature does not fit"));
    }
}

#[tokio::test]
async fn claims_that_do_not_fit_are_refused_with_the_reason() {
    let issuer = Issuer::eddsa("one");
    let (_server, client) = bank(&asks(issuer.verifier()).build().unwrap()).await;
    for (changes, reason) in [
        (json!({"iss": "https://other.test"}), "from another issuer"),
        (json!({"iss": null}), "from another issuer"),
        (json!({"iss": ["https://id.test"]}), "from another issuer"),
        (json!({"aud": "shop"}), "for others (aud)"),
        (json!({"aud": null}), "for others (aud)"),
        (json!({"aud": {"bank": 1}}), "for others (aud)"),
        (json!({"sub": null}), "names nobody"),
        (json!({"sub": ""}), "names nobody"),
        (json!({"exp": null}), "does not say when it expires"),
        (json!({"exp": "1900000000"}), "is not a number"),
        (json!({"nbf": "1"}), "is not a number"),
    ] {
        let text = refusal(&client, &issuer.token(&claims(&changes))).await;
        assert!(text.contains(reason), "{changes}: {text}");
    }
    let several = issuer.token(&claims(&json!({"aud": ["shop", "bank"]})));
    assert_eq!(accepted(&client, &several).await, "ada");
}

#[tokio::test]
async fn what_is_no_signed_token_is_refused_and_not_repeated() {
    let issuer = Issuer::es256("one");
    let (_server, client) = bank(&asks(issuer.verifier()).build().unwrap()).await;
    let good = issuer.token(&claims(&json!({})));
    let [header, body, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let part = |json: &str| encode(json);
    let cases = [
        "s3cr3t".to_owned(),
        "..".to_owned(),
        format!("{header}.{body}"),
        format!("{header}.{body}."),
        format!("{header}.{body}.{signature}.{signature}"),
        format!("{header}.{body}.{signature}="),
        format!("{}.{body}.{signature}", part("[]")),
        format!("{}.{body}.{signature}", part("{}")),
        format!("{}.{body}.{signature}", part(r#"{"alg":7}"#)),
        format!("{}.{body}.{signature}", part(&"[".repeat(3_000))),
        issuer.token_with(&json!({"alg": "ES256", "kid": 7}), &claims(&json!({}))),
        issuer.token_with(&json!({"alg": "ES256", "crit": ["b64"], "b64": false}), &claims(&json!({}))),
        issuer.token_with(&json!({"alg": "ES256"}), &json!([1])),
    ];
    for token in cases {
        let text = refusal(&client, &token).await;
        assert!(text.starts_with("the token was refused: ") && text.len() < 120, "{text}");
    }
    assert_eq!(accepted(&client, &good).await, "ada");
}

#[tokio::test]
async fn a_token_without_a_key_id_is_refused_where_several_keys_could_be_meant() {
    let [one, two] = [Issuer::eddsa("one"), Issuer::eddsa("two")];
    let jwt = asks(Jwt::builder(KeySet::from_jwks(&jwks([&one, &two])).unwrap())).build().unwrap();
    let (_server, client) = bank(&jwt).await;
    assert_eq!(accepted(&client, &two.token(&claims(&json!({})))).await, "ada");
    let unnamed = one.token_with(&json!({"alg": "EdDSA"}), &claims(&json!({})));
    assert!(refusal(&client, &unnamed).await.contains("which key has signed it"));
}

#[tokio::test]
async fn handlers_see_scopes_roles_and_claims() {
    let issuer = Issuer::hs256("one");
    let jwt = asks(issuer.verifier()).build().unwrap();
    let token = issuer.token(&claims(&json!({"scope": "read write", "roles": ["admin"], "tenant": "a1"})));
    let caller = jwt.verify(&token).await.unwrap();
    assert!(caller.has_scope("write") && caller.has_role("admin") && !caller.has_role("read"));
    let said = caller.detail::<Claims>().unwrap();
    assert_eq!((said.text("tenant"), said.value("exp").unwrap().as_u64()), (Some("a1"), Some(NOW + 300)));
    assert!(!format!("{caller:?} {said:?} {jwt:?}").contains("a1"));
    let own = asks(issuer.verifier()).callers(|claims: &Claims| match claims.text("tenant") {
        Some(tenant) => Ok(Caller::new(tenant)),
        None => Err(AuthError::invalid("it names no tenant")),
    });
    let own = own.build().unwrap();
    assert_eq!(own.verify(&token).await.unwrap().name(), "a1");
    let error = own.verify(&issuer.token(&claims(&json!({})))).await.unwrap_err();
    assert_eq!(error.to_string(), "it names no tenant");
}

#[test]
fn issuer_and_audience_must_be_named_or_waived() {
    let issuer = Issuer::hs256("one");
    let refused = |jwt: JwtBuilder| {
        let error = jwt.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        error.to_string()
    };
    assert!(refused(issuer.verifier().audience("bank")).contains("`any_issuer`"));
    assert!(refused(issuer.verifier().issuer("x")).contains("`any_audience`"));
    assert!(
        refused(issuer.verifier().issuer("x").any_issuer().any_audience()).contains("rule each other out")
    );
    assert!(refused(Jwt::from_file("/there/is/none").any_issuer().any_audience()).contains("/there/is/none"));
    assert!(Key::hs256(b"short").is_err());
    let described = asks(issuer.verifier()).leeway(Duration::from_secs(5)).build().unwrap().describe();
    assert_eq!(described, "JWT of 1 key, issuer https://id.test, audience bank, leeway 5s");
}

#[tokio::test]
async fn a_token_is_verified_once_and_expires_all_the_same() {
    let (issuer, wall) = (Issuer::rs256("one"), Wall::new());
    let jwt = wall.of(asks(issuer.verifier())).build().unwrap();
    let (_server, client) = bank(&jwt).await;
    let token = issuer.token(&claims(&json!({})));
    for _ in 0..20 {
        assert_eq!(accepted(&client, &token).await, "ada");
    }
    assert_eq!(jwt.counts().verified, 1);
    wall.set(NOW + 300 + 59);
    assert_eq!(accepted(&client, &token).await, "ada", "within the leeway");
    wall.set(NOW + 300 + 60);
    assert!(refusal(&client, &token).await.contains("it has expired"));
    assert_eq!(jwt.counts().verified, 1, "what was kept was held against the clock");
}

#[tokio::test]
async fn no_more_tokens_are_kept_than_there_is_room_for() {
    let issuer = Issuer::hs256("one");
    for (room, verified) in [(0, 6), (4, 6), (100, 3)] {
        let jwt = asks(issuer.verifier()).cache_max(room).build().unwrap();
        for sub in ["a", "b", "c", "a", "b", "c"].map(|sub| claims(&json!({ "sub": sub }))) {
            jwt.verify(&issuer.token(&sub)).await.unwrap();
            // Others come between, so that what has no room is gone.
            if room == 4 {
                for other in 0..4 {
                    jwt.verify(&issuer.token(&claims(&json!({"sub": format!("{sub}{other}")}))))
                        .await
                        .unwrap();
                }
            }
        }
        let others = if room == 4 { 12 + 12 } else { 0 };
        assert_eq!(jwt.counts().verified, verified + others, "with room for {room}");
    }
}

#[tokio::test]
async fn what_a_removed_key_has_signed_dies_with_it() {
    let [old, new] = [Issuer::es256("old"), Issuer::es256("new")];
    let jwt = asks(old.verifier()).build().unwrap();
    let (_server, client) = bank(&jwt).await;
    let token = old.token(&claims(&json!({})));
    assert_eq!(accepted(&client, &token).await, "ada");
    jwt.replace_keys(KeySet::from_jwks(&jwks([&old, &new])).unwrap());
    assert_eq!(accepted(&client, &token).await, "ada", "both keys are good for a while");
    jwt.replace_keys(new.keys());
    assert!(refusal(&client, &token).await.contains("its key (kid) is not known"));
    assert_eq!(accepted(&client, &new.token(&claims(&json!({})))).await, "ada");
}

#[tokio::test(start_paused = true)]
async fn a_file_of_keys_is_read_again_when_it_has_changed() {
    let [old, new] = [Issuer::eddsa("old"), Issuer::eddsa("new")];
    let file = KeyFile::new(&jwks([&old]));
    let jwt = asks(Jwt::from_file(file.path())).build().unwrap();
    let (_server, client) = bank(&jwt).await;
    let [by_old, by_new] = [&old, &new].map(|issuer| issuer.token(&claims(&json!({}))));
    accepted(&client, &by_old).await;
    // A new key is found at once, by the first token that names it.
    tokio::time::advance(Duration::from_secs(2)).await;
    file.put(&jwks([&old, &new]));
    let all = (0..20).map(|_| accepted(&client, &by_new));
    assert!(futures::future::join_all(all).await.iter().all(|name| name == "ada"));
    assert_eq!((jwt.counts().looks, jwt.counts().reloads), (1, 1), "one call looked, all have waited for it");
    // A key that is gone is found out within the interval, also for what was verified before.
    file.put(&jwks([&new]));
    tokio::time::advance(Duration::from_secs(10)).await;
    refusal(&client, &by_old).await;
    accepted(&client, &by_new).await;
    // What cannot be used changes nothing.
    for broken in ["{", "{\"keys\":[]}"] {
        file.put(broken);
        tokio::time::advance(Duration::from_secs(10)).await;
        accepted(&client, &by_new).await;
        accepted(&client, &by_new).await;
    }
    assert_eq!((jwt.counts().reloads, jwt.counts().reloads_refused), (2, 2));
    assert!(jwt.reload().is_err());
    file.put(&jwks([&old]));
    jwt.reload().unwrap();
    refusal(&client, &by_new).await;
}

#[tokio::test]
async fn a_clock_before_1970_lets_nobody_in() {
    let issuer = Issuer::hs256("one");
    let jwt =
        asks(issuer.verifier()).clock(|| SystemTime::UNIX_EPOCH - Duration::from_secs(1)).build().unwrap();
    let error = jwt.verify(&issuer.token(&claims(&json!({})))).await.unwrap_err();
    assert!(!error.is_invalid() && error.to_string().contains("before 1970"), "{error}");
}
