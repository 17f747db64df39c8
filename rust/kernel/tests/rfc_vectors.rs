//! The examples of RFC 7515, 7520, 7638 and 8037: valid ones are accepted, and unsupported ones rejected by their code.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use common::{KEY_OPTIONS, agreed, any_jws, vectors};
use serde_json::Value;
use watchword_kernel::json::Object;
use watchword_kernel::{
    Backend, Error, KeyOptions, KeySet, Policy, ProofOfPossession, UnixTime, VerifiedJws, verify, verify_jws,
};

fn key_set(jwk: &Value, options: impl Into<KeyOptions>) -> KeySet {
    let keys = KeySet::from_json(jwk.to_string().as_bytes(), options).unwrap();
    keys.prepare();
    keys
}

/// The verdict on the signature layer, with all key options.
fn check(token: &str, jwk: &Value) -> Result<VerifiedJws, Error> {
    let verdict = |options| verify_jws(token.as_bytes(), &key_set(jwk, options), &any_jws());
    agreed(KEY_OPTIONS.map(|options| verdict(options).err()));
    verdict(KEY_OPTIONS[0])
}

fn code(token: &str, jwk: &Value) -> &'static str {
    check(token, jwk).expect_err("rejected").code()
}

/// The public part of a JWK.
fn public(jwk: &Value) -> Value {
    let mut jwk = jwk.clone();
    jwk.as_object_mut().unwrap().retain(|name, _| !["d", "p", "q", "dp", "dq", "qi"].contains(&name.as_str()));
    jwk
}

fn parsed(file: &str) -> Option<Value> {
    vectors(file).map(|text| serde_json::from_str(&text).unwrap())
}

/// Every case of a file: its signature, its payload, its thumbprint.
fn check_rfc(file: &str, expected: usize) {
    let Some(document) = parsed(file) else { return };
    let cases = document["cases"].as_array().unwrap();
    assert_eq!(cases.len(), expected);
    for case in cases {
        if let Some(token) = case["jws"].as_str() {
            let jws = check(token, &case["jwk"]).unwrap();
            assert_eq!(jws.payload(), case["payload_utf8"].as_str().unwrap().as_bytes());
            assert_eq!(jws.algorithm().name(), case["alg"].as_str().unwrap());
        }
        if let Some(thumbprint) = case["sha256_thumbprint"].as_str() {
            check_thumbprint(&case["jwk"], thumbprint);
        }
    }
}

fn check_thumbprint(jwk: &Value, expected: &str) {
    let text = jwk.to_string();
    assert_eq!(watchword_kernel::thumbprint(&Object::parse(text.as_bytes()).unwrap()).unwrap(), expected);
    for options in KEY_OPTIONS {
        assert_eq!(key_set(jwk, options).keys()[0].thumbprint(), expected);
    }
}

#[test]
fn rfc7515() {
    check_rfc("rfc/rfc7515.json", 2);
}

#[test]
fn rfc7638() {
    check_rfc("rfc/rfc7638.json", 1);
}

#[test]
fn rfc8037() {
    check_rfc("rfc/rfc8037.json", 1);
}

