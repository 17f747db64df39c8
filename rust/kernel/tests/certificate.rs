//! Tokens that are bound to a client certificate (RFC 8705 section 3): every path gives the same verdict.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::num::NonZeroUsize;
use std::sync::Arc;

use common::{CLAIMS, KEY_OPTIONS, NOW, agreed, base64url, key_set, now, signer, strict};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use watchword_kernel::{
    Algorithm, BoundTokens, CacheLookup, ClientCertificate, DpopProof, Limits, Policy, ProofOfPossession, ProofPolicy,
    ProofRequest, TokenCache, UnverifiedProof, thumbprint, token_hash, verify, verify_many, verify_proof,
    verify_request,
};

/// RFC 8705 appendix A: a certificate, and the `x5t#S256` that is calculated from it.
const RFC_CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----
MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx
ODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ
/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwID
SQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOV
bUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=
-----END CERTIFICATE-----
";
const RFC_THUMBPRINT: &str = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";

const METHOD: &str = "GET";
const URI: &str = "https://api.example/orders";

/// What is sent with a token.
#[derive(Clone, Copy)]
struct Sent<'a> {
    proof: bool,
    certificate: Option<&'a [u8]>,
}

const NOTHING: Sent<'_> = Sent { proof: false, certificate: None };

fn token(cnf: &Value) -> String {
    let mut claims: Value = serde_json::from_str(CLAIMS).unwrap();
    claims["cnf"] = cnf.clone();
    let signer = signer(Algorithm::EdDsa);
    signer.token(signer.header(), claims.to_string())
}

fn holder_jwk() -> Value {
    let jwks: Value = serde_json::from_str(common::JWKS).unwrap();
    let p256 = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == "p256").unwrap();
    json!({"kty": "EC", "crv": "P-256", "x": p256["x"], "y": p256["y"]})
}

fn jkt() -> String {
    let jwk = holder_jwk().to_string();
    thumbprint(&watchword_kernel::json::Object::parse(jwk.as_bytes()).unwrap()).unwrap()
}

fn proof_for(token: &str) -> String {
    let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": holder_jwk()});
    let claims = json!({"jti": "1", "htm": METHOD, "htu": URI, "iat": NOW, "ath": token_hash(token.as_bytes())});
    signer(Algorithm::Es256).token(header.to_string(), claims.to_string())
}

fn policy(bound_tokens: BoundTokens) -> Policy {
    strict().with_bound_tokens(bound_tokens)
}

fn proof_policy() -> ProofPolicy {
    ProofPolicy::new(Limits::default(), Algorithm::ALL.into_iter().collect(), 60.0, 5.0).unwrap()
}

/// The code of every path that can be given what is sent.
fn code(token: &str, bound_tokens: BoundTokens, sent: Sent<'_>) -> Option<&'static str> {
    let policy = policy(bound_tokens);
    let forms: Vec<Option<ClientCertificate<'_>>> = match sent.certificate {
        None => vec![None],
        Some(der) => {
            vec![Some(ClientCertificate::Der(der)), Some(ClientCertificate::Sha256(Sha256::digest(der).into()))]
        }
    };
    let proof = sent.proof.then(|| proof_for(token));
    let shared_policy = Arc::new(policy.clone());
    let proof_policy = proof_policy();
    let mut codes = Vec::new();
    for options in KEY_OPTIONS {
        let keys = Arc::new(key_set(options));
        let cache = TokenCache::new(1 << 20);
        let lookup = CacheLookup { token: token.as_bytes(), keys: &keys, policy: &shared_policy, now: now() };
        // In the cache, whatever the binding: each hit checks it.
        if let Ok(checked) = cache.get(lookup).err().unwrap().verify() {
            cache.insert(&checked);
        }
        for certificate in &forms {
            let certificate = *certificate;
            let request = ProofRequest {
                method: METHOD,
                uri: URI,
                access_token: Some(token.as_bytes()),
                expected_jkt: None,
                nonces: None,
            };
            let verified: Option<DpopProof> =
                proof.as_ref().map(|proof| verify_proof(proof.as_bytes(), &request, &proof_policy, now()).unwrap());
            let possession = ProofOfPossession { proof: verified.as_ref(), certificate };
            codes.push(verify(token.as_bytes(), &keys, &policy, now(), possession).err().map(|error| error.code()));
            match cache.get(lookup) {
                Ok(found) => {
                    codes.push(found.clone().verified(possession).err().map(|error| error.code()));
                    if let Some(proof) = &proof {
                        let proof = unverified(proof, &proof_policy);
                        codes.push(found.verified_with(&proof, certificate).err().map(|error| error.code()));
                    }
                }
                Err(miss) => codes.push(miss.verify().err().map(|error| error.code())),
            }
            if let Some(proof) = &proof {
                let proof = unverified(proof, &proof_policy);
                let verdict = verify_request(token.as_bytes(), &keys, &policy, now(), &proof, certificate);
                codes.push(verdict.err().map(|error| error.code()));
            }
        }
        if !sent.proof && sent.certificate.is_none() {
            for verdict in verify_many(&[token, token], &keys, &policy, now(), NonZeroUsize::MIN) {
                codes.push(verdict.err().map(|error| error.code()));
            }
        }
    }
    agreed(codes)
}

