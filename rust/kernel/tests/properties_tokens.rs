//! Damaged tokens and keys: the same verdict from all backends and from jsonwebtoken, and never a panic.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(clippy::disallowed_types, reason = "a test does not fork")]

mod common;

#[path = "../../../fuzz/checks/mod.rs"]
mod checks;

use std::num::NonZeroUsize;

use common::{CLAIMS, JWKS, KEY_OPTIONS, SIGNERS, any_jws, base64url, jwt_algorithm, key_set, now, signer, strict};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::DecodingKey;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use watchword_kernel::json::Object;
use watchword_kernel::{
    Algorithm, Backend, KeySet, Policy, ProofOfPossession, PublicKey, Row, UnixTime, verify, verify_jws, verify_many,
    verify_rows,
};

/// What may happen to a text on its way.
#[derive(Debug, Clone)]
enum Damage {
    FlipBit(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Repeat(Index),
    Swap(Index, Index),
    Cut(Index),
}

impl Damage {
    fn apply(&self, text: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        let at = |index: &Index| index.index(text.len());
        match self {
            Self::FlipBit(index, bit) => {
                let at = at(index);
                text[at] ^= 1 << bit;
            }
            Self::Insert(index, byte) => text.insert(at(index), *byte),
            Self::Remove(index) => drop(text.remove(at(index))),
            Self::Repeat(index) => text.insert(at(index), text[at(index)]),
            Self::Swap(first, second) => {
                let (first, second) = (at(first), at(second));
                text.swap(first, second);
            }
            Self::Cut(index) => text.truncate(at(index)),
        }
    }
}

fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let byte = prop_oneof![any::<u8>(), select(b"._-=+/AQgw019az {}[]\":,".to_vec())];
    let one = prop_oneof![
        (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Damage::FlipBit(at, bit)),
        (any::<Index>(), byte).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        any::<Index>().prop_map(Damage::Remove),
        any::<Index>().prop_map(Damage::Repeat),
        (any::<Index>(), any::<Index>()).prop_map(|(first, second)| Damage::Swap(first, second)),
        any::<Index>().prop_map(Damage::Cut),
    ];
    prop::collection::vec(one, 1..4)
}

fn any_algorithm() -> impl Strategy<Value = Algorithm> {
    select(Algorithm::ALL.to_vec())
}

/// jsonwebtoken's verdict on a signature, with the key that it makes of the JWK itself.
fn jsonwebtoken_holds(jwk: &str, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    let Ok(jwk) = serde_json::from_str(jwk) else { return false };
    DecodingKey::from_jwk(&jwk).is_ok_and(|key| {
        jsonwebtoken::crypto::verify(&base64url(signature), message, &key, jwt_algorithm(algorithm)).unwrap_or(false)
    })
}

fn jwk(key_id: &str) -> String {
    let set: serde_json::Value = serde_json::from_str(JWKS).unwrap();
    let keys = set["keys"].as_array().unwrap();
    keys.iter().find(|key| key["kid"] == key_id).unwrap().to_string()
}