/// RFC 8037 appendix A.4 and RFC 7515 appendix A.3, written here so that they are always checked.
#[test]
fn built_in_examples() {
    let okp = serde_json::json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
                 hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(check(token, &okp).unwrap().payload(), b"Example of Ed25519 signing");
    check_thumbprint(&okp, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");

    let ec = serde_json::json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
                 DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    // A claims set, one second before it expires and when it does.
    for options in KEY_OPTIONS {
        let policy = Policy::default().with_issuers(vec!["joe".into()]).unwrap().with_leeway(0.0).unwrap();
        let at = |seconds| {
            verify(
                token.as_bytes(),
                &key_set(&ec, options),
                &policy,
                UnixTime::new(seconds).unwrap(),
                ProofOfPossession::default(),
            )
        };
        assert_eq!(at(1_300_819_379.0).unwrap().claims().issuer(), Some("joe"));
        assert_eq!(at(1_300_819_380.0).unwrap_err().code(), "expired");
    }
    // RFC 7515 appendix A.1 is HS256, A.4 is ES512, A.5 is "none": unsupported algorithms.
    for header in ["eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJFUzUxMiJ9", "eyJhbGciOiJub25lIn0"] {
        for signature in ["", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"] {
            assert_eq!(code(&format!("{header}.e30.{signature}"), &ec), "algorithm_not_allowed");
        }
    }
}

/// RFC 7520 section 4, and RFC 8037 again: the valid compact forms.
#[test]
fn cookbook_accepted() {
    for (file, algorithm) in [
        ("jws/4_1.rsa_v15_signature.json", "RS256"),
        ("jws/4_2.rsa-pss_signature.json", "PS384"),
        ("curve25519/jws.json", "EdDSA"),
    ] {
        let Some(case) = parsed(&format!("jose-cookbook/{file}")) else { return };
        let key = &case["input"]["key"];
        let token = case["output"]["compact"].as_str().unwrap();
        let jws = check(token, &public(key)).unwrap();
        assert_eq!(jws.payload(), case["input"]["payload"].as_str().unwrap().as_bytes(), "{file}");
        assert_eq!(jws.algorithm().name(), algorithm, "{file}");
        assert_eq!(jws.key_id(), key["kid"].as_str(), "{file}");
        // The payload is prose: a JWS, but no JWT.
        let strict = agreed(KEY_OPTIONS.map(|options| {
            verify(
                token.as_bytes(),
                &key_set(&public(key), options),
                &Policy::default().with_jws(any_jws()),
                common::now(),
                ProofOfPossession::default(),
            )
            .err()
        }));
        assert_eq!(strict.unwrap().code(), "malformed_claims", "{file}");
        // With its private part, the same key is rejected, and so is the token.
        let private = key_set(key, Backend::Default);
        assert_eq!(private.rejected()[0].defect.code(), "private_key", "{file}");
        assert_eq!(code(token, key), "unknown_key", "{file}");
    }
}

/// Unsupported: P-521, HMAC, detached content, the JSON serialisations, b64=false.
#[test]
fn cookbook_rejected() {
    let Some(es512) = parsed("jose-cookbook/jws/4_3.ecdsa_signature.json") else { return };
    let compact = |case: &Value| case["output"]["compact"].as_str().unwrap().to_owned();
    let p521 = public(&es512["input"]["key"]);
    assert_eq!(key_set(&p521, Backend::Default).rejected()[0].defect.code(), "unsupported_curve");
    assert_eq!(code(&compact(&es512), &p521), "algorithm_not_allowed");

    let hs256 = parsed("jose-cookbook/jws/4_4.hmac-sha2_integrity_protection.json").unwrap();
    let secret = &hs256["input"]["key"];
    assert_eq!(key_set(secret, Backend::Default).rejected()[0].defect.code(), "symmetric_key");
    assert_eq!(code(&compact(&hs256), secret), "algorithm_not_allowed");

    // Detached content, as HS256 in the book: with a key that could have signed, an empty payload is another message.
    let detached = parsed("jose-cookbook/jws/4_5.signature_with_detached_content.json").unwrap();
    assert_eq!(code(&compact(&detached), secret), "algorithm_not_allowed");
    let rs256 = parsed("jose-cookbook/jws/4_1.rsa_v15_signature.json").unwrap();
    let token = compact(&rs256);
    let parts: Vec<&str> = token.split('.').collect();
    let emptied = format!("{}..{}", parts[0], parts[2]);
    assert_eq!(code(&emptied, &public(&rs256["input"]["key"])), "invalid_signature");

    let mut serialisations = 0;
    for file in [
        "jws/4_1.rsa_v15_signature.json",
        "jws/4_6.protecting_specific_header_fields.json",
        "jws/4_7.protecting_content_only.json",
        "jws/4_8.multiple_signatures.json",
        "rfc7797/4.2.hmac-sha2_b64_false.json",
        "rfc7797/hmac-sha2_b64_false.json",
    ] {
        let case = parsed(&format!("jose-cookbook/{file}")).unwrap();
        for form in ["json", "json_flat"] {
            let Some(object) = case["output"].get(form).filter(|object| object.is_object()) else { continue };
            assert!(["malformed_token", "unsupported"].contains(&code(&object.to_string(), &p521)), "{file} {form}");
            serialisations += 1;
        }
    }
    assert_eq!(serialisations, 11);
}

/// RFC 7797 section 4: a token with "b64" is rejected before its algorithm is checked, with any value, with and without
/// "crit".
#[test]
fn unencoded_payload_is_rejected() {
    let Some(case) = parsed("jose-cookbook/rfc7797/hmac-sha2_b64_false.json") else { return };
    if let Some(token) = case["output"]["compact"].as_str() {
        assert!(["malformed_token", "unsupported_critical_header"].contains(&code(token, &case["input"]["key"])));
    }
    for header in [
        r#"{"alg":"EdDSA","b64":false,"crit":["b64"]}"#,
        r#"{"alg":"EdDSA","b64":true}"#,
        r#"{"alg":"EdDSA","crit":[]}"#,
    ] {
        let token = format!("{}.e30.AA", common::base64url(header));
        assert_eq!(code(&token, &case["input"]["key"]), "unsupported_critical_header", "{header}");
    }
}

/// The thumbprint of the cookbook's keys, including private ones, is that of their public parts.
#[test]
fn cookbook_keys() {
    for (public, private) in
        [("3_1.ec_public_key.json", "3_2.ec_private_key.json"), ("3_3.rsa_public_key.json", "3_4.rsa_private_key.json")]
    {
        let (Some(public), Some(private)) =
            (vectors(&format!("jose-cookbook/jwk/{public}")), vectors(&format!("jose-cookbook/jwk/{private}")))
        else {
            return;
        };
        let thumbprint = |text: &str| watchword_kernel::thumbprint(&Object::parse(text.as_bytes()).unwrap()).unwrap();
        assert_eq!(thumbprint(&public), thumbprint(&private));
    }
}
