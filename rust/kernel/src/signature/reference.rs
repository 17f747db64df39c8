//! The reference backend: the `jsonwebtoken` crate with its pure-Rust cryptography.
//!
//! It verifies signatures only. By itself it accepts some that the kernel does not (an Ed25519 signature whose R has
//! small order, a PSS signature above the modulus or with an encoding that is a bit too long), so these are rejected
//! beforehand.

use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm as JwtAlgorithm, DecodingKey};
use watchword_arithmetic::ed25519::has_small_order;
use watchword_arithmetic::rsa::PublicKey;

use crate::algorithm::Algorithm;
use crate::key_params::{KeyDefect, KeyParams};

/// The largest modulus that the crate accepts, in bytes.
const MAX_MODULUS: usize = 512;

#[derive(Clone)]
pub(crate) struct Key {
    params: KeyParams,
    key: DecodingKey,
}

impl Key {
    pub(super) fn new(params: &KeyParams) -> Result<Self, KeyDefect> {
        let key = match params {
            KeyParams::Ed25519(point) => DecodingKey::from_ed_der(point),
            KeyParams::P256(point) => DecodingKey::from_ec_der(point),
            KeyParams::P384(point) if !is_p384_point(point) => return Err(KeyDefect::PointNotOnCurve),
            KeyParams::P384(point) => DecodingKey::from_ec_der(point),
            KeyParams::Rsa { modulus, .. } if modulus.len() > MAX_MODULUS => {
                return Err(KeyDefect::UnsupportedByBackend);
            }
            KeyParams::Rsa { modulus, exponent } => DecodingKey::from_rsa_raw_components(modulus, exponent),
        };
        Ok(Self { params: params.clone(), key })
    }

    pub(super) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let acceptable = match &self.params {
            KeyParams::Ed25519(_) => !has_small_order_r(signature),
            KeyParams::Rsa { modulus, exponent } => {
                is_representative(signature, modulus)
                    && (!is_pss(algorithm) || is_pss_length(modulus, exponent, signature))
            }
            KeyParams::P256(_) | KeyParams::P384(_) => true,
        };
        // The provider is called directly: the crate's process-wide provider may be another one, or none.
        acceptable
            && (DEFAULT_PROVIDER.verifier_factory)(&jwt_algorithm(algorithm), &self.key)
                .is_ok_and(|verifier| verifier.verify(message, &signature.to_vec()).is_ok())
    }
}

/// The crate that verifies with such points checks them.
fn is_p384_point(point: &[u8; 97]) -> bool {
    (DEFAULT_PROVIDER.verifier_factory)(&JwtAlgorithm::ES384, &DecodingKey::from_ec_der(point)).is_ok()
}

fn jwt_algorithm(algorithm: Algorithm) -> JwtAlgorithm {
    match algorithm {
        Algorithm::EdDsa | Algorithm::Ed25519 => JwtAlgorithm::EdDSA,
        Algorithm::Es256 => JwtAlgorithm::ES256,
        Algorithm::Es384 => JwtAlgorithm::ES384,
        Algorithm::Rs256 => JwtAlgorithm::RS256,
        Algorithm::Rs384 => JwtAlgorithm::RS384,
        Algorithm::Rs512 => JwtAlgorithm::RS512,
        Algorithm::Ps256 => JwtAlgorithm::PS256,
        Algorithm::Ps384 => JwtAlgorithm::PS384,
        Algorithm::Ps512 => JwtAlgorithm::PS512,
    }
}

/// Whether a signature is as long as the modulus and, as a number, below it (RFC 8017 sections 5.2.2 and 8.1.2). The
/// crate does not check the latter for PSS and accepts s + n in place of s.
fn is_representative(signature: &[u8], modulus: &[u8]) -> bool {
    signature.len() == modulus.len() && signature < modulus
}

fn is_pss(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512)
}

/// Whether the encoding has one bit less than the modulus, so that its first byte is zero if that of the modulus is one
/// (RFC 8017 section 8.1.2, step 2c). The crate ignores that byte.
fn is_pss_length(modulus: &[u8], exponent: &[u8], signature: &[u8]) -> bool {
    let mut encoded = vec![0; modulus.len()];
    modulus.first() != Some(&1)
        || PublicKey::new(modulus, exponent).is_some_and(|key| key.power(signature, &mut encoded))
            && encoded.first() == Some(&0)
}

/// Whether R, the first half of an Ed25519 signature, is a point of small order. A non-canonical R needs no check: the
/// crate compares the encoding of the result, which is always canonical.
fn has_small_order_r(signature: &[u8]) -> bool {
    signature.first_chunk().is_some_and(has_small_order)
}
