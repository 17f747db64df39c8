//! Whole tokens, under fixed keys and policies.

use std::num::NonZeroUsize;

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::Signer as _;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::Value as Reference;
use watchword_kernel::{
    Algorithm, Error, JwsPolicy, KeySet, Limits, Refusal, VerifiedToken, unverified_names, verify_jws, verify_many,
};

use super::{AUDIENCE, ISSUER, JWKS, LEEWAY, NOW, POLICIES, RFC_8037, SETS, SIGNING_KEY, now};

/// A token as it came, and the same one signed anew, so that what is behind the signature is reached too. Where the input
/// has two lines, they are taken for a header and claims, and signed as they are.
pub(crate) fn verify(token: &[u8]) {
    for sets in SETS.iter() {
        judge(token, sets);
    }
    if let Some(token) = signed(token) {
        judge(&token, &SETS[1]);
    }
}

/// Whether the strict policy accepts a token, as it came or two lines signed, under one of the sets.
pub(crate) fn is_accepted(input: &[u8]) -> bool {
    let is_accepted =
        |token: &[u8]| SETS.iter().any(|[keys, ..]| watchword_kernel::verify(token, keys, &POLICIES[0], now()).is_ok());
    is_accepted(input) || input.contains(&b'\n') && signed(input).is_some_and(|token| is_accepted(&token))
}

fn signed(input: &[u8]) -> Option<Vec<u8>> {
    let input = if let Some(end) = input.iter().position(|&byte| byte == b'\n') {
        let (header, claims) = (&input[..end], &input[end + 1..]);
        format!("{}.{}", BASE64URL_NOPAD.encode(header), BASE64URL_NOPAD.encode(claims)).into_bytes()
    } else {
        input[..input.iter().rposition(|&byte| byte == b'.')?].to_vec()
    };
    let signature = BASE64URL_NOPAD.encode(&SIGNING_KEY.sign(&input).to_bytes());
    Some([&input, &b"."[..], signature.as_bytes()].concat())
}

/// The same verdict from all backends; nothing of the token in what is said of it.
fn judge(token: &[u8], sets: &[KeySet; 3]) {
    for policy in POLICIES.iter() {
        let [verdict, without_tables, reference] =
            sets.each_ref().map(|keys| watchword_kernel::verify(token, keys, policy, now()));
        assert_same(&verdict, &without_tables);
        assert_same(&verdict, &reference);
        match &verdict {
            Ok(verified) => check_verified(token, verified, &sets[0]),
            Err(refusal) => check_refusal(token, refusal, &sets[0]),
        }
    }
    // Each time the same, alone and among others; and what the strict policy accepts, the lax one does, too.
    let [strict, lax] = [0, 1].map(|policy| watchword_kernel::verify(token, &sets[0], &POLICIES[policy], now()));
    for again in verify_many(&[token, token], &sets[0], &POLICIES[0], now(), NonZeroUsize::MIN) {
        assert_same(&strict, &again);
    }
    if let Ok(strict) = strict {
        check_strict(&strict);
        assert!(lax.is_ok());
    }
}

fn assert_same(first: &Result<VerifiedToken, Refusal>, second: &Result<VerifiedToken, Refusal>) {
    match (first, second) {
        (Ok(first), Ok(second)) => {
            assert_eq!(first.claims(), second.claims());
            assert_eq!(first.jws().header(), second.jws().header());
            assert_eq!(first.jws().payload(), second.jws().payload());
            assert_eq!(first.jws().algorithm(), second.jws().algorithm());
            assert_eq!(first.jws().key_id(), second.jws().key_id());
        }
        _ => assert_eq!(first.as_ref().err(), second.as_ref().err()),
    }
}

/// What is accepted is what was signed, and jsonwebtoken holds its signature good.
fn check_verified(token: &[u8], verified: &VerifiedToken, keys: &KeySet) {
    let parts: Vec<&[u8]> = token.split(|&byte| byte == b'.').collect();
    let encoded = [verified.jws().header(), verified.jws().payload()].map(|part| BASE64URL_NOPAD.encode(part));
    assert_eq!(parts.len(), 3);
    assert_eq!([parts[0], parts[1]], [encoded[0].as_bytes(), encoded[1].as_bytes()]);
    check_no_leak(token, &format!("{verified:?}"));

    let issuer = verified.claims().issuer();
    let named = unverified_names(token, &Limits::default());
    assert_eq!((named.issuer(), named.subject()), (issuer, verified.claims().subject()));
    let jws = verify_jws(token, keys, &JwsPolicy::default().with_any_type()).expect("holds");
    assert_eq!(jws.payload(), verified.jws().payload());
    let key_id = verified.jws().key_id();
    let named = named.key_id();
    assert!(key_id.is_none() || named.is_none() || named.as_deref() == key_id);

    let header: Reference = serde_json::from_slice(verified.jws().header()).expect("JSON");
    assert_eq!(header["alg"], verified.jws().algorithm().name());
    assert!(header.get("crit").is_none() && header.get("b64").is_none());
    let key = keys.keys().iter().find(|key| key.key_id() == key_id).expect("a key of the set");
    assert!(key.algorithms().contains(verified.jws().algorithm()));
    if let Some(accepts) = jsonwebtoken_accepts(token, verified, &header, keys) {
        assert!(accepts, "jsonwebtoken refuses what the kernel accepts");
    }
}

