//! What hostile tokens and clocks that jump do: each test bears the number of its case, as those of `tests/faults` do.

use std::time::Duration;

use farcall::layers::auth::{Jwt, KeySet};
use serde_json::json;

use crate::bank::refusal;
use crate::issuer::{Issuer, KeyFile, encode, hs256, jwks};
use crate::jwt::{NOW, Wall, accepted, asks, bank, claims};

#[tokio::test]
async fn fault_52_a_token_without_a_signature_is_refused() {
    let issuers = Issuer::all();
    let jwt = asks(Jwt::builder(KeySet::from_jwks(&jwks(&issuers)).unwrap())).build().unwrap();
    let (_server, client) = bank(&jwt).await;
    let body = encode(claims(&json!({})).to_string());
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        for header in
            [json!({"alg": alg}), json!({"alg": alg, "kid": "rs"}), json!({"alg": alg, "kid": "hs"})]
        {
            let header = encode(header.to_string());
            let signed = issuers[0].token(&claims(&json!({})));
            let signature = signed.rsplit('.').next().unwrap();
            refusal(&client, &format!("{header}.{body}.")).await;
            refusal(&client, &format!("{header}.{body}.{signature}")).await;
        }
    }
}

#[tokio::test]
async fn fault_52_a_public_key_is_never_taken_for_a_secret() {
    for issuer in [Issuer::rs256("one"), Issuer::es256("one"), Issuer::eddsa("one")] {
        let (_server, client) = bank(&asks(issuer.verifier()).build().unwrap()).await;
        let jwk = issuer.jwk();
        // All forms in which the public key may be known to both sides.
        let public: Vec<String> =
            ["n", "x", "y"].iter().filter_map(|part| jwk[*part].as_str()).map(str::to_owned).collect();
        let decoded = public.iter().map(|part| decode(part));
        let texts = public.iter().cloned().chain([jwk.to_string(), jwks([&issuer])]).map(String::into_bytes);
        for secret in decoded.chain(texts) {
            for header in [json!({"alg": "HS256", "kid": "one"}), json!({"alg": "HS256"})] {
                let message =
                    format!("{}.{}", encode(header.to_string()), encode(claims(&json!({})).to_string()));
                let token = format!("{message}.{}", encode(hs256(&secret, message.as_bytes())));
                let text = refusal(&client, &token).await;
                assert!(text.contains("(alg)"), "{text}");
            }
        }
    }
}

fn decode(text: &str) -> Vec<u8> {
    base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text).unwrap()
}

