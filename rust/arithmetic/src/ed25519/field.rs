//! Numbers modulo p = 2^255 − 19, in five limbs of 51 bits.
//!
//! Carries are left for later. A limb of 64 bits has room for thirteen more than its 51, so sums and differences are
//! taken limb by limb, and only products bring the limbs back:
//!
//! - **reduced**: all limbs below 2^51 + 2^16, as products, squares and unpacked numbers are;
//! - **loose**: all limbs below 2^54, as products and squares take them.

use crate::inverse::Modulus;

const BITS: u32 = 51;
const MASK: u64 = (1 << BITS) - 1;

/// p in 64-bit limbs.
const P: [u64; 4] = [0xffff_ffff_ffff_ffed, u64::MAX, u64::MAX, 0x7fff_ffff_ffff_ffff];
const MODULUS: Modulus = Modulus::new(P);

/// 4p in limbs: what a difference adds to stay positive.
const FOUR_P: [u64; 5] = [4 * (MASK - 18), 4 * MASK, 4 * MASK, 4 * MASK, 4 * MASK];

/// A number modulo p, reduced or loose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element([u64; 5]);

/// A number in [0, 2^256) in 64-bit limbs, the lowest first: a third less memory than an element, and canonical where
/// it is below p.
pub(crate) type Packed = [u64; 4];

impl Element {
    pub(crate) const ZERO: Self = Self([0; 5]);
    pub(crate) const ONE: Self = Self([1, 0, 0, 0, 0]);
    /// −121665 / 121666, the d of the curve's equation.
    pub(crate) const D: Self = Self::from_packed(&[
        0x75eb_4dca_1359_78a3,
        0x0070_0a4d_4141_d8ab,
        0x8cc7_4079_7779_e898,
        0x5203_6cee_2b6f_fe73,
    ]);
    /// 2d.
    pub(crate) const TWICE_D: Self = Self::from_packed(&[
        0xebd6_9b94_26b2_f159,
        0x00e0_149a_8283_b156,
        0x198e_80f2_eef3_d130,
        0x2406_d9dc_56df_fce7,
    ]);
    /// A root of −1: 2^((p − 1) / 4).
    pub(crate) const ROOT_OF_MINUS_ONE: Self = Self::from_packed(&[
        0xc4ee_1b27_4a0e_a0b0,
        0x2f43_1806_ad2f_e478,
        0x2b4d_0099_3dfb_d7a7,
        0x2b83_2480_4fc1_df0b,
    ]);

    /// The reduced element of a packed number below 2^255.
    #[inline]
    pub(crate) const fn from_packed(packed: &Packed) -> Self {
        let [a, b, c, d] = *packed;
        Self([a & MASK, (a >> 51 | b << 13) & MASK, (b >> 38 | c << 26) & MASK, (c >> 25 | d << 39) & MASK, d >> 12])
    }

    /// The number below p that a loose element stands for.
    pub(crate) fn to_packed(self) -> Packed {
        let mut limbs = carried(self.0).0;
        // At most 2^255 + 2^51, and so below 2p. It is p or above exactly if adding 19 carries into bit 255.
        let mut carry = 19;
        for limb in limbs {
            carry = (limb + carry) >> BITS;
        }
        // Subtract that many p: add 19 times as much, and forget bit 255.
        carry *= 19;
        for limb in &mut limbs {
            carry += *limb;
            *limb = carry & MASK;
            carry >>= BITS;
        }
        let [a, b, c, d, e] = limbs;
        [a | b << 51, b >> 13 | c << 38, c >> 26 | d << 25, d >> 39 | e << 12]
    }

    /// The sum: loose, if both are below 2^53.
    #[inline]
    pub(crate) fn add(&self, other: &Self) -> Self {
        let ([a0, a1, a2, a3, a4], [b0, b1, b2, b3, b4]) = (self.0, other.0);
        Self([a0 + b0, a1 + b1, a2 + b2, a3 + b3, a4 + b4])
    }

    /// The difference: loose, if the first is below 2^53 and the second is reduced or the sum of two reduced ones.
    #[inline]
    pub(crate) fn sub(&self, other: &Self) -> Self {
        let ([a0, a1, a2, a3, a4], [b0, b1, b2, b3, b4]) = (self.0, other.0);
        let [p0, p1, p2, p3, p4] = FOUR_P;
        Self([a0 + p0 - b0, a1 + p1 - b1, a2 + p2 - b2, a3 + p3 - b3, a4 + p4 - b4])
    }

    /// The reduced negative of a reduced element.
    #[inline]
    pub(crate) fn neg(&self) -> Self {
        carried(Self::ZERO.sub(self).0)
    }

    /// The reduced product of two loose elements.
    #[inline]
    pub(crate) fn mul(&self, other: &Self) -> Self {
        debug_assert!(self.is_loose() && other.is_loose());
        let ([a0, a1, a2, a3, a4], [b0, b1, b2, b3, b4]) = (self.0, other.0);
        // 2^255 is 19: what is carried out at the top comes back nineteenfold at the bottom.
        let (c1, c2, c3, c4) = (19 * b1, 19 * b2, 19 * b3, 19 * b4);
        fold([
            wide(a0, b0) + wide(a1, c4) + wide(a2, c3) + wide(a3, c2) + wide(a4, c1),
            wide(a0, b1) + wide(a1, b0) + wide(a2, c4) + wide(a3, c3) + wide(a4, c2),
            wide(a0, b2) + wide(a1, b1) + wide(a2, b0) + wide(a3, c4) + wide(a4, c3),
            wide(a0, b3) + wide(a1, b2) + wide(a2, b1) + wide(a3, b0) + wide(a4, c4),
            wide(a0, b4) + wide(a1, b3) + wide(a2, b2) + wide(a3, b1) + wide(a4, b0),
        ])
    }

