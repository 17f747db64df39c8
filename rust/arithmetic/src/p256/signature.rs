//! A signature, and the comparison with its x.

use super::field::Element;
use super::limbs;
use super::point::Jacobian;
use super::scalar::{N, Scalar};

/// The two numbers of a signature (FIPS 186-5, section 6.4), each in [1, n − 1] for the base point's order n.
///
/// For each valid signature (r, s), (r, n − s) is valid, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    r: Scalar,
    pub(super) s: Scalar,
}

impl Signature {
    /// The signature that 64 bytes encode: r and then s, each as 32 big-endian bytes (RFC 7518, section 3.4). `None` if
    /// either is out of range.
    #[must_use]
    pub fn decode(bytes: &[u8; 64]) -> Option<Self> {
        let ([r, s], []) = bytes.as_chunks() else { return None };
        let (r, s) = (Scalar::from_canonical(r)?, Scalar::from_canonical(s)?);
        (!r.is_zero() && !s.is_zero()).then_some(Self { r, s })
    }

    /// u1 = e / s and u2 = r / s, the multipliers of the base point and the key, given 2^256 / s.
    pub(super) fn multipliers(&self, digest: &[u8; 32], inverse_of_s: &Scalar) -> (Scalar, Scalar) {
        (Scalar::reduce(digest).montgomery_product(inverse_of_s), self.r.montgomery_product(inverse_of_s))
    }

    /// Whether the sum is not the point at infinity, and its x is r modulo n.
    pub(super) fn is_x_of(&self, sum: &Jacobian) -> bool {
        if sum.is_infinity() {
            return false;
        }
        let zz = sum.z.square();
        self.candidates().any(|x| x.mul(&zz) == sum.x)
    }

    /// The numbers below p that are r modulo n.
    fn candidates(&self) -> impl Iterator<Item = Element> {
        let r = *self.r.number();
        // p is slightly above n: r + n is below p for one r in about 2^128, unless an attacker searches for it.
        let second = limbs::is_less(&r, &P_MINUS_N).then(|| limbs::add(&r, &N).0);
        [Some(r), second].into_iter().flatten().filter_map(|x| Element::from_number(&x))
    }
}

/// p − n.
const P_MINUS_N: limbs::Limbs = [0x0c46_353d_039c_daae, 0x4319_0553_58e8_617b, 0, 0];
