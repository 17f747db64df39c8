//! Which keys of a set a token is tried with: by `kid`, else by algorithm, and never more than a few.

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
        .find(|jwk| !KeySet::from_json(jwk.to_string().as_bytes(), KEY_OPTIONS[0]).unwrap().keys().is_empty())
        .unwrap()
}

/// The verdict on an EdDSA token with this header, under these keys, by all backends.
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

/// The verdict on a token of this algorithm that names the key `k`, under these keys, by all backends.
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

/// One name for a key of each type, or for each algorithm of one key: the header's `alg` says which is meant.
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
    // An algorithm that none of them has is not looked for among keys without a name.
    let others = [rsa[0].clone(), rsa[1].clone(), key("rsa", None), key("p256", None)];
    for algorithm in [Algorithm::Rs512, Algorithm::Es256] {
        assert_eq!(verdict_on(algorithm, &others), Err("algorithm_not_allowed"));
    }
    // The one that is named by both is the only one tried.
    let mut wrong = stranger(0);
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

/// Two keys that one token could mean are one too many: the first of the document stays, and the later one is left out
/// whole, also for the algorithms that are its own.
#[test]
fn one_kid_twice_for_one_algorithm() {
    let (any, rs256) = (key("rsa", Some("k")), pinned(key("rsa", Some("k")), "RS256"));
    let again = vec![(1, "duplicate_kid")];
    assert_eq!(rejected(&[any.clone(), rs256.clone()]), again);
    assert_eq!(verdict_on(Algorithm::Ps256, &[any.clone(), rs256.clone()]), Ok(()));
    assert_eq!(rejected(&[rs256.clone(), any.clone()]), again);
    assert_eq!(verdict_on(Algorithm::Rs256, &[rs256.clone(), any.clone()]), Ok(()));
    assert_eq!(verdict_on(Algorithm::Ps256, &[rs256.clone(), any.clone()]), Err("algorithm_not_allowed"));
    // The same key twice is no exception, and loses nothing.
    assert_eq!(rejected(&[any.clone(), any.clone()]), again);
    assert_eq!(verdict_on(Algorithm::Rs256, &[any.clone(), any.clone()]), Ok(()));
    // Nor is one behind others of the name.
    let keys = [key("p256", Some("k")), any.clone(), key("ed25519", Some("k")), rs256];
    assert_eq!(rejected(&keys), [(3, "duplicate_kid")]);
    let mut wrong = stranger(0);
    wrong["kid"] = "k".into();
    assert_eq!(verdict_on(Algorithm::EdDsa, &[key("ed25519", Some("k")), wrong.clone()]), Ok(()));
    assert_eq!(verdict_on(Algorithm::EdDsa, &[wrong, key("ed25519", Some("k"))]), Err("invalid_signature"));
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