    /// The reduced square of a loose element.
    #[inline]
    pub(crate) fn square(&self) -> Self {
        debug_assert!(self.is_loose());
        let [a0, a1, a2, a3, a4] = self.0;
        let (twice0, twice1, twice2) = (2 * a0, 2 * a1, 2 * a2);
        let (c3, c4) = (19 * a3, 19 * a4);
        fold([
            wide(a0, a0) + wide(twice1, c4) + wide(twice2, c3),
            wide(twice0, a1) + wide(twice2, c4) + wide(a3, c3),
            wide(twice0, a2) + wide(a1, a1) + wide(2 * a3, c4),
            wide(twice0, a3) + wide(twice1, a2) + wide(a4, c4),
            wide(twice0, a4) + wide(twice1, a3) + wide(a2, a2),
        ])
    }

    /// The square of the square of … of a loose element, so many times over; reduced.
    pub(crate) fn square_times(&self, times: u32) -> Self {
        (0..times).fold(*self, |element, _| element.square())
    }

    /// The inverse of a loose element; zero for zero.
    pub(crate) fn inverse(&self) -> Self {
        MODULUS.inverse(&self.to_packed()).map_or(Self::ZERO, |inverse| Self::from_packed(&inverse))
    }

    /// A loose element to the power (p − 5) / 8 = 2^252 − 3; reduced.
    pub(crate) fn power_of_root(&self) -> Self {
        // The exponents are runs of ones: `ones(n)` is self to the power 2^n − 1.
        let ones_2 = self.square().mul(self);
        let ones_4 = ones_2.square_times(2).mul(&ones_2);
        let ones_5 = ones_4.square().mul(self);
        let ones_10 = ones_5.square_times(5).mul(&ones_5);
        let ones_20 = ones_10.square_times(10).mul(&ones_10);
        let ones_40 = ones_20.square_times(20).mul(&ones_20);
        let ones_50 = ones_40.square_times(10).mul(&ones_10);
        let ones_100 = ones_50.square_times(50).mul(&ones_50);
        let ones_200 = ones_100.square_times(100).mul(&ones_100);
        let ones_250 = ones_200.square_times(50).mul(&ones_50);
        ones_250.square_times(2).mul(self)
    }

    /// Whether two loose elements stand for the same number.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.to_packed() == other.to_packed()
    }

    /// Whether this, a loose element, stands for zero.
    pub(crate) fn is_zero(&self) -> bool {
        self.to_packed() == [0; 4]
    }

    fn is_loose(&self) -> bool {
        self.0.iter().all(|limb| *limb < 1 << 54)
    }
}

/// The inverses of loose elements other than zero, for the price of one inversion and three products each.
pub(crate) fn inverses(elements: impl DoubleEndedIterator<Item = Element> + Clone) -> Vec<Element> {
    let mut product = Element::ONE;
    let before = elements.clone().map(|element| {
        let with = product.mul(&element);
        std::mem::replace(&mut product, with)
    });
    let mut inverses: Vec<_> = before.collect();
    let mut inverse = product.inverse();
    for (element, before) in elements.rev().zip(inverses.iter_mut().rev()) {
        *before = inverse.mul(before);
        inverse = inverse.mul(&element);
    }
    inverses
}

/// Whether a packed number is below p.
pub(crate) fn is_canonical(packed: &Packed) -> bool {
    packed.iter().rev().lt(P.iter().rev())
}

/// The product of a limb below 2^55 and one below 2^54 · 19; five of these stay below 2^117.
#[inline(always)]
fn wide(a: u64, b: u64) -> u128 {
    u128::from(a) * u128::from(b)
}

/// Reduces the five columns of a product, each below 2^115.
#[inline(always)]
fn fold([r0, mut r1, mut r2, mut r3, mut r4]: [u128; 5]) -> Element {
    r1 += r0 >> BITS;
    r2 += r1 >> BITS;
    r3 += r2 >> BITS;
    r4 += r3 >> BITS;
    // The highest column has no nineteenfold terms: it is below 2^111, and what it carries below 2^60.
    let low = low(r0) + 19 * (r4 >> BITS) as u64;
    Element([low & MASK, self::low(r1) + (low >> BITS), self::low(r2), self::low(r3), self::low(r4)])
}

/// The lowest 51 bits; truncation is meant.
#[inline(always)]
fn low(column: u128) -> u64 {
    column as u64 & MASK
}

/// Brings the limbs of a loose element back to 51 bits and a few.
#[inline]
fn carried([a, b, c, d, e]: [u64; 5]) -> Element {
    let b = b + (a >> BITS);
    let c = c + (b >> BITS);
    let d = d + (c >> BITS);
    let e = e + (d >> BITS);
    let a = (a & MASK) + 19 * (e >> BITS);
    Element([a & MASK, (b & MASK) + (a >> BITS), c & MASK, d & MASK, e & MASK])
}

#[cfg(test)]
mod tests;
