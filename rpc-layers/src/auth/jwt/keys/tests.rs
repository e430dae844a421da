//! Keys and tokens of the standards themselves: RFC 7515, appendix A, and RFC 8037, appendix A.

use serde_json::json;

use super::*;

const CLAIMS: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RS256: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

/// A key, and a token that it has signed.
fn vectors() -> [(Value, String); 4] {
    let hs256 = json!({"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"});
    let rs256 = json!({"kty": "RSA", "n": N, "e": "AQAB"});
    let es256 = json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
    let eddsa = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    [
        (hs256, format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{CLAIMS}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")),
        (rs256, format!("eyJhbGciOiJSUzI1NiJ9.{CLAIMS}.{RS256}")),
        (es256, format!("eyJhbGciOiJFUzI1NiJ9.{CLAIMS}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")),
        (eddsa, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg".to_owned()),
    ]
}

fn key(jwk: &Value) -> Result<Option<Key>, Error> {
    Key::from_jwk(jwk.as_object().unwrap())
}

#[test]
fn the_tokens_of_the_standards_are_verified_by_their_keys_and_by_no_other() {
    let vectors = vectors();
    for (at, (_, token)) in vectors.iter().enumerate() {
        let signed = Signed::parse(token).ok().unwrap();
        let fits = vectors.each_ref().map(|(jwk, _)| key(jwk).unwrap().unwrap().has_signed(&signed));
        assert_eq!(fits, std::array::from_fn(|other| other == at), "token {at}");
    }
}

#[test]
fn a_token_of_which_one_character_differs_is_refused() {
    for (jwk, token) in vectors() {
        let key = key(&jwk).unwrap().unwrap();
        let changed = (0..token.len()).filter(|at| token.as_bytes()[*at] != b'.').map(|at| {
            let other = if &token[at..=at] == "A" { "B" } else { "A" };
            [&token[..at], other, &token[at + 1..]].concat()
        });
        for token in changed {
            assert!(Signed::parse(&token).map_or(true, |token| !key.has_signed(&token)), "{token}");
        }
    }
}

#[test]
fn keys_for_other_purposes_are_passed_over_and_broken_ones_refused() {
    let [(hs256, _), (rs256, _), (es256, _), (eddsa, _)] = vectors();
    let with = |jwk: &Value, name: &str, value: &str| {
        let mut jwk = jwk.clone();
        jwk[name] = value.into();
        key(&jwk)
    };
    let passed_over = [
        with(&rs256, "use", "enc"),
        with(&rs256, "alg", "PS256"),
        with(&hs256, "alg", "HS512"),
        with(&es256, "crv", "P-384"),
        with(&eddsa, "crv", "X25519"),
        with(&rs256, "kty", "future"),
    ];
    assert!(passed_over.iter().all(|key| matches!(key, Ok(None))), "{passed_over:?}");
    let refused = [
        with(&rs256, "n", "AQAB"),
        with(&rs256, "n", "not base64"),
        with(&es256, "x", "AQAB"),
        with(&eddsa, "x", "AQAB"),
        with(&hs256, "k", "AQAB"),
    ];
    assert!(refused.iter().all(Result::is_err), "{refused:?}");
    assert!(with(&eddsa, "alg", "Ed25519").unwrap().is_some());
}

#[test]
fn sets_that_cannot_serve_are_refused_and_what_is_shown_holds_no_secret() {
    let [(hs256, _), ..] = vectors();
    let mut twice = hs256.clone();
    twice["kid"] = "one".into();
    for keys in
        [json!({}), json!([]), json!({"keys": []}), json!({"keys": [7]}), json!({"keys": [twice, twice]})]
    {
        assert!(KeySet::from_jwks(&keys.to_string()).is_err(), "{keys}");
    }
    assert!(KeySet::from_jwks("{").is_err());
    assert!(KeySet::new((0..65).map(|_| Key::hs256(&[7; 32]).unwrap())).is_err());
    let set = KeySet::new([Key::hs256(&[7; 32]).unwrap().with_id("a")]).unwrap();
    assert_eq!(format!("{set:?}"), r#"KeySet { keys: [Key { id: Some("a"), algorithm: "HS256", .. }] }"#);
}
