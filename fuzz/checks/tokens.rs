//! Whole tokens, with fixed keys and policies.

use std::num::NonZeroUsize;

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::Signer as _;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::Value as Reference;
use watchword_kernel::{
    Algorithm, ClientCertificate, Error, JwsPolicy, KeySet, Limits, ProofOfPossession, Rejection, VerifiedToken,
    unverified_names, verify_jws, verify_many,
};

use super::{AUDIENCE, ISSUER, JWKS, LEEWAY, NOW, POLICIES, RFC_8037, SETS, SIGNING_KEY, now};

/// Checks a token as it is and with a new signature, so that the checks after the signature are reached too. An input
/// of two lines is a header and claims, which are signed.
pub(crate) fn verify(token: &[u8]) {
    for sets in SETS.iter() {
        check_token(token, sets);
    }
    if let Some(token) = signed(token) {
        check_token(&token, &SETS[1]);
    }
}

/// Whether the strict policy accepts a token, or two lines once they are signed, with one of the sets.
pub(crate) fn is_accepted(input: &[u8]) -> bool {
    let is_accepted = |token: &[u8]| {
        SETS.iter().any(|[keys, ..]| {
            watchword_kernel::verify(token, keys, &POLICIES[0], now(), ProofOfPossession::default()).is_ok()
        })
    };
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

/// The verdict is the same with all key options, and no error contains a part of the token.
fn check_token(token: &[u8], sets: &[KeySet; 3]) {
    for policy in POLICIES.iter() {
        let [verdict, without_tables, reference] = sets
            .each_ref()
            .map(|keys| watchword_kernel::verify(token, keys, policy, now(), ProofOfPossession::default()));
        assert_same(&verdict, &without_tables);
        assert_same(&verdict, &reference);
        match &verdict {
            Ok(verified) => check_verified(token, verified, &sets[0]),
            Err(rejection) => check_rejection(token, rejection, &sets[0]),
        }
    }
    // The verdict is the same each time, alone and in a batch, and the lax policy accepts what the strict one accepts.
    let [strict, lax] = [0, 1].map(|policy| {
        watchword_kernel::verify(token, &sets[0], &POLICIES[policy], now(), ProofOfPossession::default())
    });
    for again in verify_many(&[token, token], &sets[0], &POLICIES[0], now(), NonZeroUsize::MIN) {
        assert_same(&strict, &again);
    }
    check_certificate(token, &sets[0], &strict, lax.as_ref().ok());
    if let Ok(strict) = strict {
        check_strict(&strict);
        assert!(lax.is_ok());
    }
}

/// A certificate makes a difference only for a token that is bound to one: only that one fulfils the binding.
fn check_certificate(
    token: &[u8],
    keys: &KeySet,
    strict: &Result<VerifiedToken, Rejection>,
    lax: Option<&VerifiedToken>,
) {
    let with = |digest, policy| {
        let certificate = Some(ClientCertificate::Sha256(digest));
        watchword_kernel::verify(token, keys, policy, now(), ProofOfPossession { proof: None, certificate })
    };
    let bound = lax.and_then(|token| token.claims().confirmation()?.certificate.as_ref());
    let Some(bound) = bound else { return assert_same(strict, &with([7; 32], &POLICIES[0])) };
    let digest: [u8; 32] = BASE64URL_NOPAD.decode(bound.as_bytes()).expect("base64url").try_into().expect("a SHA-256");
    assert!(with(digest, &POLICIES[1]).is_ok());
    for policy in POLICIES.iter() {
        let own = with(digest, policy).err().map(|error| error.code());
        assert!(!matches!(own, Some("certificate_required" | "certificate_mismatch")), "{own:?}");
        let other = with(digest.map(|byte| !byte), policy).expect_err("another certificate").code();
        assert!(
            matches!(own, None | Some("dpop_proof_required")) == (other == "certificate_mismatch"),
            "{own:?} {other}"
        );
    }
    assert!(strict.is_err());
}

fn assert_same(first: &Result<VerifiedToken, Rejection>, second: &Result<VerifiedToken, Rejection>) {
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

/// An accepted token is what was signed, and jsonwebtoken accepts it too.
fn check_verified(token: &[u8], verified: &VerifiedToken, keys: &KeySet) {
    let parts: Vec<&[u8]> = token.split(|&byte| byte == b'.').collect();
    let encoded = [verified.jws().header(), verified.jws().payload()].map(|part| BASE64URL_NOPAD.encode(part));
    assert_eq!(parts.len(), 3);
    assert_eq!([parts[0], parts[1]], [encoded[0].as_bytes(), encoded[1].as_bytes()]);
    check_no_leak(token, &format!("{verified:?}"));

    let issuer = verified.claims().issuer();
    let named = unverified_names(token, &Limits::default());
    assert_eq!((named.issuer(), named.subject()), (issuer, verified.claims().subject()));
    let jws = verify_jws(token, keys, &JwsPolicy::default().with_any_type()).expect("a valid signature");
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
        assert!(accepts, "jsonwebtoken rejects what the kernel accepts");
    }
}

/// Whether jsonwebtoken decodes the token with the key that verified it; `None` if it cannot: it does not
/// support "Ed25519" as an `alg`, and rejects header members of unexpected types that are ignored here.
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

/// Checks the claims that a strict policy accepted again, with another JSON parser.
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

/// A rejection contains the signed content exactly if the signature is valid, and never shows it.
fn check_rejection(token: &[u8], rejection: &Rejection, keys: &KeySet) {
    check_error(token, rejection.error());
    if !matches!(rejection.error(), Error::UnknownKey(_)) {
        check_no_leak(token, &format!("{rejection:?}"));
    }
    match (rejection.signed(), verify_jws(token, keys, &JwsPolicy::default().with_any_type())) {
        (Some(signed), Ok(jws)) => assert_eq!((signed.header(), signed.payload()), (jws.header(), jws.payload())),
        (Some(_), Err(error)) => panic!("unsigned content is presented as signed: {error}"),
        (None, Ok(_)) => assert!(matches!(rejection.error(), Error::WrongType(_))),
        (None, Err(_)) => {}
    }
}

fn check_error(token: &[u8], error: &Error) {
    let message = error.to_string();
    assert!(message.bytes().all(|byte| (b' '..=b'~').contains(&byte)) || message.contains('…'), "{message:?}");
    assert!(message.len() < 1024);
    // The unknown kid, which may be any text, is the only part of a token that a message contains.
    if !matches!(error, Error::UnknownKey(_)) {
        check_no_leak(token, &message);
    }
}

/// No part of the token that is too long to be there by chance.
fn check_no_leak(token: &[u8], shown: &str) {
    for part in token.split(|byte| !byte.is_ascii_alphanumeric() && !b"-_".contains(byte)) {
        let part = std::str::from_utf8(part).expect("ASCII");
        assert!(part.len() < 24 || !shown.contains(part), "{shown:?} contains a part of the token");
    }
}
