//! Numbers modulo n, the order of the base point, and their digits.

use super::limbs::{self, Limbs};
use crate::inverse::Modulus;

/// n.
pub(super) const N: Limbs =
    [0xf3b9_cac2_fc63_2551, 0xbce6_faad_a717_9e84, 0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000];
const MODULUS: Modulus = Modulus::new(N);

/// −1/n modulo 2^64.
const MINUS_INVERSE: u64 = 0xccd1_c8aa_ee00_bc4f;

/// 2^512 modulo n.
const R2: Scalar = Scalar([0x8324_4c95_be79_eea2, 0x4699_799c_49bd_6fa6, 0x2845_b239_2b6b_ec59, 0x66e1_2d94_f3d9_5620]);

/// (n − 1) / 2.
const HALF: Limbs = [0x79dc_e561_7e31_92a8, 0xde73_7d56_d38b_cf42, 0x7fff_ffff_ffff_ffff, 0x7fff_ffff_8000_0000];

/// A number below n.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scalar(Limbs);

impl Scalar {
    pub(super) const ONE: Self = Self([1, 0, 0, 0]);

    /// The scalar that 32 big-endian bytes encode; `None` if they encode n or more.
    pub(super) fn from_canonical(bytes: &[u8; 32]) -> Option<Self> {
        let number = limbs::from_bytes(bytes);
        limbs::is_less(&number, &N).then_some(Self(number))
    }

    /// The residue modulo n of 32 big-endian bytes.
    pub(super) fn reduce(bytes: &[u8; 32]) -> Self {
        let number = limbs::from_bytes(bytes);
        // 2^256 is below 2n.
        let (rest, negative) = limbs::subtract(&number, &N);
        Self(if negative { number } else { rest })
    }

    pub(super) fn number(&self) -> &Limbs {
        &self.0
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0 == [0; 4]
    }

    /// The inverse; zero for zero.
    pub(super) fn inverse(&self) -> Self {
        Self(MODULUS.inverse(&self.0).unwrap_or_default())
    }

    /// This times 2^256, by which a Montgomery product divides again.
    pub(super) fn to_montgomery(self) -> Self {
        self.montgomery_product(&R2)
    }

    /// The product divided by 2^256.
    pub(super) fn montgomery_product(&self, other: &Self) -> Self {
        let [t0, t1, t2, t3, t4] =
            self.0.iter().fold([0; 5], |t, limb| clear_lowest(limbs::add_row(t, *limb, &other.0)));
        // Below 2n.
        Self(limbs::reduce_once(&[t0, t1, t2, t3], t4 != 0, &N))
    }

    /// The scalar or its negative, whichever is at most (n − 1) / 2 and so below 2^255, and whether it is the negative.
    fn halved(&self) -> (Limbs, bool) {
        if limbs::is_less(&HALF, &self.0) { (limbs::subtract(&N, &self.0).0, true) } else { (self.0, false) }
    }

    /// The scalar as Σ digit[i] · 2^(width·i), with [`digits`] digits: their absolute values are at most 2^(width − 1), that
    /// of the last at most [`last_digit`].
    ///
    /// [`digits`]: digits
    #[inline]
    pub(super) fn signed_digits(&self, width: u32) -> impl Iterator<Item = i32> {
        let (number, negative) = self.halved();
        let sign = if negative { -1 } else { 1 };
        let last = digits(width) - 1;
        // A digit whose highest bit is set is negative, and adds one to the next: so each depends on its own bits and the
        // bit below them, and none on a carry.
        (0..=last).map(move |position| {
            let window = bits(&number, position * width, width);
            let below = if position == 0 { 0 } else { bits(&number, position * width - 1, 1) };
            let borrowed = if position == last { 0 } else { window >> (width - 1) << width };
            sign * (window + below - borrowed)
        })
    }

    /// The digits of the non-adjacent form, the lowest first: odd numbers in (−2^(width − 1), 2^(width − 1)) with at least
    /// `width − 1` zeros after each.
    pub(super) fn non_adjacent_form(&self, width: u32) -> [i8; 256] {
        let mut form = [0; 256];
        let (number, negative) = self.halved();
        let (mut position, mut carry) = (0, 0);
        while position < 256 {
            let window = carry + bits(&number, position, width);
            if window & 1 == 0 {
                position += 1;
                continue;
            }
            carry = window >> (width - 1);
            let digit = window - (carry << width);
            // Eight bits at most.
            form[position as usize] = if negative { -digit } else { digit } as i8;
            position += width;
        }
        form
    }
}

/// `count` bits of a number, beginning with bit `from`: at most sixteen.
#[inline]
fn bits(number: &Limbs, from: u32, count: u32) -> i32 {
    let limb = (from / 64) as usize;
    let high = number.get(limb + 1).copied().unwrap_or_default();
    let both = u128::from(number[limb & 3]) | u128::from(high) << 64;
    // Truncates on purpose.
    (both >> (from % 64)) as i32 & ((1 << count) - 1)
}

/// The number of digits of a scalar for this width. Its absolute value is below 2^255.
pub(super) const fn digits(width: u32) -> u32 {
    255u32.div_ceil(width)
}

/// The largest absolute value of the last digit.
pub(super) const fn last_digit(width: u32) -> u32 {
    1 << (255 - width * (digits(width) - 1))
}

/// (t + m · n) / 2^64, for the m that clears the lowest limb.
#[inline(always)]
fn clear_lowest([t0, t1, t2, t3, t4, t5]: [u64; 6]) -> [u64; 5] {
    let m = t0.wrapping_mul(MINUS_INVERSE);
    let [_, t1, t2, t3, t4, carry] = limbs::add_row([t0, t1, t2, t3, t4], m, &N);
    // The sum is below 2n.
    [t1, t2, t3, t4, t5 + carry]
}

#[cfg(test)]
mod tests;
