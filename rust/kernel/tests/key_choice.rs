//! Which keys of a set are tried for a token: by `kid`, otherwise by algorithm, and never more than a few.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use common::{CLAIMS, JWKS, KEY_OPTIONS, agreed, any_jws, signer};
use serde_json::{Value, json};
use watchword_kernel::{Algorithm, KeySet, MAX_TRIED, verify_jws};

/// The public test key for an algorithm, with this `kid` or none.
fn key(key_id: &str, name: Option<&str>) -> Value {
    let set: Value = serde_json::from_str(JWKS).unwrap();
    let mut key = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == key_id).unwrap().clone();
    key.as_object_mut().unwrap().remove("kid");
    if let Some(name) = name {
        key["kid"] = name.into();
    }
    key
}

/// Another key of the same type, which signs nothing: some points with a small y are on the curve.
fn unknown_key(serial: usize) -> Value {
    (0_u8..=255)
        .map(|y| {
            let mut point = [0; 32];
            point[0] = y;
            point[1] = u8::try_from(serial + 1).unwrap();
            json!({"kty": "OKP", "crv": "Ed25519", "x": common::base64url(point)})
        })
        .find(|jwk| !KeySet::from_json(jwk.to_string().as_bytes(), KEY_OPTIONS[0]).unwrap().keys().is_empty())
        .unwrap()
}

/// The verdict on an EdDSA token with this header and these keys, with all key options.
fn verdict(header: Value, keys: Vec<Value>) -> Result<(), &'static str> {
    let token = signer(Algorithm::EdDsa).token(header.to_string(), CLAIMS);
    let set = json!({ "keys": keys }).to_string();
    agreed(KEY_OPTIONS.map(|options| {
        let set = KeySet::from_json(set.as_bytes(), options).unwrap();
        set.prepare();
        verify_jws(token.as_bytes(), &set, &any_jws()).map(|_| ()).map_err(|error| error.code())
    }))
}

#[test]
fn a_token_with_a_kid() {
    let header = json!({"alg": "EdDSA", "kid": "k"});
    assert_eq!(verdict(header.clone(), vec![key("ed25519", Some("k"))]), Ok(()));
    // A kid is compared exactly.
    for other in ["K", "k ", "", "k\0"] {
        assert_eq!(verdict(header.clone(), vec![key("ed25519", Some(other))]), Err("unknown_key"));
    }
    // Only the key with that kid is tried: the right key with another kid, or without one, is not.
    let keys = vec![unknown_key(0), key("ed25519", None), key("ed25519", Some("other"))];
    let named: Vec<Value> = std::iter::once({
        let mut wrong = unknown_key(1);
        wrong["kid"] = "k".into();
        wrong
    })
    .chain(keys.clone())
    .collect();
    assert_eq!(verdict(header.clone(), named), Err("invalid_signature"));
    // If no key has that kid, only the keys without one are tried.
    assert_eq!(verdict(header.clone(), keys), Ok(()));
    assert_eq!(verdict(header.clone(), vec![unknown_key(0)]), Err("invalid_signature"));
    // The named key's algorithms count, not those of other keys.
    let keys = vec![key("p256", Some("k")), key("ed25519", None)];
    assert_eq!(verdict(header.clone(), keys), Err("algorithm_not_allowed"));
    let mut pinned = key("ed25519", Some("k"));
    pinned["alg"] = "Ed25519".into();
    assert_eq!(verdict(header, vec![pinned]), Err("algorithm_not_allowed"));
}

/// The verdict on a token with this algorithm and the `kid` `k`, with these keys and all key options.
fn verdict_on(algorithm: Algorithm, keys: &[Value]) -> Result<(), &'static str> {
    let header = json!({"alg": algorithm.name(), "kid": "k"});
    let token = signer(algorithm).token(header.to_string(), CLAIMS);
    let set = json!({ "keys": keys }).to_string();
    agreed(KEY_OPTIONS.map(|options| {
        let set = KeySet::from_json(set.as_bytes(), options).unwrap();
        verify_jws(token.as_bytes(), &set, &any_jws()).map(|_| ()).map_err(|error| error.code())
    }))
}

fn rejected(keys: &[Value]) -> Vec<(usize, &'static str)> {
    let set = KeySet::from_json(json!({ "keys": keys }).to_string().as_bytes(), KEY_OPTIONS[0]).unwrap();
    set.rejected().iter().map(|key| (key.index, key.defect.code())).collect()
}

fn pinned(mut key: Value, algorithm: &str) -> Value {
    key["alg"] = algorithm.into();
    key
}

