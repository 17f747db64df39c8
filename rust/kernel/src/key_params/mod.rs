//! The parameters of a public key: their form and size. Whether they are safe is checked by the verifier made of them.

mod defect;
mod roca;

pub use defect::KeyDefect;
pub(crate) use roca::is_vulnerable as has_roca_modulus;

use crate::algorithm::{Algorithm, AlgorithmSet};

/// The parameters of a public key, of permitted sizes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum KeyParams {
    /// The encoded point.
    Ed25519([u8; 32]),
    /// A point of P-256, uncompressed (SEC 1 section 2.3.3).
    P256([u8; 65]),
    /// A point of P-384, uncompressed.
    P384([u8; 97]),
    /// Modulus and exponent, big endian without leading zeros.
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
}

/// The smallest RSA modulus (RFC 7518 section 3.3), in bits.
const MIN_MODULUS_BITS: usize = 2048;
/// The largest RSA modulus, in bits.
const MAX_MODULUS_BITS: usize = 8192;
/// The largest RSA exponent, in bits, as on Windows and in the `rsa` crate.
const MAX_EXPONENT_BITS: usize = 33;

impl KeyParams {
    pub(crate) fn ed25519(point: &[u8]) -> Result<Self, KeyDefect> {
        let point: [u8; 32] = point
            .try_into()
            .map_err(|_| KeyDefect::Malformed("\"x\" of Ed25519 must have 32 bytes (RFC 8037 section 2)"))?;
        Ok(Self::Ed25519(point))
    }

    pub(crate) fn p256(x: &[u8], y: &[u8]) -> Result<Self, KeyDefect> {
        let point =
            uncompressed(x, y).ok_or(KeyDefect::Malformed("\"x\" and \"y\" of P-256 must have 32 bytes each"))?;
        Ok(Self::P256(point))
    }

    pub(crate) fn p384(x: &[u8], y: &[u8]) -> Result<Self, KeyDefect> {
        let point =
            uncompressed(x, y).ok_or(KeyDefect::Malformed("\"x\" and \"y\" of P-384 must have 48 bytes each"))?;
        Ok(Self::P384(point))
    }

    pub(crate) fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyDefect> {
        for number in [modulus, exponent] {
            if matches!(number, [] | [0, ..]) {
                return Err(KeyDefect::Malformed(
                    "\"n\" and \"e\" must be positive numbers without leading zero bytes (RFC 7518 section 2)",
                ));
            }
        }
        let bits = bit_length(modulus);
        if bits < MIN_MODULUS_BITS {
            return Err(KeyDefect::ModulusTooSmall);
        }
        if bits > MAX_MODULUS_BITS {
            return Err(KeyDefect::ModulusTooLarge);
        }
        if is_even(modulus) {
            return Err(KeyDefect::EvenModulus);
        }
        if exponent == [1] || is_even(exponent) || bit_length(exponent) > MAX_EXPONENT_BITS {
            return Err(KeyDefect::BadExponent);
        }
        Ok(Self::Rsa { modulus: modulus.to_vec(), exponent: exponent.to_vec() })
    }

    /// The algorithms that a key of this type can be used with. The key decides, never the message.
    pub(crate) fn algorithms(&self) -> AlgorithmSet {
        let algorithms: &[Algorithm] = match self {
            Self::Ed25519(_) => &[Algorithm::EdDsa, Algorithm::Ed25519],
            Self::P256(_) => &[Algorithm::Es256],
            Self::P384(_) => &[Algorithm::Es384],
            Self::Rsa { .. } => &[
                Algorithm::Rs256,
                Algorithm::Rs384,
                Algorithm::Rs512,
                Algorithm::Ps256,
                Algorithm::Ps384,
                Algorithm::Ps512,
            ],
        };
        algorithms.iter().copied().collect()
    }

    /// The size of the key in bits: of the modulus or of the curve.
    pub(crate) fn bits(&self) -> usize {
        match self {
            Self::Ed25519(_) | Self::P256(_) => 256,
            Self::P384(_) => 384,
            Self::Rsa { modulus, .. } => bit_length(modulus),
        }
    }
}

fn uncompressed<const LENGTH: usize>(x: &[u8], y: &[u8]) -> Option<[u8; LENGTH]> {
    if x.len() != y.len() {
        return None;
    }
    [&[4], x, y].concat().try_into().ok()
}

/// The length of a big-endian number without leading zero bytes, in bits.
fn bit_length(number: &[u8]) -> usize {
    let unused = number.first().map_or(0, |byte| byte.leading_zeros());
    (number.len() * 8).saturating_sub(usize::try_from(unused).unwrap_or(0))
}

fn is_even(number: &[u8]) -> bool {
    number.last().is_none_or(|byte| byte % 2 == 0)
}
