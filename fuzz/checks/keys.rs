//! Key sets, PEM and DER, and which signatures are valid with the keys in them.

use std::sync::LazyLock;

use watchword_kernel::json::{Object, Value};
use watchword_kernel::{Algorithm, KeySet, KeySetError, ProofOfPossession, PublicKey, thumbprint, verify};

use super::{KEY_OPTIONS, POLICIES, SETS, TOKENS, now};

/// Reads a document as a key set, as PEM, as DER and, if it is base64, as DER in base64.
pub(crate) fn keys(document: &[u8]) {
    let sets = KEY_OPTIONS.map(|options| KeySet::from_json(document, options));
    check_key_sets(&sets);
    if let Ok(set) = &sets[0] {
        let members = Object::parse(document).expect("a key set is a JSON object");
        check_members(set, &members);
    }
    if let Ok(members) = Object::parse(document) {
        check_jwk(&members);
    }
    if let Ok(pem) = std::str::from_utf8(document) {
        check_key_sets(&KEY_OPTIONS.map(|options| KeySet::from_pem(pem, None, None, options)));
    }
    if let Ok(der) = data_encoding::BASE64.decode(document.trim_ascii_end()) {
        check_key_sets(&KEY_OPTIONS.map(|options| KeySet::from_der(&der, None, None, options)));
    }
    check_key_sets(&KEY_OPTIONS.map(|options| KeySet::from_der(document, None, None, options)));
}

fn check_key_sets(sets: &[Result<KeySet, KeySetError>; 3]) {
    let [Ok(set), Ok(without_tables), Ok(reference)] = sets else {
        // The only difference: jsonwebtoken accepts no modulus of more than 4096 bits.
        let [first, second, third] = sets.each_ref().map(|set| set.as_ref().err().map(ToString::to_string));
        assert_eq!(first, second);
        assert!(first == third || third.is_some_and(|error| error.contains("backend")));
        return;
    };
    assert_eq!(set.rejected(), without_tables.rejected());
    for set in [set, without_tables, reference] {
        for (index, key) in set.keys().iter().enumerate() {
            check_key(key);
            if let Some(key_id) = key.key_id() {
                let is_named = |other: &&PublicKey| other.key_id() == Some(key_id);
                let first = set.keys().iter().find(is_named).map(PublicKey::thumbprint);
                assert_eq!(set.get(key_id).map(PublicKey::thumbprint), first);
                // A kid and an algorithm identify one key.
                for algorithm in key.algorithms().iter() {
                    assert_eq!(set.get_for(key_id, algorithm).map(PublicKey::thumbprint), Some(key.thumbprint()));
                    let mut later = set.keys().iter().skip(index + 1).filter(is_named);
                    assert!(later.all(|other| !other.algorithms().contains(algorithm)));
                }
            }
        }
        assert!(set.rejected().windows(2).all(|pair| pair[0].index < pair[1].index));
        check_soundness(set);
    }
    let small = |set: &KeySet| -> Vec<_> {
        let fits = |key: &&PublicKey| key.key_type() != "RSA" || key.bits() <= 4096;
        set.keys()
            .iter()
            .filter(fits)
            .map(|key| (key.thumbprint().to_owned(), key.key_id().map(str::to_owned)))
            .collect()
    };
    // If a large RSA key is rejected by the reference backend, the next key with its kid is accepted.
    if set.keys().iter().all(|key| key.bits() <= 4096) {
        assert_eq!(small(set), small(reference));
        assert_eq!(set.rejected(), reference.rejected());
    }
}

/// Each element of `keys` is either accepted or listed as rejected.
fn check_members(set: &KeySet, members: &Object<'_>) {
    let elements = match members.get("keys") {
        Some(Value::Array(keys)) => keys.iter().count(),
        _ => 1,
    };
    assert_eq!(set.keys().len() + set.rejected().len(), elements);
}

/// A JWK by itself: if it is accepted, it has the thumbprint of RFC 7638.
fn check_jwk(members: &Object<'_>) {
    let named = thumbprint(members);
    for options in KEY_OPTIONS {
        if let Ok(key) = PublicKey::from_jwk(members, options) {
            assert_eq!(Ok(key.thumbprint()), named.as_deref());
            assert_eq!(members.get("kid").and_then(Value::as_str), key.key_id());
        }
    }
}

fn check_key(key: &PublicKey) {
    let (expected, sizes) = match key.key_type() {
        "OKP" => (vec!["EdDSA", "Ed25519"], 256..=256),
        "EC" if key.curve() == Some("P-256") => (vec!["ES256"], 256..=256),
        "EC" => (vec!["ES384"], 384..=384),
        _ => (vec!["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"], 2048..=8192),
    };
    assert!(sizes.contains(&key.bits()));
    assert!(!key.algorithms().is_empty());
    assert!(key.algorithms().iter().all(|algorithm| expected.contains(&algorithm.name())));
    assert_eq!(key.thumbprint().len(), 43);
    let shown = format!("{key:?}");
    assert!(!shown.contains(key.thumbprint()));
    for algorithm in Algorithm::ALL {
        assert!(!key.verify(algorithm, b"message", b""));
        assert!(!key.verify(algorithm, b"message", &[0; 64]));
    }
    let length = if key.key_type() == "RSA" { key.bits().div_ceil(8) } else { 96 };
    assert!(key.algorithms().iter().take(1).all(|algorithm| !key.verify(algorithm, b"message", &vec![0; length])));
}

/// Our tokens are valid with our keys only.
fn check_soundness(set: &KeySet) {
    static OURS: LazyLock<Vec<String>> =
        LazyLock::new(|| SETS[0][0].keys().iter().map(|key| key.thumbprint().to_owned()).collect());
    for token in TOKENS.lines() {
        let Ok(verified) = verify(token.as_bytes(), set, &POLICIES[0], now(), ProofOfPossession::default()) else {
            continue;
        };
        let matching = |key: &&PublicKey| {
            key.key_id() == verified.jws().key_id() && OURS.iter().any(|ours| ours == key.thumbprint())
        };
        assert!(set.keys().iter().any(|key| matching(&key)), "a signature is valid with another key");
    }
}