/// One `kid` for a key of each type, or for each algorithm of one key: the header's `alg` selects.
#[test]
fn one_kid_for_several_algorithms() {
    let keys = ["ed25519", "p256", "p384", "rsa"].map(|name| key(name, Some("k")));
    assert_eq!(rejected(&keys), []);
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Es384, Algorithm::Rs256, Algorithm::Ps256] {
        assert_eq!(verdict_on(algorithm, &keys), Ok(()), "{algorithm:?}");
    }
    let rsa = [pinned(key("rsa", Some("k")), "RS256"), pinned(key("rsa", Some("k")), "PS256")];
    assert_eq!(rejected(&rsa), []);
    assert_eq!(verdict_on(Algorithm::Rs256, &rsa), Ok(()));
    assert_eq!(verdict_on(Algorithm::Ps256, &rsa), Ok(()));
    // For an algorithm that none of them has, keys without a kid are not tried.
    let others = [rsa[0].clone(), rsa[1].clone(), key("rsa", None), key("p256", None)];
    for algorithm in [Algorithm::Rs512, Algorithm::Es256] {
        assert_eq!(verdict_on(algorithm, &others), Err("algorithm_not_allowed"));
    }
    // Only the key that matches both is tried.
    let mut wrong = unknown_key(0);
    wrong["kid"] = "k".into();
    assert_eq!(
        verdict_on(Algorithm::EdDsa, &[key("p256", Some("k")), wrong, key("ed25519", None)]),
        Err("invalid_signature")
    );

    let set = KeySet::from_json(json!({ "keys": keys }).to_string().as_bytes(), KEY_OPTIONS[0]).unwrap();
    assert_eq!(set.get("k").unwrap().key_type(), "OKP");
    assert_eq!(set.get_for("k", Algorithm::Es384).unwrap().curve(), Some("P-384"));
    assert_eq!(set.get_for("k", Algorithm::Rs512).unwrap().key_type(), "RSA");
    assert!(set.get_for("l", Algorithm::Rs512).is_none());
}

/// Of two keys with one `kid` and algorithm the first in the document is used. The later one is rejected, also for its
/// other algorithms.
#[test]
fn one_kid_twice_for_one_algorithm() {
    let (any, rs256) = (key("rsa", Some("k")), pinned(key("rsa", Some("k")), "RS256"));
    let again = vec![(1, "duplicate_kid")];
    assert_eq!(rejected(&[any.clone(), rs256.clone()]), again);
    assert_eq!(verdict_on(Algorithm::Ps256, &[any.clone(), rs256.clone()]), Ok(()));
    assert_eq!(rejected(&[rs256.clone(), any.clone()]), again);
    assert_eq!(verdict_on(Algorithm::Rs256, &[rs256.clone(), any.clone()]), Ok(()));
    assert_eq!(verdict_on(Algorithm::Ps256, &[rs256.clone(), any.clone()]), Err("algorithm_not_allowed"));
    // A repeated key is no exception.
    assert_eq!(rejected(&[any.clone(), any.clone()]), again);
    assert_eq!(verdict_on(Algorithm::Rs256, &[any.clone(), any.clone()]), Ok(()));
    // Nor is one after others with that kid.
    let keys = [key("p256", Some("k")), any.clone(), key("ed25519", Some("k")), rs256];
    assert_eq!(rejected(&keys), [(3, "duplicate_kid")]);
    let mut wrong = unknown_key(0);
    wrong["kid"] = "k".into();
    assert_eq!(verdict_on(Algorithm::EdDsa, &[key("ed25519", Some("k")), wrong.clone()]), Ok(()));
    assert_eq!(verdict_on(Algorithm::EdDsa, &[wrong, key("ed25519", Some("k"))]), Err("invalid_signature"));
}

#[test]
fn a_token_without_a_kid() {
    let header = json!({"alg": "EdDSA"});
    assert_eq!(verdict(header.clone(), vec![key("ed25519", Some("any"))]), Ok(()));
    assert_eq!(verdict(header.clone(), vec![unknown_key(0), key("p256", None), key("ed25519", None)]), Ok(()));
    assert_eq!(verdict(header.clone(), vec![]), Err("unknown_key"));
    assert_eq!(verdict(header.clone(), vec![key("p256", None), key("rsa", Some("r"))]), Err("unknown_key"));
    assert_eq!(verdict(header, vec![unknown_key(0)]), Err("invalid_signature"));
}

/// A token without a `kid` costs one verification per key: up to a limit, beyond which none is tried.
#[test]
fn the_number_of_tried_keys_is_limited() {
    let unknown_keys = |count: usize| (0..count).map(unknown_key).chain([key("ed25519", None)]).collect::<Vec<_>>();
    let header = json!({"alg": "EdDSA"});
    assert_eq!(verdict(header.clone(), unknown_keys(MAX_TRIED - 1)), Ok(()));
    assert_eq!(verdict(header.clone(), unknown_keys(MAX_TRIED)), Err("unknown_key"));
    // Keys of other types do not count.
    let others = (0..40).map(|_| key("p256", None)).chain([key("ed25519", None)]).collect();
    assert_eq!(verdict(header, others), Ok(()));
    // Nor does the limit apply to a token with a kid.
    let mut keys = unknown_keys(MAX_TRIED * 2);
    keys.push(key("ed25519", Some("k")));
    assert_eq!(verdict(json!({"alg": "EdDSA", "kid": "k"}), keys), Ok(()));
}

/// Keys in a token, and links to keys, are ignored.
#[test]
fn embedded_keys_are_never_used() {
    for member in ["jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256"] {
        for value in [key("ed25519", None), json!("https://attacker.example/jwks.json"), json!([1]), json!(null)] {
            let mut header = json!({"alg": "EdDSA"});
            header[member] = value;
            assert_eq!(verdict(header.clone(), vec![unknown_key(0)]), Err("invalid_signature"), "{header}");
            assert_eq!(verdict(header.clone(), vec![key("ed25519", None)]), Ok(()), "{header}");
        }
    }
}
