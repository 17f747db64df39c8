//! Numbers modulo p = 2^255 − 19, in four limbs of 64 bits.
//!
//! Since 2^256 is 38 modulo p, a carry out of the highest limb is multiplied by 38 and added to the lowest. Numbers are
//! reduced below p only when they are encoded; until then one of two bounds applies, of which the first implies the second:
//!
//! - **reduced**: below 2^255 + 2^11, as products and squares are;
//! - **loose**: below 2^256, as sums and differences of reduced numbers are, and as the factors of products may be.

use crate::inverse::Modulus;

/// p.
const P: [u64; 4] = [0xffff_ffff_ffff_ffed, u64::MAX, u64::MAX, 0x7fff_ffff_ffff_ffff];
const MODULUS: Modulus = Modulus::new(P);

/// All bits of the highest limb that belong to numbers below 2^255.
const TOP: u64 = u64::MAX >> 1;

/// A number modulo p, reduced or loose, the lowest limb first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element([u64; 4]);

impl Element {
    pub(crate) const ZERO: Self = Self([0; 4]);
    pub(crate) const ONE: Self = Self([1, 0, 0, 0]);
    /// −121665 / 121666, the d of the curve's equation.
    pub(crate) const D: Self =
        Self([0x75eb_4dca_1359_78a3, 0x0070_0a4d_4141_d8ab, 0x8cc7_4079_7779_e898, 0x5203_6cee_2b6f_fe73]);
    /// 1/2.
    pub(crate) const HALF: Self = Self([0xffff_ffff_ffff_fff7, u64::MAX, u64::MAX, 0x3fff_ffff_ffff_ffff]);
    /// 2d.
    pub(crate) const TWICE_D: Self =
        Self([0xebd6_9b94_26b2_f159, 0x00e0_149a_8283_b156, 0x198e_80f2_eef3_d130, 0x2406_d9dc_56df_fce7]);
    /// A root of −1: 2^((p − 1) / 4).
    pub(crate) const ROOT_OF_MINUS_ONE: Self =
        Self([0xc4ee_1b27_4a0e_a0b0, 0x2f43_1806_ad2f_e478, 0x2b4d_0099_3dfb_d7a7, 0x2b83_2480_4fc1_df0b]);

    /// The element with these limbs: loose, and reduced if they are below 2^255.
    #[inline]
    pub(crate) const fn new(limbs: [u64; 4]) -> Self {
        Self(limbs)
    }

    /// The number below p that a loose element represents.
    pub(crate) fn canonical(&self) -> [u64; 4] {
        let [a, b, c, d] = self.0;
        // Below 2^255 + 19, and so below 2p. It is p or above if and only if adding 19 sets bit 255.
        let limbs = add_small([a, b, c, d & TOP], 19 * (d >> 63));
        let [a, b, c, d] = add_small(limbs, 19);
        if d > TOP { [a, b, c, d & TOP] } else { limbs }
    }

    /// The loose sum of two reduced elements.
    #[inline(always)]
    pub(crate) fn add(&self, other: &Self) -> Self {
        debug_assert!(self.is_reduced() && other.is_reduced());
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.0, other.0);
        let (r0, carry) = a0.overflowing_add(b0);
        let (r1, carry) = add_with(a1, b1, carry);
        let (r2, carry) = add_with(a2, b2, carry);
        let r3 = u128::from(a3) + u128::from(b3) + u128::from(carry);
        // If there is a carry, the rest is below 2^12, so adding to the lowest limb does not overflow.
        Self([r0 + (38 & high(r3).wrapping_neg()), r1, r2, low(r3)])
    }

    /// The loose difference of two elements: the first loose, the second reduced or the difference of two reduced ones,
    /// so at most 2^256 − 38.
    #[inline(always)]
    pub(crate) fn sub(&self, other: &Self) -> Self {
        debug_assert!(other.0[0] <= u64::MAX - 37 || other.0[1..] != [u64::MAX; 3]);
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.0, other.0);
        let (r0, borrow) = a0.overflowing_sub(b0);
        let (r1, borrow) = sub_with(a1, b1, borrow);
        let (r2, borrow) = sub_with(a2, b2, borrow);
        // After a borrow, its high half is all ones, a mask: a branch would be unpredictable.
        let r3 = u128::from(a3).wrapping_sub(u128::from(b3)).wrapping_sub(u128::from(borrow));
        // If there is a borrow, the rest is at least 38.
        let (r0, borrow) = r0.overflowing_sub(38 & high(r3));
        let (r1, borrow) = r1.overflowing_sub(u64::from(borrow));
        let (r2, borrow) = r2.overflowing_sub(u64::from(borrow));
        Self([r0, r1, r2, low(r3) - u64::from(borrow)])
    }

    /// The negative of an element that may be subtracted.
    #[inline]
    pub(crate) fn neg(&self) -> Self {
        Self::ZERO.sub(self)
    }

    /// The two elements, swapped if `swap`, without a branch.
    #[inline(always)]
    pub(crate) fn swapped_if(swap: bool, Self(a): &Self, Self(b): &Self) -> (Self, Self) {
        let mask = u64::from(swap).wrapping_neg();
        let difference = [0, 1, 2, 3].map(|i| (a[i] ^ b[i]) & mask);
        (Self([0, 1, 2, 3].map(|i| a[i] ^ difference[i])), Self([0, 1, 2, 3].map(|i| b[i] ^ difference[i])))
    }

    /// The element or its negative, without a branch; of an element that may be subtracted.
    #[inline]
    pub(crate) fn negated_if(&self, negative: bool) -> Self {
        // −a is 2^256 − 38 − a: the complement of a, less 37.
        let mask = u64::from(negative).wrapping_neg();
        let [a, b, c, d] = self.0;
        let (a, borrow) = (a ^ mask).overflowing_sub(37 & mask);
        let (b, borrow) = (b ^ mask).overflowing_sub(u64::from(borrow));
        let (c, borrow) = (c ^ mask).overflowing_sub(u64::from(borrow));
        Self([a, b, c, (d ^ mask) - u64::from(borrow)])
    }

    /// The reduced product of two loose elements.
    #[inline(always)]
    pub(crate) fn mul(&self, other: &Self) -> Self {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.0, other.0);
        let (t0, carry) = multiply(a0, b0, 0, 0);
        let (t1, carry) = multiply(a0, b1, carry, 0);
        let (t2, carry) = multiply(a0, b2, carry, 0);
        let (t3, t4) = multiply(a0, b3, carry, 0);
        let (t1, carry) = multiply(a1, b0, t1, 0);
        let (t2, carry) = multiply(a1, b1, t2, carry);
        let (t3, carry) = multiply(a1, b2, t3, carry);
        let (t4, t5) = multiply(a1, b3, t4, carry);
        let (t2, carry) = multiply(a2, b0, t2, 0);
        let (t3, carry) = multiply(a2, b1, t3, carry);
        let (t4, carry) = multiply(a2, b2, t4, carry);
        let (t5, t6) = multiply(a2, b3, t5, carry);
        let (t3, carry) = multiply(a3, b0, t3, 0);
        let (t4, carry) = multiply(a3, b1, t4, carry);
        let (t5, carry) = multiply(a3, b2, t5, carry);
        let (t6, t7) = multiply(a3, b3, t6, carry);
        fold([t0, t1, t2, t3, t4, t5, t6, t7])
    }

    /// The reduced square of a loose element.
    #[inline(always)]
    pub(crate) fn square(&self) -> Self {
        // The compiler detects the products that occur twice; no handwritten form was faster.
        self.mul(self)
    }

    /// A loose element, squared `times` times; reduced.
    pub(crate) fn square_times(&self, times: u32) -> Self {
        (0..times).fold(*self, |element, _| element.square())
    }

    /// The inverse of a loose element; zero for zero.
    pub(crate) fn inverse(&self) -> Self {
        MODULUS.inverse(&self.canonical()).map_or(Self::ZERO, Self)
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

    /// Whether two loose elements represent the same number.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }

    /// Whether a loose element represents zero.
    pub(crate) fn is_zero(&self) -> bool {
        self.canonical() == [0; 4]
    }

    fn is_reduced(&self) -> bool {
        let [a, b, c, d] = self.0;
        d <= TOP || ([b, c, d] == [0, 0, TOP + 1] && a < 1 << 11)
    }
}