#[tokio::test]
async fn fault_52_a_key_goes_with_one_algorithm_also_where_a_signature_would_fit() {
    for issuer in Issuer::all() {
        let (_server, client) = bank(&asks(issuer.verifier()).build().unwrap()).await;
        for alg in
            ["HS256", "HS384", "HS512", "RS256", "RS512", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"]
        {
            let own = alg == issuer.algorithm() || (alg == "Ed25519" && issuer.algorithm() == "EdDSA");
            let token = issuer.token_with(&json!({"alg": alg, "kid": "anything"}), &claims(&json!({})));
            assert!(refusal(&client, &token).await.contains("(kid)"), "{alg}");
            let token = issuer.token_with(&json!({"alg": alg, "kid": issuer.id}), &claims(&json!({})));
            if own {
                assert_eq!(accepted(&client, &token).await, "ada");
            } else {
                assert!(
                    refusal(&client, &token).await.contains("its algorithm (alg) is not that of its key")
                );
            }
        }
    }
}

#[tokio::test]
async fn fault_52_an_expired_token_and_one_of_the_future_are_refused() {
    let issuer = Issuer::es256("one");
    let (_server, client) = bank(&asks(issuer.verifier()).build().unwrap()).await;
    for (exp, nbf, refused) in [
        (NOW - 59, NOW - 100, None),
        (NOW - 60, NOW - 100, Some("it has expired")),
        (NOW - 1_000_000, NOW - 100, Some("it has expired")),
        (0, 0, Some("it has expired")),
        (NOW + 300, NOW + 60, None),
        (NOW + 300, NOW + 61, Some("it is not valid yet")),
        (u64::MAX, u64::MAX, Some("it is not valid yet")),
    ] {
        let token = issuer.token(&claims(&json!({"exp": exp, "nbf": nbf})));
        match refused {
            None => assert_eq!(accepted(&client, &token).await, "ada"),
            Some(reason) => assert!(refusal(&client, &token).await.contains(reason), "exp {exp}, nbf {nbf}"),
        }
    }
    let negative = issuer.token(&claims(&json!({"exp": -1.5e300})));
    assert!(refusal(&client, &negative).await.contains("it has expired"));
}

#[tokio::test(start_paused = true)]
async fn fault_52_a_flood_of_unknown_keys_has_the_file_looked_at_once_a_second() {
    let issuer = Issuer::eddsa("one");
    let file = KeyFile::new(&jwks([&issuer]));
    let jwt = asks(Jwt::from_file(file.path())).build().unwrap();
    let (_server, client) = bank(&jwt).await;
    let good = issuer.token(&claims(&json!({})));
    for second in 0..5_u64 {
        tokio::time::advance(Duration::from_secs(1)).await;
        for number in 0..200 {
            let header = json!({"alg": "EdDSA", "kid": format!("made-up-{second}-{number}")});
            let text = refusal(&client, &issuer.token_with(&header, &claims(&json!({})))).await;
            assert!(text.contains("its key (kid) is not known here") && !text.contains("made-up"), "{text}");
        }
        assert_eq!(accepted(&client, &good).await, "ada");
    }
    let counts = jwt.counts();
    assert!((1..=5).contains(&counts.looks), "{counts:?}");
    assert_eq!((counts.reloads, counts.reloads_refused), (0, 0), "the file has not changed: {counts:?}");
    // A file that changes all the time is read no more often.
    for round in 0..100 {
        file.put(&format!("{}{}", jwks([&issuer]), " ".repeat(round)));
        let header = json!({"alg": "EdDSA", "kid": round.to_string()});
        refusal(&client, &issuer.token_with(&header, &claims(&json!({})))).await;
    }
    assert!(jwt.counts().reloads <= 1, "{:?}", jwt.counts());
}

#[tokio::test]
async fn fault_28_a_wall_clock_that_jumps_by_an_hour_moves_tokens_by_their_times_and_the_leeway_alone() {
    const HOUR: u64 = 3600;
    const LEEWAY: u64 = 60;
    let (issuer, wall) = (Issuer::eddsa("one"), Wall::new());
    let file = KeyFile::new(&jwks([&issuer]));
    let jwt = wall.of(asks(Jwt::from_file(file.path()))).build().unwrap();
    let (_server, client) = bank(&jwt).await;
    let lives: Vec<(u64, u64)> = [
        (NOW - 10, NOW + 300),
        (NOW - 2 * HOUR, NOW + 2 * HOUR),
        (NOW - HOUR - LEEWAY, NOW + HOUR),
        (NOW - HOUR, NOW + HOUR - LEEWAY),
        (NOW - HOUR + LEEWAY, NOW + HOUR - LEEWAY + 1),
        (NOW - HOUR + LEEWAY + 1, NOW + HOUR + LEEWAY),
    ]
    .into();
    let tokens: Vec<_> =
        lives.iter().map(|(nbf, exp)| issuer.token(&claims(&json!({"nbf": nbf, "exp": exp})))).collect();
    // There, back and back again: what was taken or refused before has no say.
    for now in [NOW, NOW + HOUR, NOW, NOW - HOUR, NOW + HOUR, NOW - HOUR, NOW] {
        wall.set(now);
        for ((nbf, exp), token) in lives.iter().zip(&tokens) {
            if nbf - LEEWAY <= now && now < exp + LEEWAY {
                assert_eq!(accepted(&client, token).await, "ada");
            } else {
                refusal(&client, token).await;
            }
        }
    }
    assert_eq!(jwt.counts().looks, 0, "the wall clock has no say in how often the file is looked at");
    wall.set(NOW + 24 * HOUR);
    for token in &tokens {
        assert!(
            refusal(&client, token).await.contains("it has expired"),
            "also where it was verified before"
        );
    }
}