fn unverified<'a>(proof: &'a str, policy: &'a ProofPolicy) -> UnverifiedProof<'a> {
    UnverifiedProof { proof: proof.as_bytes(), policy, method: METHOD, uri: URI, nonces: None }
}

#[test]
fn the_example_of_rfc_8705() {
    let der = ClientCertificate::der_from_pem(RFC_CERTIFICATE).unwrap();
    assert_eq!(ClientCertificate::Der(&der).thumbprint(), RFC_THUMBPRINT);
    assert_eq!(ClientCertificate::Sha256(Sha256::digest(&der).into()).thumbprint(), RFC_THUMBPRINT);
    let token = token(&json!({"x5t#S256": RFC_THUMBPRINT}));
    let with = |certificate| Sent { proof: false, certificate };
    assert_eq!(code(&token, BoundTokens::Reject, with(Some(&der))), None);
    assert_eq!(code(&token, BoundTokens::Reject, with(None)), Some("certificate_required"));
    assert_eq!(code(&token, BoundTokens::Reject, with(Some(b"0"))), Some("certificate_mismatch"));
}

/// Every confirmation method that a token names must be fulfilled, in this order: the unsupported ones, the certificate,
/// the proof.
#[test]
fn every_method_is_checked() {
    let (der, other) = (b"0\x82a certificate".as_slice(), b"0\x82another".as_slice());
    let x5t = ClientCertificate::Der(der).thumbprint();
    // Rows: what the token is bound to. Columns: nothing, the certificate, another, a proof, both, a proof and another.
    let (ok, unsupported, unbound) = (None, Some("unsupported"), Some("dpop_unbound_token"));
    let (required, mismatch) = (Some("certificate_required"), Some("certificate_mismatch"));
    let proof = Some("dpop_proof_required");
    let rows = [
        (json!({"x5t#S256": x5t}), [required, ok, mismatch, required, unbound, mismatch]),
        (json!({"jkt": jkt()}), [proof, proof, proof, ok, ok, ok]),
        (json!({"jkt": jkt(), "x5t#S256": x5t}), [required, proof, mismatch, required, ok, mismatch]),
        (json!({"jwk": holder_jwk(), "x5t#S256": x5t}), [required, proof, mismatch, required, ok, mismatch]),
        (json!({"kid": "1"}), [unsupported; 6]),
        (json!({"jkt": jkt(), "kid": "1"}), [unsupported; 6]),
        (json!({"x5t#S256": x5t, "x5t": "1"}), [unsupported; 6]),
        (json!({"x5t#s256": x5t}), [unsupported; 6]),
    ];
    // A token of the same kind that is accepted as a bearer token: what is sent with it must still be the right one.
    let accepting = [
        [ok, ok, mismatch, unbound, unbound, mismatch],
        [ok, ok, ok, ok, ok, ok],
        [ok, ok, mismatch, ok, ok, mismatch],
        [ok, ok, mismatch, ok, ok, mismatch],
        [ok, ok, ok, unsupported, unsupported, unsupported],
        [ok, ok, ok, unsupported, unsupported, unsupported],
        [ok, ok, mismatch, unsupported, unsupported, unsupported],
        [ok, ok, ok, unsupported, unsupported, unsupported],
    ];
    let sent =
        [(false, None), (false, Some(der)), (false, Some(other)), (true, None), (true, Some(der)), (true, Some(other))]
            .map(|(proof, certificate)| Sent { proof, certificate });
    for ((cnf, rejecting), accepting) in rows.into_iter().zip(accepting) {
        let token = token(&cnf);
        for (index, sent) in sent.into_iter().enumerate() {
            assert_eq!(code(&token, BoundTokens::Reject, sent), rejecting[index], "{cnf} {index}");
            assert_eq!(code(&token, BoundTokens::Accept, sent), accepting[index], "{cnf} {index}, accepting");
        }
    }
    let signer = signer(Algorithm::EdDsa);
    let unbound_token = signer.token(signer.header(), CLAIMS);
    for (sent, expected) in sent.into_iter().zip([ok, ok, ok, unbound, unbound, unbound]) {
        assert_eq!(code(&unbound_token, BoundTokens::Reject, sent), expected);
        assert_eq!(code(&unbound_token, BoundTokens::Accept, sent), expected);
    }
}