/// The signed part and the decoded signature.
fn split(token: &str) -> (&[u8], Vec<u8>) {
    let (input, signature) = token.rsplit_once('.').unwrap();
    (input.as_bytes(), BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happened to a token, everybody agrees about it, and what differs from it is rejected.
    #[test]
    fn damaged_tokens(algorithm in any_algorithm(), damage in damage()) {
        let signer = signer(algorithm);
        let token = signer.token(signer.header(), CLAIMS).into_bytes();
        let mut damaged = token.clone();
        damage.iter().for_each(|damage| damage.apply(&mut damaged));
        checks::verify(&damaged);
        for options in KEY_OPTIONS {
            let verdict = verify(&damaged, &key_set(options), &strict(), now(), ProofOfPossession::default());
            prop_assert_eq!(verdict.is_ok(), damaged == token);
        }
    }

    /// Signatures that are well encoded and wrong, or of another length: the verdict is jsonwebtoken's.
    #[test]
    fn damaged_signatures(algorithm in any_algorithm(), damage in damage()) {
        let signer = signer(algorithm);
        let token = signer.token(signer.header(), CLAIMS);
        let (input, mut signature) = split(&token);
        damage.iter().for_each(|damage| damage.apply(&mut signature));
        let damaged = [input, b".", base64url(&signature).as_bytes()].concat();
        let expected = jsonwebtoken_holds(&jwk(signer.key_id), signer.algorithm, input, &signature);
        for options in KEY_OPTIONS {
            let verdict = verify_jws(&damaged, &key_set(options), &any_jws());
            prop_assert_eq!(verdict.is_ok(), expected);
        }
    }

    /// Text that is base64url or nearly so, of any length, in any part: what is rejected is what data-encoding rejects.
    #[test]
    fn damaged_base64url(bytes in prop::collection::vec(any::<u8>(), 0..200), damage in damage(), intact: bool,
                         part in 0..3_usize) {
        let mut text = base64url(&bytes).into_bytes();
        if !intact {
            damage.iter().for_each(|damage| damage.apply(&mut text));
        }
        let (header, payload) = (base64url(signer(Algorithm::EdDsa).header()).into_bytes(), base64url(CLAIMS).into_bytes());
        let mut parts = [header.clone(), payload, header];
        parts[part] = text.clone();
        let rejected = verify_jws(&parts.join(&b'.'), &key_set(Backend::Default), &any_jws()).unwrap_err();
        let is_strict = BASE64URL_NOPAD.decode(&text).is_ok();
        prop_assert_eq!(rejected.code() == "malformed_token" || rejected.code() == "unsupported", !is_strict);
        if !is_strict && !text.contains(&b'.') {
            prop_assert!(rejected.to_string().starts_with(["the header", "the payload", "the signature"][part]));
        }
    }

    /// The payload is returned as it was signed, whatever it is and however long.
    #[test]
    fn any_payload(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let signer = signer(Algorithm::EdDsa);
        let token = signer.token(signer.header(), &bytes);
        let verified = verify_jws(token.as_bytes(), &key_set(Backend::Default), &any_jws()).unwrap();
        prop_assert_eq!(verified.payload(), bytes.as_slice());
    }

    /// Headers and claims that are damaged before they are signed: they get past the signature.
    #[test]
    fn damaged_before_signing(header in damage(), claims in damage(), both: bool) {
        let (mut head, mut body) = (br#"{"alg":"EdDSA","typ":"JWT","kid":"k"}"#.to_vec(), CLAIMS.as_bytes().to_vec());
        if both {
            header.iter().for_each(|damage| damage.apply(&mut head));
        }
        claims.iter().for_each(|damage| damage.apply(&mut body));
        checks::verify(format!("{}.{}.", base64url(head), base64url(body)).as_bytes());
    }

    /// Keys that are damaged as text, in sets and alone.
    #[test]
    fn damaged_key_sets(damage in damage(), which in 0..4_usize) {
        let key_id = ["ed25519", "p256", "p384", "rsa"][which];
        let mut document = jwk(key_id).into_bytes();
        damage.iter().for_each(|damage| damage.apply(&mut document));
        checks::keys(&document);
        checks::keys(&[br#"{"keys":["#, document.as_slice(), b"]}"].concat());
    }

    /// Keys whose numbers are changed: those that are taken give the verdicts that jsonwebtoken gives.
    #[test]
    fn damaged_keys(algorithm in any_algorithm(), member in select(vec!["x", "y", "n", "e"]), damage in damage()) {
        let signer = signer(algorithm);
        let mut jwk: serde_json::Value = serde_json::from_str(&jwk(signer.key_id)).unwrap();
        if let Some(text) = jwk.get(member).and_then(|value| value.as_str()) {
            let mut number = BASE64URL_NOPAD.decode(text.as_bytes()).unwrap();
            damage.iter().for_each(|damage| damage.apply(&mut number));
            jwk[member] = base64url(number).into();
        }
        let text = jwk.to_string();
        let members = Object::parse(text.as_bytes()).unwrap();
        let token = signer.token(signer.header(), CLAIMS);
        let (input, signature) = split(&token);
        for options in KEY_OPTIONS {
            if let Ok(key) = PublicKey::from_jwk(&members, options) {
                let holds = key.verify(signer.algorithm, input, &signature);
                prop_assert_eq!(holds, jsonwebtoken_holds(&text, signer.algorithm, input, &signature));
            }
        }
    }

    /// A batch is its tokens, one by one, in order, however many threads share it.
    #[test]
    fn batches(kinds in prop::collection::vec(0..4_u8, 0..120), threads in 1..9_usize) {
        let good = signer(Algorithm::EdDsa).token(signer(Algorithm::EdDsa).header(), CLAIMS);
        let tokens: Vec<String> = kinds
            .iter()
            .enumerate()
            .map(|(index, kind)| match kind {
                0 => good.clone(),
                1 => format!("{good}A"),
                2 => format!("{}.e30.AA", base64url(format!(r#"{{"alg":"EdDSA","kid":"{index}"}}"#))),
                _ => "x".repeat(index),
            })
            .collect();
        let (keys, policy) = (key_set(Backend::Default), strict());
        let batch = verify_many(&tokens, &keys, &policy, now(), NonZeroUsize::new(threads).unwrap());
        prop_assert_eq!(batch.len(), tokens.len());
        for (token, verdict) in tokens.iter().zip(batch) {
            let alone = verify(token.as_bytes(), &keys, &policy, now(), ProofOfPossession::default());
            prop_assert_eq!(alone.map(|token| token.claims().clone()), verdict.map(|token| token.claims().clone()));
        }
    }
}

/// Rows with keys, policies and times of their own, in any mix: each has the verdict that it has alone.
#[test]
fn each_row_has_its_own_keys_policy_and_time() {
    let all: serde_json::Value = serde_json::from_str(JWKS).unwrap();
    let alone = all["keys"].as_array().unwrap().iter().map(ToString::to_string);
    let sets: Vec<KeySet> = std::iter::once(JWKS.to_owned())
        .chain(alone)
        .map(|json| KeySet::from_json(json.as_bytes(), Backend::Default).unwrap())
        .collect();
    let policies = [strict(), Policy::default().with_leeway(0.0).unwrap()];
    let times = [0.0, 1e6].map(|later| UnixTime::new(now().seconds() + later).unwrap());
    let tokens: Vec<String> = SIGNERS.iter().map(|signer| signer.token(signer.header(), CLAIMS)).collect();
    let mut rows = Vec::new();
    for token in &tokens {
        for keys in &sets {
            for policy in &policies {
                rows.extend(times.map(|now| Row { token: token.as_bytes(), keys, policy, now }));
            }
        }
    }
    let accepted = verify_rows(&rows, NonZeroUsize::new(3).unwrap()).into_iter().zip(&rows).filter(|(verdict, row)| {
        let alone = verify(row.token, row.keys, row.policy, row.now, ProofOfPossession::default());
        assert_eq!(alone.as_ref().map(|token| token.claims()), verdict.as_ref().map(|token| token.claims()));
        verdict.is_ok()
    });
    // By its own key and by the set of all, before it expires, and only by the policy that names an audience.
    assert_eq!(accepted.count(), 2 * tokens.len());
}

/// A signature by each algorithm is valid, with its key named or not, and under no other algorithm.
#[test]
fn every_algorithm() {
    for signer in SIGNERS.iter() {
        let name = signer.algorithm.name();
        for header in [signer.header(), format!(r#"{{"alg":"{name}"}}"#)] {
            let token = signer.token(&header, CLAIMS);
            checks::verify(token.as_bytes());
            for options in KEY_OPTIONS {
                let verified =
                    verify(token.as_bytes(), &key_set(options), &strict(), now(), ProofOfPossession::default())
                        .unwrap();
                assert_eq!(verified.jws().algorithm(), signer.algorithm);
                assert_eq!(verified.jws().key_id(), Some(signer.key_id));
            }
        }
        for other in Algorithm::ALL {
            let is_ed25519 = |algorithm| matches!(algorithm, Algorithm::EdDsa | Algorithm::Ed25519);
            if other != signer.algorithm && !(is_ed25519(other) && is_ed25519(signer.algorithm)) {
                let header = format!(r#"{{"alg":"{}","kid":"{}"}}"#, other.name(), signer.key_id);
                for options in KEY_OPTIONS {
                    let token = signer.token(&header, CLAIMS);
                    let rejected =
                        verify(token.as_bytes(), &key_set(options), &strict(), now(), ProofOfPossession::default())
                            .unwrap_err()
                            .code();
                    assert!(["invalid_signature", "algorithm_not_allowed"].contains(&rejected));
                }
            }
        }
    }
}

/// Each character of a token in turn, changed to each other one of the alphabet and to some beyond: always rejected.
#[test]
fn every_single_character_counts() {
    let signer = signer(Algorithm::EdDsa);
    let token = signer.token(signer.header(), r#"{"exp":4102444800}"#).into_bytes();
    let keys = key_set(Backend::Default);
    assert!(verify_jws(&token, &keys, &any_jws()).is_ok());
    let alphabet = (0..=255_u8).filter(|byte| byte.is_ascii_alphanumeric() || b"-_=+/. \n\0\xff".contains(byte));
    for byte in alphabet {
        for at in 0..token.len() {
            let mut other = token.clone();
            other[at] = byte;
            assert_eq!(verify_jws(&other, &keys, &any_jws()).is_ok(), other == token, "{byte} at {at}");
        }
    }
    // And so is white space or padding around any part.
    for at in 0..=token.len() {
        for extra in [&b"="[..], b" ", b"\n", b"\0", b"A", b"."] {
            let other = [&token[..at], extra, &token[at..]].concat();
            assert!(verify_jws(&other, &keys, &any_jws()).is_err(), "{extra:?} at {at}");
        }
    }
}

/// s + n is the same number as s modulo n. The `rsa` crate alone takes it in PSS (RFC 8017 section 8.1.2 step 2a).
#[test]
fn an_rsa_signature_above_the_modulus_is_rejected() {
    let set: serde_json::Value = serde_json::from_str(&jwk("rsa")).unwrap();
    let modulus = BASE64URL_NOPAD.decode(set["n"].as_str().unwrap().as_bytes()).unwrap();
    for algorithm in [Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512, Algorithm::Rs256] {
        let signer = signer(algorithm);
        // One signature in seven leaves room for the modulus.
        let found = (0..400).find_map(|serial| {
            let token = signer.token(signer.header(), format!(r#"{{"serial":{serial}}}"#));
            let (input, signature) = split(&token);
            Some((input.to_vec(), signature.clone(), sum(&signature, &modulus)?))
        });
        let (input, signature, above) = found.unwrap();
        for options in KEY_OPTIONS {
            let keys = key_set(options);
            let key = keys.get("rsa").unwrap();
            assert!(key.verify(algorithm, &input, &signature));
            assert!(!key.verify(algorithm, &input, &above), "{algorithm:?} {options:?}");
        }
        let taken = jsonwebtoken_holds(&jwk("rsa"), algorithm, &input, &above);
        assert_eq!(taken, algorithm != Algorithm::Rs256, "the check stays for as long as jsonwebtoken needs it");
    }
}

/// The sum of two big-endian numbers of the same length, if it has that length too.
fn sum(first: &[u8], second: &[u8]) -> Option<Vec<u8>> {
    let mut carry = 0;
    let mut digits: Vec<u8> = first
        .iter()
        .zip(second)
        .rev()
        .map(|(one, other)| {
            let digit = u16::from(*one) + u16::from(*other) + carry;
            carry = digit >> 8;
            digit.to_le_bytes()[0]
        })
        .collect();
    digits.reverse();
    (carry == 0).then_some(digits)
}
