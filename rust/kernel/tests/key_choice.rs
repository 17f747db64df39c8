//! Which keys of a set a token is tried with: by `kid`, else by algorithm, and never more than a few.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use common::{BACKENDS, CLAIMS, JWKS, agreed, any_jws, signer};
use serde_json::{Value, json};
use watchword_kernel::{Algorithm, KeySet, MAX_TRIED, verify_jws};

/// The public key of the tests for an algorithm, under this name or none.
fn key(key_id: &str, name: Option<&str>) -> Value {
    let set: Value = serde_json::from_str(JWKS).unwrap();
    let mut key = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == key_id).unwrap().clone();
    key.as_object_mut().unwrap().remove("kid");
    if let Some(name) = name {
        key["kid"] = name.into();
    }
    key
}

/// Another key of the same type, by which nothing is signed: of the points with a small y some are on the curve.
fn stranger(serial: usize) -> Value {
    (0_u8..=255)
        .map(|y| {
            let mut point = [0; 32];
            point[0] = y;
            point[1] = u8::try_from(serial + 1).unwrap();
            json!({"kty": "OKP", "crv": "Ed25519", "x": common::base64url(point)})
        })
        .find(|jwk| !KeySet::from_json(jwk.to_string().as_bytes(), BACKENDS[0]).unwrap().keys().is_empty())
        .unwrap()
}

/// The verdict on an EdDSA token with this header, under these keys, by all backends.
fn verdict(header: Value, keys: Vec<Value>) -> Result<(), &'static str> {
    let token = signer(Algorithm::EdDsa).token(header.to_string(), CLAIMS);
    let set = json!({ "keys": keys }).to_string();
    agreed(BACKENDS.map(|backend| {
        let set = KeySet::from_json(set.as_bytes(), backend).unwrap();
        set.prepare();
        verify_jws(token.as_bytes(), &set, &any_jws()).map(|_| ()).map_err(|error| error.code())
    }))
}

#[test]
fn a_token_that_names_its_key() {
    let header = json!({"alg": "EdDSA", "kid": "k"});
    assert_eq!(verdict(header.clone(), vec![key("ed25519", Some("k"))]), Ok(()));
    // Names are compared exactly.
    for other in ["K", "k ", "", "k\0"] {
        assert_eq!(verdict(header.clone(), vec![key("ed25519", Some(other))]), Err("unknown_key"));
    }
    // The key that is named is the only one tried: the right one under another name, or none, does not help.
    let keys = vec![stranger(0), key("ed25519", None), key("ed25519", Some("other"))];
    let named: Vec<Value> = std::iter::once({
        let mut wrong = stranger(1);
        wrong["kid"] = "k".into();
        wrong
    })
    .chain(keys.clone())
    .collect();
    assert_eq!(verdict(header.clone(), named), Err("invalid_signature"));
    // Where nobody has that name, the keys without one are tried, and no others.
    assert_eq!(verdict(header.clone(), keys), Ok(()));
    assert_eq!(verdict(header.clone(), vec![stranger(0)]), Err("invalid_signature"));
    // The named key's algorithm is its own, whatever others could do.
    let keys = vec![key("p256", Some("k")), key("ed25519", None)];
    assert_eq!(verdict(header.clone(), keys), Err("algorithm_not_allowed"));
    let mut pinned = key("ed25519", Some("k"));
    pinned["alg"] = "Ed25519".into();
    assert_eq!(verdict(header, vec![pinned]), Err("algorithm_not_allowed"));
}

#[test]
fn a_token_that_names_no_key() {
    let header = json!({"alg": "EdDSA"});
    assert_eq!(verdict(header.clone(), vec![key("ed25519", Some("any"))]), Ok(()));
    assert_eq!(verdict(header.clone(), vec![stranger(0), key("p256", None), key("ed25519", None)]), Ok(()));
    assert_eq!(verdict(header.clone(), vec![]), Err("unknown_key"));
    assert_eq!(verdict(header.clone(), vec![key("p256", None), key("rsa", Some("r"))]), Err("unknown_key"));
    assert_eq!(verdict(header, vec![stranger(0)]), Err("invalid_signature"));
}

/// A sender without a `kid` costs as many signatures as there are keys: up to a limit, and then none at all.
#[test]
fn not_too_many_keys_are_tried() {
    let strangers = |count: usize| (0..count).map(stranger).chain([key("ed25519", None)]).collect::<Vec<_>>();
    let header = json!({"alg": "EdDSA"});
    assert_eq!(verdict(header.clone(), strangers(MAX_TRIED - 1)), Ok(()));
    assert_eq!(verdict(header.clone(), strangers(MAX_TRIED)), Err("unknown_key"));
    // Keys of other types do not count.
    let others = (0..40).map(|_| key("p256", None)).chain([key("ed25519", None)]).collect();
    assert_eq!(verdict(header, others), Ok(()));
    // Nor does anything where the key is named.
    let mut keys = strangers(MAX_TRIED * 2);
    keys.push(key("ed25519", Some("k")));
    assert_eq!(verdict(json!({"alg": "EdDSA", "kid": "k"}), keys), Ok(()));
}

/// What a token says about keys, and about where they are, changes nothing.
#[test]
fn embedded_keys_are_never_used() {
    for member in ["jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256"] {
        for value in [key("ed25519", None), json!("https://attacker.example/jwks.json"), json!([1]), json!(null)] {
            let mut header = json!({"alg": "EdDSA"});
            header[member] = value;
            assert_eq!(verdict(header.clone(), vec![stranger(0)]), Err("invalid_signature"), "{header}");
            assert_eq!(verdict(header.clone(), vec![key("ed25519", None)]), Ok(()), "{header}");
        }
    }
}
