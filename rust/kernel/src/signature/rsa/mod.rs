//! RSASSA-PKCS1-v1_5 and RSASSA-PSS (RFC 7518 sections 3.3 and 3.5, RFC 8017 section 8).
//!
//! `watchword-arithmetic` computes the power; this module checks its encoding.

mod pkcs1;
mod pss;

use sha2::{Digest, Sha256, Sha384, Sha512};
use watchword_arithmetic::rsa::PublicKey;

use crate::algorithm::Algorithm;
use crate::key_params::KeyDefect;

/// The largest accepted modulus, in bytes.
const MAX_MODULUS: usize = 1024;

#[derive(Clone)]
pub(crate) struct Key {
    key: PublicKey,
    /// The length of the modulus, in bytes.
    length: usize,
    /// The bits above the modulus in its first byte.
    unused_bits: u32,
}

impl Key {
    pub(super) fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyDefect> {
        let key = PublicKey::new(modulus, exponent).ok_or(KeyDefect::BadExponent)?;
        let unused_bits = modulus.first().map_or(0, |byte| byte.leading_zeros());
        Ok(Self { key, length: modulus.len(), unused_bits })
    }

    pub(super) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let mut encoded = [0; MAX_MODULUS];
        let Some(encoded) = encoded.get_mut(..self.length) else { return false };
        if !self.key.power(signature, encoded) {
            return false;
        }
        let bits = self.unused_bits;
        match algorithm {
            Algorithm::Rs256 => pkcs1::is_encoding(encoded, pkcs1::SHA256, &Sha256::digest(message)),
            Algorithm::Rs384 => pkcs1::is_encoding(encoded, pkcs1::SHA384, &Sha384::digest(message)),
            Algorithm::Rs512 => pkcs1::is_encoding(encoded, pkcs1::SHA512, &Sha512::digest(message)),
            Algorithm::Ps256 => pss::is_encoding::<Sha256>(encoded, bits, &Sha256::digest(message)),
            Algorithm::Ps384 => pss::is_encoding::<Sha384>(encoded, bits, &Sha384::digest(message)),
            Algorithm::Ps512 => pss::is_encoding::<Sha512>(encoded, bits, &Sha512::digest(message)),
            Algorithm::EdDsa | Algorithm::Ed25519 | Algorithm::Es256 | Algorithm::Es384 => false,
        }
    }
}