/// The certificate is compared before the proof is read.
#[test]
fn a_bad_proof_is_not_reached() {
    let token = token(&json!({"jkt": jkt(), "x5t#S256": base64url([7; 32])}));
    let (keys, policy, proof_policy) = (key_set(KEY_OPTIONS[0]), strict(), proof_policy());
    let proof = unverified("not a proof", &proof_policy);
    let code = |certificate| {
        let rejection = verify_request(token.as_bytes(), &keys, &policy, now(), &proof, certificate).unwrap_err();
        assert!(rejection.signed().is_some(), "an audit can record whose token it was");
        rejection.code()
    };
    assert_eq!(code(None), "certificate_required");
    assert_eq!(code(Some(ClientCertificate::Der(b"0"))), "certificate_mismatch");
    assert_eq!(code(Some(ClientCertificate::Sha256([7; 32]))), "dpop_malformed_proof");
}

/// A binding that nothing can fulfil is a defect of the token, whatever the policy.
#[test]
fn a_malformed_thumbprint() {
    let digest = base64url([7; 32]);
    let malformed = [
        json!(null),
        json!(1),
        json!([digest]),
        json!(""),
        json!("x"),
        json!(base64url([7; 31])),
        json!(base64url([7; 33])),
        json!(format!("{digest}=")),
        json!(digest.replace('c', "+")),
        json!(format!("{}\n", &digest[..42])),
        // The example of RFC 8705 section 3.1: it has unused bits set, so no encoder writes it.
        json!("bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"),
    ];
    for thumbprint in malformed {
        let token = token(&json!({"x5t#S256": thumbprint}));
        for bound_tokens in [BoundTokens::Reject, BoundTokens::Accept] {
            assert_eq!(code(&token, bound_tokens, NOTHING), Some("malformed_claims"), "{thumbprint}");
        }
    }
}

#[test]
fn what_is_read_from_pem() {
    let der = ClientCertificate::der_from_pem(RFC_CERTIFICATE).unwrap();
    for text in [
        RFC_CERTIFICATE.replace('\n', "\r\n"),
        format!("subject=CN = mtls\n{RFC_CERTIFICATE}"),
        RFC_CERTIFICATE.trim_end().to_owned(),
    ] {
        assert_eq!(ClientCertificate::der_from_pem(&text).as_deref(), Ok(der.as_slice()), "{text}");
    }
    for text in [
        String::new(),
        "mtls".to_owned(),
        RFC_CERTIFICATE.replace("CERTIFICATE", "PUBLIC KEY"),
        RFC_CERTIFICATE.replace("CERTIFICATE", "TRUSTED CERTIFICATE"),
        RFC_CERTIFICATE.repeat(2),
        RFC_CERTIFICATE.replace("-----END CERTIFICATE-----", ""),
        RFC_CERTIFICATE.replace("MIIB", "MI!B"),
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".to_owned(),
    ] {
        let error = ClientCertificate::der_from_pem(&text).unwrap_err();
        assert!(!error.to_string().contains("MII"), "{error}");
    }
}

#[test]
fn debug_shows_no_certificate() {
    let certificate = ClientCertificate::Der(b"0 CN=alice");
    assert_eq!(format!("{certificate:?}"), "ClientCertificate { .. }");
    let possession = ProofOfPossession { proof: None, certificate: Some(certificate) };
    assert!(format!("{possession:?}").contains("Some(ClientCertificate { .. })"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Only the same bytes pass.
    #[test]
    fn only_the_same_certificate(
        mut der in prop::collection::vec(any::<u8>(), 1..600), place: prop::sample::Index, bit in 0..8_u8, cut: bool,
    ) {
        let token = token(&json!({"x5t#S256": ClientCertificate::Der(&der).thumbprint()}));
        let sent = Sent { proof: false, certificate: Some(&der) };
        prop_assert_eq!(code(&token, BoundTokens::Reject, sent), None);
        if cut {
            der.pop();
        } else {
            let place = place.index(der.len());
            der[place] ^= 1 << bit;
        }
        let sent = Sent { proof: false, certificate: Some(&der) };
        prop_assert_eq!(code(&token, BoundTokens::Reject, sent), Some("certificate_mismatch"));
    }
}
