//! The second opinion: the `jsonwebtoken` crate with its pure-Rust cryptography.
//!
//! It is asked about signatures only. Alone it accepts what the kernel does not (an Ed25519 signature whose R has small
//! order, a PSS signature above the modulus), so these two are refused before it is asked.

use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm as JwtAlgorithm, DecodingKey};

use super::rsa::is_representative;
use crate::algorithm::Algorithm;
use crate::material::{Defect, Material};

/// The largest modulus that the crate takes, in bytes.
const MAX_MODULUS: usize = 512;

#[derive(Clone)]
pub(crate) struct Key {
    material: Material,
    key: DecodingKey,
}

impl Key {
    pub(super) fn new(material: &Material) -> Result<Self, Defect> {
        let key = match material {
            Material::Ed25519(point) => DecodingKey::from_ed_der(point),
            Material::P256(point) => DecodingKey::from_ec_der(point),
            Material::P384(point) => DecodingKey::from_ec_der(point),
            Material::Rsa { modulus, .. } if modulus.len() > MAX_MODULUS => return Err(Defect::UnsupportedByBackend),
            Material::Rsa { modulus, exponent } => DecodingKey::from_rsa_raw_components(modulus, exponent),
        };
        Ok(Self { material: material.clone(), key })
    }

    pub(super) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let acceptable = match &self.material {
            Material::Ed25519(_) => !has_small_order_r(signature),
            Material::Rsa { modulus, .. } => is_representative(signature, modulus),
            Material::P256(_) | Material::P384(_) => true,
        };
        // Through the provider itself: the crate's process-wide choice may be another, or none.
        acceptable
            && (DEFAULT_PROVIDER.verifier_factory)(&jwt_algorithm(algorithm), &self.key)
                .is_ok_and(|verifier| verifier.verify(message, &signature.to_vec()).is_ok())
    }
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

/// Whether R, the first half of an Ed25519 signature, is a point of small order. A non-canonical R needs no check: the
/// equation is compared in encoded form, and never yields one.
fn has_small_order_r(signature: &[u8]) -> bool {
    signature.get(..32).is_some_and(|r| SMALL_ORDER_POINTS.iter().any(|point| point == r))
}

/// The canonical encodings of the eight points whose order divides 8.
#[rustfmt::skip]
const SMALL_ORDER_POINTS: [[u8; 32]; 8] = [
    // Order 1: y = 1.
    [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    // Order 2: y = -1.
    [0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    // Order 4: y = 0, both signs of x.
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80],
    // Order 8: two values of y, both signs of x.
    [0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
     0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05],
    [0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
     0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x85],
    [0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
     0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a],
    [0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
     0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0xfa],
];
