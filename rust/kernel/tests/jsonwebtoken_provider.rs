//! The kernel as the provider of the `jsonwebtoken` crate, in a separate process, since a provider is installed once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(clippy::disallowed_types, reason = "a test does not fork")]

mod common;
#[path = "common/rsa_signer.rs"]
mod rsa_signer;

use std::sync::LazyLock;

use common::{CLAIMS, JWKS, base64url, jwt_algorithm, signer};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{Jwk, JwkSet, ThumbprintHash};
use jsonwebtoken::{Algorithm as JwtAlgorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use num_bigint::BigUint;
use rsa_signer::RsaSigner;
use serde_json::Value;
use sha2::{Digest, Sha256};
use spki::der::pem::decode_vec;
use watchword_kernel::Algorithm;
use watchword_kernel::jsonwebtoken_provider::DEFAULT_PROVIDER;

/// Installs the provider. Force it before any call of the crate.
static INSTALLED: LazyLock<()> =
    LazyLock::new(|| DEFAULT_PROVIDER.install_default().expect("no other provider is installed"));

/// The algorithms that the crate supports.
fn algorithms() -> impl Iterator<Item = Algorithm> {
    LazyLock::force(&INSTALLED);
    Algorithm::ALL.into_iter().filter(|&algorithm| algorithm != Algorithm::Ed25519)
}

fn decoding_key(key_id: &str) -> DecodingKey {
    let set: JwkSet = serde_json::from_str(JWKS).unwrap();
    DecodingKey::from_jwk(set.find(key_id).unwrap()).unwrap()
}

fn validation(algorithm: JwtAlgorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.set_audience(&["https://api.example"]);
    validation
}

/// The crate's error for a token; `None` if it is accepted.
fn rejection(token: &str, key: &DecodingKey, algorithm: JwtAlgorithm) -> Option<ErrorKind> {
    LazyLock::force(&INSTALLED);
    decode::<Value>(token, key, &validation(algorithm)).err().map(|error| error.into_kind())
}

fn is_bad_signature(rejection: Option<&ErrorKind>) -> bool {
    matches!(rejection, Some(ErrorKind::InvalidSignature))
}

/// With the last byte of the signature changed.
fn damaged(token: &str) -> String {
    let (rest, signature) = token.rsplit_once('.').unwrap();
    let mut bytes = data_encoding::BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    format!("{rest}.{}", base64url(bytes))
}

#[test]
fn every_algorithm() {
    for algorithm in algorithms() {
        let signer = signer(algorithm);
        let (key, jwt_algorithm) = (decoding_key(signer.key_id), jwt_algorithm(algorithm));
        let token = signer.token(signer.header(), CLAIMS);
        // Often enough for the key to get a table.
        for _ in 0..100 {
            let decoded = decode::<Value>(&token, &key, &validation(jwt_algorithm)).unwrap();
            assert_eq!(decoded.claims, serde_json::from_str::<Value>(CLAIMS).unwrap());
            assert_eq!(decoded.header.alg, jwt_algorithm);
        }
    }
}

#[test]
fn invalid_signatures() {
    for algorithm in algorithms() {
        let signer = signer(algorithm);
        let (key, jwt_algorithm) = (decoding_key(signer.key_id), jwt_algorithm(algorithm));
        let token = signer.token(signer.header(), CLAIMS);
        let other = signer.token(signer.header(), CLAIMS.replace("agent-7", "agent-8"));
        let (signed, _) = token.rsplit_once('.').unwrap();
        let (_, signature) = other.rsplit_once('.').unwrap();
        for bad in [damaged(&token), format!("{signed}.{signature}"), format!("{signed}."), format!("{signed}.AA")] {
            assert!(is_bad_signature(rejection(&bad, &key, jwt_algorithm).as_ref()), "{}: {bad}", algorithm.name());
        }
    }
}

/// An algorithm accepts only keys of its own type, and no secret.
#[test]
fn keys_of_another_type() {
    for algorithm in algorithms() {
        let signer = signer(algorithm);
        let token = signer.token(signer.header(), CLAIMS);
        for key_id in ["ed25519", "p256", "p384", "rsa"].into_iter().filter(|&key_id| key_id != signer.key_id) {
            assert!(rejection(&token, &decoding_key(key_id), jwt_algorithm(algorithm)).is_some(), "{key_id}");
        }
        let secret = DecodingKey::from_secret(&[7; 32]);
        let rejection = rejection(&token, &secret, jwt_algorithm(algorithm));
        assert!(matches!(rejection, Some(ErrorKind::InvalidKeyFormat)), "{rejection:?}");
    }
}

#[test]
fn rejected_keys() {
    let ed25519 = signer(Algorithm::EdDsa);
    let token = ed25519.token(ed25519.header(), CLAIMS);
    let mut small_order = [0; 32];
    small_order[0] = 1;
    for point in [&small_order[..], &[0xff; 32], &[2; 31], &[2; 33], &[]] {
        let rejection = rejection(&token, &DecodingKey::from_ed_der(point), JwtAlgorithm::EdDSA);
        assert!(matches!(rejection, Some(ErrorKind::InvalidEddsaKey)), "{rejection:?}");
    }

    let p256 = signer(Algorithm::Es256);
    let token = p256.token(p256.header(), CLAIMS);
    let compressed = [&[2], [7; 32].as_slice()].concat();
    let off_the_curve = [&[4], [7; 64].as_slice()].concat();
    for point in [compressed, off_the_curve, vec![4; 97], vec![]] {
        let rejection = rejection(&token, &DecodingKey::from_ec_der(&point), JwtAlgorithm::ES256);
        assert!(matches!(rejection, Some(ErrorKind::InvalidEcdsaKey)), "{rejection:?}");
    }

    let rsa = signer(Algorithm::Rs256);
    let token = rsa.token(rsa.header(), CLAIMS);
    let modulus = vec![0xff; 256];
    let even = vec![0xfe; 256];
    for (modulus, exponent, reason) in [
        (&modulus[1..], &[1, 0, 1][..], "fewer than 2048 bits"),
        (&[0xff; 1025], &[1, 0, 1], "more than 8192 bits"),
        (&even, &[1, 0, 1], "even"),
        (&modulus, &[1], "exponent"),
        (&modulus, &[0, 1, 0, 1], "leading zero"),
    ] {
        let key = DecodingKey::from_rsa_raw_components(modulus, exponent);
        let rejection = rejection(&token, &key, JwtAlgorithm::RS256);
        assert!(matches!(&rejection, Some(ErrorKind::InvalidRsaKey(why)) if why.contains(reason)), "{rejection:?}");
    }
    let rejection = rejection(&token, &DecodingKey::from_rsa_der(b"not DER"), JwtAlgorithm::RS256);
    assert!(matches!(rejection, Some(ErrorKind::InvalidRsaKey(_))), "{rejection:?}");
}

/// PKCS #1, which the crate makes of PEM, and a `SubjectPublicKeyInfo` as it is.
#[test]
fn rsa_keys_in_der() {
    use rsa::pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPublicKey as _};
    use rsa::pkcs8::EncodePublicKey as _;

    LazyLock::force(&INSTALLED);
    let signer = signer(Algorithm::Ps384);
    let token = signer.token(signer.header(), CLAIMS);
    let (_, der) = decode_vec(include_str!("keys/rsa.pem").trim_end().as_bytes()).unwrap();
    let private = rsa::RsaPrivateKey::from_pkcs1_der(&der).unwrap();
    let public = private.to_public_key();
    let pkcs1 = public.to_pkcs1_der().unwrap();
    let spki = public.to_public_key_der().unwrap();
    for der in [pkcs1.as_bytes(), spki.as_bytes()] {
        assert!(rejection(&token, &DecodingKey::from_rsa_der(der), JwtAlgorithm::PS384).is_none());
    }
}

