//! Numbers modulo p = 2^256 − 2^224 + 2^192 + 2^96 − 1, in four limbs of 64 bits, in Montgomery form.
//!
//! An element x is stored as x · 2^256 modulo p, always below p, so that equal elements have equal limbs. Modulo 2^64 the
//! prime is −1, so the multiple of p that clears the lowest limb of a product is that limb itself.

use super::limbs::{self, Limbs};
use crate::carry;
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

    /// The element of a number; `None` for p and above.
    pub(super) fn from_number(number: &Limbs) -> Option<Self> {
        limbs::is_less(number, &P).then(|| Self(*number).mul(&R2))
    }

    #[inline(always)]
    pub(super) fn add(&self, other: &Self) -> Self {
        let (sum, carry) = limbs::add(&self.0, &other.0);
        Self(limbs::reduce_once(&sum, carry, &P))
    }

    #[inline]
    pub(super) fn double(&self) -> Self {
        self.add(self)
    }

    #[inline]
    pub(super) fn triple(&self) -> Self {
        self.add(self).add(self)
    }

    /// The element whose double this is.
    #[inline]
    pub(super) fn half(&self) -> Self {
        let mask = (self.0[0] & 1).wrapping_neg();
        let ([a, b, c, d], carry) = limbs::add(&self.0, &P.map(|limb| limb & mask));
        Self([a >> 1 | b << 63, b >> 1 | c << 63, c >> 1 | d << 63, d >> 1 | u64::from(carry) << 63])
    }

    #[inline(always)]
    pub(super) fn sub(&self, other: &Self) -> Self {
        let (difference, borrow) = limbs::subtract(&self.0, &other.0);
        let mask = u64::from(borrow).wrapping_neg();
        Self(limbs::add(&difference, &P.map(|limb| limb & mask)).0)
    }

    #[inline]
    pub(super) fn neg(&self) -> Self {
        Self::ZERO.sub(self)
    }

    #[inline]
    pub(super) fn neg_if(&self, negate: bool) -> Self {
        Self(limbs::select(negate, &self.neg().0, &self.0))
    }

    #[inline(always)]
    pub(super) fn mul(&self, other: &Self) -> Self {
        let [a0, a1, a2, a3] = self.0;
        let [t0, t1, t2, t3, t4] = limbs::multiply_row(a0, &other.0);
        let t = clear_lowest([t0, t1, t2, t3, t4, 0]);
        let t = clear_lowest(limbs::add_row(t, a1, &other.0));
        let t = clear_lowest(limbs::add_row(t, a2, &other.0));
        let [t0, t1, t2, t3, t4] = clear_lowest(limbs::add_row(t, a3, &other.0));
        // Below 2p.
        Self(limbs::reduce_once(&[t0, t1, t2, t3], t4 != 0, &P))
    }

    #[inline(always)]
    pub(super) fn square(&self) -> Self {
        let [t0, t1, t2, t3, high @ ..] = limbs::square(&self.0);
        // Alone, the lower half stays below 2^256, and becomes at most p.
        let clear = |[t0, t1, t2, t3]: Limbs| {
            let [t0, t1, t2, t3, _] = clear_lowest([t0, t1, t2, t3, 0, 0]);
            [t0, t1, t2, t3]
        };
        let low = clear(clear(clear(clear([t0, t1, t2, t3]))));
        let (sum, carry) = limbs::add(&low, &high);
        Self(limbs::reduce_once(&sum, carry, &P))
    }

    /// The inverse; zero for zero.
    pub(super) fn inverse(&self) -> Self {
        // The inverse of x · 2^256 lacks the factor 2^512, and a Montgomery product divides by another 2^256.
        MODULUS.inverse(&self.0).map_or(Self::ZERO, |inverse| Self(inverse).mul(&R3))
    }

    #[inline]
    pub(super) fn is_zero(&self) -> bool {
        let [a, b, c, d] = self.0;
        a | b | c | d == 0
    }
}

/// (t + t0 · p) / 2^64, in which t0 · p is t0 · (2^256 − 2^224 + 2^192 + 2^96) − t0.
#[inline(always)]
fn clear_lowest([t0, t1, t2, t3, t4, t5]: [u64; 6]) -> [u64; 5] {
    let (low, high) = (t0 << 32, t0 >> 32);
    let (m3, borrow) = carry::subtract(t0, low, false);
    let (m4, _) = carry::subtract(t0, high, borrow);
    let (t1, carry) = carry::add(t1, low, false);
    let (t2, carry) = carry::add(t2, high, carry);
    let (t3, carry) = carry::add(t3, m3, carry);
    let (t4, carry) = carry::add(t4, m4, carry);
    let (t5, _) = carry::add(t5, 0, carry);
    [t1, t2, t3, t4, t5]
}

#[cfg(test)]
mod tests;