/// Whether jsonwebtoken decodes the token with the key that verified it; `None` where it cannot be asked: it does not
/// know "Ed25519" as an `alg`, and refuses members of the header, ignored here, that have not the type it gives them.
fn jsonwebtoken_accepts(token: &[u8], verified: &VerifiedToken, header: &Reference, keys: &KeySet) -> Option<bool> {
    let is_plain = header.as_object()?.keys().all(|name| ["alg", "kid", "typ"].contains(&name.as_str()));
    if verified.jws().algorithm() == Algorithm::Ed25519 || !is_plain {
        return None;
    }
    let jwks: Reference = serde_json::from_str(if keys.keys().len() == 1 { RFC_8037 } else { JWKS }).expect("JSON");
    let jwk = jwks["keys"].as_array()?.iter().find(|jwk| jwk["kid"].as_str() == verified.jws().key_id())?;
    let key = DecodingKey::from_jwk(&serde_json::from_value(jwk.clone()).expect("a JWK")).expect("a key");
    let mut validation = Validation::new(verified.jws().algorithm().name().parse().expect("known to it"));
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    Some(jsonwebtoken::decode::<Reference>(token, &key, &validation).is_ok())
}

/// The claims that a strict policy accepted, judged once more, by another JSON parser.
fn check_strict(verified: &VerifiedToken) {
    let claims: Reference = serde_json::from_slice(verified.jws().payload()).expect("JSON");
    let seconds = |name: &str| claims.get(name).map(|value| value.as_f64().expect("a number"));
    assert!(seconds("exp").is_some_and(|exp| NOW < exp + LEEWAY));
    assert!(seconds("nbf").is_none_or(|nbf| NOW >= nbf - LEEWAY));
    assert!(seconds("iat").is_none_or(|iat| NOW >= iat - LEEWAY));
    assert_eq!(claims["iss"], ISSUER);
    let audience = &claims["aud"];
    assert!(audience == AUDIENCE || audience.as_array().is_some_and(|all| all.iter().any(|one| one == AUDIENCE)));
    assert!(["sub", "jti"].into_iter().all(|name| claims.get(name).is_none_or(Reference::is_string)));
    assert!(claims.get("cnf").is_none());
}

/// What was signed comes with the refusal exactly if the signature is valid, and not in what is shown of it.
fn check_refusal(token: &[u8], refusal: &Refusal, keys: &KeySet) {
    check_error(token, refusal.error());
    if !matches!(refusal.error(), Error::UnknownKey(_)) {
        check_no_leak(token, &format!("{refusal:?}"));
    }
    match (refusal.signed(), verify_jws(token, keys, &JwsPolicy::default().with_any_type())) {
        (Some(signed), Ok(jws)) => assert_eq!((signed.header(), signed.payload()), (jws.header(), jws.payload())),
        (Some(_), Err(error)) => panic!("what is not signed comes as signed: {error}"),
        (None, Ok(_)) => assert!(matches!(refusal.error(), Error::WrongType(_))),
        (None, Err(_)) => {}
    }
}

fn check_error(token: &[u8], error: &Error) {
    let message = error.to_string();
    assert!(message.bytes().all(|byte| (b' '..=b'~').contains(&byte)) || message.contains('…'), "{message:?}");
    assert!(message.len() < 1024);
    // The kid that was asked for is said, and may be any text: the only part of a token that is.
    if !matches!(error, Error::UnknownKey(_)) {
        check_no_leak(token, &message);
    }
}

/// No part of the token that is long enough not to be there by chance.
fn check_no_leak(token: &[u8], said: &str) {
    for part in token.split(|byte| !byte.is_ascii_alphanumeric() && !b"-_".contains(byte)) {
        let part = std::str::from_utf8(part).expect("ASCII");
        assert!(part.len() < 24 || !said.contains(part), "{said:?} says a part of the token");
    }
}