/// The kernel's limits apply, not those of the crate's own provider, which accepts 4096 bits at most.
#[test]
fn long_rsa_keys() {
    let signer = RsaSigner::new(8192, 3);
    let (n, e) = (signer.modulus.to_bytes_be(), [1, 0, 1]);
    let input = format!("{}.{}", base64url(r#"{"alg":"RS256"}"#), base64url(CLAIMS));
    let info = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    let encoded = [&[0, 1], vec![0xff; signer.length() - 54].as_slice(), &[0], info, &Sha256::digest(&input)].concat();
    let signature: BigUint = signer.sign(&encoded).unwrap();
    let mut bytes = signature.to_bytes_le();
    bytes.resize(signer.length(), 0);
    bytes.reverse();
    let token = format!("{input}.{}", base64url(bytes));
    let key = DecodingKey::from_rsa_raw_components(&n, &e);
    assert!(rejection(&token, &key, JwtAlgorithm::RS256).is_none());
    assert!(is_bad_signature(rejection(&damaged(&token), &key, JwtAlgorithm::RS256).as_ref()));
}

/// Everything else is the crate's own: secrets, signing, and functions of keys.
#[test]
fn everything_else_is_as_before() {
    LazyLock::force(&INSTALLED);
    let claims: Value = serde_json::from_str(CLAIMS).unwrap();
    for algorithm in [JwtAlgorithm::HS256, JwtAlgorithm::HS384, JwtAlgorithm::HS512] {
        let token = encode(&Header::new(algorithm), &claims, &EncodingKey::from_secret(&[7; 64])).unwrap();
        assert!(rejection(&token, &DecodingKey::from_secret(&[7; 64]), algorithm).is_none());
        assert!(is_bad_signature(rejection(&token, &DecodingKey::from_secret(&[8; 64]), algorithm).as_ref()));
    }

    // RFC 7638 section 3.1, by a digest that the provider computes.
    let jwk: Jwk = serde_json::from_str(r#"{"kty":"RSA","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}"#).unwrap();
    assert_eq!(jwk.thumbprint(ThumbprintHash::SHA256).unwrap(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}
