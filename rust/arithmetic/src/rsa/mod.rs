//! RSAVP1 (RFC 8017 section 5.2.2): the signature to the power of the public exponent.
//!
//! Numbers are big-endian bytes. This module does not interpret what they encode.

mod product;
mod residue;

use product::ROW;
use residue::{MAX_LIMBS, Ring};

/// A modulus and an exponent, with precomputed values for reductions by this modulus.
#[derive(Clone)]
pub struct PublicKey {
    ring: Ring,
    exponent: u64,
    /// The modulus, in bytes.
    length: usize,
}

impl PublicKey {
    /// A key from big-endian numbers without leading zeros: an odd modulus of at most 8192 bits and an odd exponent of
    /// at most 64, both above 1. `None` otherwise.
    ///
    /// The security of the key is not checked.
    pub fn new(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        if !is_odd_above_one(modulus) || modulus.len() > MAX_LIMBS * 8 || !is_odd_above_one(exponent) {
            return None;
        }
        let mut bytes = [0; 8];
        bytes.get_mut(8_usize.checked_sub(exponent.len())?..)?.copy_from_slice(exponent);
        let mut limbs = vec![0; modulus.len().div_ceil(8).next_multiple_of(ROW)].into_boxed_slice();
        read(modulus, &mut limbs);
        Some(Self { ring: Ring::new(limbs), exponent: u64::from_be_bytes(bytes), length: modulus.len() })
    }

    /// The memory of the key, in bytes.
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.ring.size()
    }

    /// Writes the signature to the power of the exponent modulo the modulus to `power`, without allocating.
    ///
    /// Returns `false` and writes nothing if the signature or `power` does not have the length of the modulus, or the
    /// signature is not below the modulus.
    pub fn power(&self, signature: &[u8], power: &mut [u8]) -> bool {
        if signature.len() != self.length || power.len() != self.length {
            return false;
        }
        let mut limbs = [0; MAX_LIMBS];
        let limbs = &mut limbs[..self.ring.limbs()];
        read(signature, limbs);
        if !self.ring.is_below_modulus(limbs) {
            return false;
        }
        self.ring.power(limbs, self.exponent);
        write(limbs, power);
        true
    }
}

fn is_odd_above_one(number: &[u8]) -> bool {
    !matches!(number, [] | [0, ..] | [1]) && number.last().is_some_and(|byte| byte % 2 == 1)
}

/// Reads big-endian bytes into limbs, which are zero before and long enough.
fn read(bytes: &[u8], limbs: &mut [u64]) {
    for (limb, bytes) in limbs.iter_mut().zip(bytes.rchunks(8)) {
        *limb = bytes.iter().fold(0, |limb, &byte| limb << 8 | u64::from(byte));
    }
}

/// Writes the lower limbs as big-endian bytes.
fn write(limbs: &[u64], bytes: &mut [u8]) {
    for (bytes, limb) in bytes.rchunks_mut(8).zip(limbs) {
        bytes.copy_from_slice(&limb.to_be_bytes()[8 - bytes.len()..]);
    }
}
