//! Comparison of sums with the encodings in signatures.

use super::field::{self, Element};
use super::point::{Extended, Projective};

/// s·B − k·A, before the division that its encoding requires.
#[derive(Debug, Clone)]
pub struct Sum(Projective);

impl Sum {
    pub(super) fn new(sum: &Extended) -> Self {
        Self(sum.projective())
    }

    /// Whether these 32 bytes are the canonical encoding of the sum (RFC 8032, section 5.1.2).
    #[must_use]
    pub fn is_encoded_as(&self, encoding: &[u8; 32]) -> bool {
        self.is_encoded_with(&self.0.z.inverse(), encoding)
    }

    fn is_encoded_with(&self, inverse: &Element, encoding: &[u8; 32]) -> bool {
        let (y, sign) = super::split(encoding);
        self.0.y.mul(inverse).canonical() == y && super::is_odd(&self.0.x.mul(inverse).canonical()) == sign
    }
}

/// Writes to each verdict whether the encoding at the same index is that of the sum, as [`Sum::is_encoded_as`] does, with
/// one inversion for all. The verdicts are independent of each other.
///
/// If the slices differ in length, the verdicts without a sum or an encoding are `false`.
pub fn are_encoded_as(sums: &[Sum], encodings: &[[u8; 32]], verdicts: &mut [bool]) {
    verdicts.fill(false);
    let inverses = field::quotients(&Element::ONE, sums.iter().map(|Sum(sum)| sum.z));
    for (((sum, inverse), encoding), verdict) in sums.iter().zip(&inverses).zip(encodings).zip(verdicts) {
        *verdict = sum.is_encoded_with(inverse, encoding);
    }
}
