//! Numbers modulo p = 2^256 − 2^224 + 2^192 + 2^96 − 1, in four limbs of 64 bits, multiplied in Montgomery's way.
//!
//! An element x is kept as x · 2^256 modulo p, always below p, so that equal elements have equal limbs. Modulo 2^64 the
//! prime is −1: the multiple of p that clears a product's lowest limb is that limb itself.

use super::limbs::{self, Limbs, add_with_carry, multiply_add, subtract_with_borrow};
use crate::inverse::Modulus;

/// p.
pub(super) const P: Limbs = [u64::MAX, 0xffff_ffff, 0, 0xffff_ffff_0000_0001];
const MODULUS: Modulus = Modulus::new(P);

/// 2^512 and 2^768 modulo p.
const R2: Element = Element([3, 0xffff_fffb_ffff_ffff, 0xffff_ffff_ffff_fffe, 0x0000_0004_ffff_fffd]);
const R3: Element =
    Element([0xffff_fffd_0000_000a, 0xffff_ffed_ffff_fff7, 0x0000_0005_ffff_fffc, 0x0000_0018_0000_0001]);

/// A number modulo p.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element(Limbs);

impl Element {
    pub(super) const ZERO: Self = Self([0; 4]);
    /// 2^256 − p.
    pub(super) const ONE: Self = Self([1, 0xffff_ffff_0000_0000, u64::MAX, 0xffff_fffe]);
    /// The b of the curve's equation.
    pub(super) const B: Self =
        Self([0xd89c_df62_29c4_bddf, 0xacf0_05cd_7884_3090, 0xe5a2_20ab_f721_2ed6, 0xdc30_061d_0487_4834]);
    /// The base point's coordinates.
    pub(super) const BASE_X: Self =
        Self([0x79e7_30d4_18a9_143c, 0x75ba_95fc_5fed_b601, 0x79fb_732b_7762_2510, 0x1890_5f76_a537_55c6]);
    pub(super) const BASE_Y: Self =
        Self([0xddf2_5357_ce95_560a, 0x8b4a_b8e4_ba19_e45c, 0xd2e8_8688_dd21_f325, 0x8571_ff18_2588_5d85]);

    /// The element of a number; none for p and above.
    pub(super) fn from_number(number: &Limbs) -> Option<Self> {
        limbs::is_less(number, &P).then(|| Self(*number).mul(&R2))
    }

    #[inline]
    pub(super) fn add(&self, other: &Self) -> Self {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.0, other.0);
        let (s0, carry) = add_with_carry(a0, b0, false);
        let (s1, carry) = add_with_carry(a1, b1, carry);
        let (s2, carry) = add_with_carry(a2, b2, carry);
        let (s3, carry) = add_with_carry(a3, b3, carry);
        below_p([s0, s1, s2, s3], carry)
    }

    #[inline]
    pub(super) fn double(&self) -> Self {
        self.add(self)
    }

    #[inline]
    pub(super) fn triple(&self) -> Self {
        self.add(self).add(self)
    }

    #[inline]
    pub(super) fn sub(&self, other: &Self) -> Self {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.0, other.0);
        let (d0, borrow) = subtract_with_borrow(a0, b0, false);
        let (d1, borrow) = subtract_with_borrow(a1, b1, borrow);
        let (d2, borrow) = subtract_with_borrow(a2, b2, borrow);
        let (d3, borrow) = subtract_with_borrow(a3, b3, borrow);
        // Below zero: add p.
        let mask = u64::from(borrow).wrapping_neg();
        let (d0, carry) = add_with_carry(d0, P[0] & mask, false);
        let (d1, carry) = add_with_carry(d1, P[1] & mask, carry);
        let (d2, carry) = add_with_carry(d2, 0, carry);
        let (d3, _) = add_with_carry(d3, P[3] & mask, carry);
        Self([d0, d1, d2, d3])
    }

    #[inline]
    pub(super) fn neg(&self) -> Self {
        Self::ZERO.sub(self)
    }

    #[inline]
    pub(super) fn neg_if(&self, negate: bool) -> Self {
        if negate { self.neg() } else { *self }
    }

    #[inline]
    pub(super) fn mul(&self, other: &Self) -> Self {
        reduce(limbs::product(&self.0, &other.0))
    }

    #[inline]
    pub(super) fn square(&self) -> Self {
        reduce(limbs::square(&self.0))
    }

    /// The inverse; zero for zero.
    pub(super) fn inverse(&self) -> Self {
        // The inverse of x · 2^256 lacks 2^512, and a Montgomery product takes another 2^256 away.
        MODULUS.inverse(&self.0).map_or(Self::ZERO, |inverse| Self(inverse).mul(&R3))
    }

    #[inline]
    pub(super) fn is_zero(&self) -> bool {
        let [a, b, c, d] = self.0;
        a | b | c | d == 0
    }
}

/// A product of two elements, divided by 2^256 and brought below p.
#[inline(always)]
fn reduce([t0, t1, t2, t3, t4, t5, t6, t7]: [u64; 8]) -> Element {
    // Four times the lowest limb is cleared and the rest moves down, until only the highest half is left to add.
    let low = clear_lowest([t0, t1, t2, t3]);
    let low = clear_lowest(low);
    let low = clear_lowest(low);
    let [l0, l1, l2, l3] = clear_lowest(low);
    let (s0, carry) = add_with_carry(l0, t4, false);
    let (s1, carry) = add_with_carry(l1, t5, carry);
    let (s2, carry) = add_with_carry(l2, t6, carry);
    let (s3, carry) = add_with_carry(l3, t7, carry);
    below_p([s0, s1, s2, s3], carry)
}

/// (t + t0 · p) / 2^64, which is at most p: t0 · (p + 1) is t0 · (2^96 + 2^192 · (2^64 − 2^32 + 1)), so that t0 comes
/// back in the places above its own.
#[inline(always)]
fn clear_lowest([t0, t1, t2, t3]: Limbs) -> Limbs {
    let (t1, carry) = add_with_carry(t1, t0 << 32, false);
    let (t2, carry) = add_with_carry(t2, t0 >> 32, carry);
    let (low, high) = multiply_add(t3, t0, P[3], u64::from(carry));
    [t1, t2, low, high]
}

/// A number below 2p, whose bit 256 is `high`, brought below p.
#[inline(always)]
fn below_p([a0, a1, a2, a3]: Limbs, high: bool) -> Element {
    let (d0, borrow) = subtract_with_borrow(a0, P[0], false);
    let (d1, borrow) = subtract_with_borrow(a1, P[1], borrow);
    let (d2, borrow) = subtract_with_borrow(a2, P[2], borrow);
    let (d3, borrow) = subtract_with_borrow(a3, P[3], borrow);
    Element(if borrow && !high { [a0, a1, a2, a3] } else { [d0, d1, d2, d3] })
}

#[cfg(test)]
mod tests;