/// A number divided by each of these loose elements, of which none is zero, with one inversion for all and three products
/// for each.
pub(crate) fn quotients(
    dividend: &Element,
    divisors: impl DoubleEndedIterator<Item = Element> + Clone,
) -> Vec<Element> {
    let mut product = Element::ONE;
    let before = divisors.clone().map(|divisor| {
        let with = product.mul(&divisor);
        std::mem::replace(&mut product, with)
    });
    let mut quotients: Vec<_> = before.collect();
    let mut inverse = product.inverse().mul(dividend);
    for (divisor, before) in divisors.rev().zip(quotients.iter_mut().rev()) {
        *before = inverse.mul(before);
        inverse = inverse.mul(&divisor);
    }
    quotients
}

/// Whether a number is below p.
pub(crate) fn is_canonical(limbs: &[u64; 4]) -> bool {
    limbs.iter().rev().lt(P.iter().rev())
}

/// Reduces a product of eight limbs.
#[inline(always)]
fn fold([r0, r1, r2, r3, h0, h1, h2, h3]: [u64; 8]) -> Element {
    let (r0, carry) = multiply(h0, 38, r0, 0);
    let (r1, carry) = multiply(h1, 38, r1, carry);
    let (r2, carry) = multiply(h2, 38, r2, carry);
    let (r3, carry) = multiply(h3, 38, r3, carry);
    // The carry is at most 38, so the part from bit 255 on adds less than 2^11.
    Element(add_small([r0, r1, r2, r3 & TOP], 38 * carry + 19 * (r3 >> 63)))
}

/// The sum of a number below 2^255 and a few bits.
#[inline(always)]
fn add_small([r0, r1, r2, r3]: [u64; 4], small: u64) -> [u64; 4] {
    let (r0, carry) = r0.overflowing_add(small);
    let (r1, carry) = r1.overflowing_add(u64::from(carry));
    let (r2, carry) = r2.overflowing_add(u64::from(carry));
    [r0, r1, r2, r3 + u64::from(carry)]
}

/// a · b + c + d: the low limb and the high limb. It cannot overflow.
#[inline(always)]
fn multiply(a: u64, b: u64, c: u64, d: u64) -> (u64, u64) {
    let product = u128::from(a) * u128::from(b) + u128::from(c) + u128::from(d);
    (low(product), high(product))
}

#[inline(always)]
fn add_with(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (sum, first) = a.overflowing_add(b);
    let (sum, second) = sum.overflowing_add(u64::from(carry));
    (sum, first | second)
}

#[inline(always)]
fn sub_with(a: u64, b: u64, borrow: bool) -> (u64, bool) {
    let (difference, first) = a.overflowing_sub(b);
    let (difference, second) = difference.overflowing_sub(u64::from(borrow));
    (difference, first | second)
}

#[inline(always)]
fn high(wide: u128) -> u64 {
    (wide >> 64) as u64
}

/// The lowest 64 bits; truncates on purpose.
#[inline(always)]
fn low(wide: u128) -> u64 {
    wide as u64
}

#[cfg(test)]
mod tests;
