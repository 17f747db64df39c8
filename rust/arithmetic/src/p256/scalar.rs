//! Numbers modulo n, the order of the base point, and their digits.

use super::limbs::{self, Limbs, add_with_carry, multiply_add};
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

    /// The scalar that 32 big-endian bytes encode; none if they encode n or more.
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

    /// This times 2^256, which a Montgomery product takes away again.
    pub(super) fn to_montgomery(self) -> Self {
        self.montgomery_product(&R2)
    }

    /// The product divided by 2^256.
    pub(super) fn montgomery_product(&self, other: &Self) -> Self {
        let [t0, t1, t2, t3, t4, t5, t6, t7] = limbs::product(&self.0, &other.0);
        let mut low = [t0, t1, t2, t3];
        for _ in 0..4 {
            low = clear_lowest(low);
        }
        let [l0, l1, l2, l3] = low;
        let (s0, carry) = add_with_carry(l0, t4, false);
        let (s1, carry) = add_with_carry(l1, t5, carry);
        let (s2, carry) = add_with_carry(l2, t6, carry);
        let (s3, high) = add_with_carry(l3, t7, carry);
        let sum = [s0, s1, s2, s3];
        // Below 2n.
        let (rest, negative) = limbs::subtract(&sum, &N);
        Self(if negative && !high { sum } else { rest })
    }

    /// The scalar or its negative, whichever is at most (n − 1) / 2 and so below 2^255, and whether it is the negative.
    fn halved(&self) -> (Limbs, bool) {
        if limbs::is_less(&HALF, &self.0) { (limbs::subtract(&N, &self.0).0, true) } else { (self.0, false) }
    }

    /// The scalar as Σ digit[i] · 2^(width·i), with as many digits as [`digits`] says: none has an absolute value of more
    /// than 2^(width − 1), and the last none of more than [`last_digit`].
    ///
    /// [`digits`]: digits
    #[inline]
    pub(super) fn signed_digits(&self, width: u32) -> impl Iterator<Item = i32> {
        let (mut rest, negative) = self.halved();
        let count = digits(width);
        let mut carry = 0;
        (1..=count).map(move |position| {
            let [a, b, c, d] = rest;
            let digit = if position == count {
                small(a + carry)
            } else {
                let window = (a & ((1 << width) - 1)) + carry;
                rest = [
                    a >> width | b << (64 - width),
                    b >> width | c << (64 - width),
                    c >> width | d << (64 - width),
                    d >> width,
                ];
                carry = u64::from(window > 1 << (width - 1));
                small(window) - (small(carry) << width)
            };
            if negative { -digit } else { digit }
        })
    }

    /// The digits of the non-adjacent form, the lowest first: odd numbers in (−2^(width − 1), 2^(width − 1)) with at least
    /// `width − 1` zeros after each.
    pub(super) fn non_adjacent_form(&self, width: u32) -> [i8; 256] {
        let mut form = [0; 256];
        let ([a, b, c, d], negative) = self.halved();
        let limbs = [a, b, c, d, 0];
        let (mut position, mut carry) = (0, 0);
        while position < 256 {
            let (limb, shift) = (position / 64, position % 64);
            let bits = u128::from(limbs[limb]) | u128::from(limbs[limb + 1]) << 64;
            // Truncation is meant.
            let window = carry + ((bits >> shift) as u64 & ((1 << width) - 1));
            if window & 1 == 0 {
                position += 1;
                continue;
            }
            carry = u64::from(window > 1 << (width - 1));
            let digit = small(window) - (small(carry) << width);
            form[position] = if negative { -digit } else { digit } as i8;
            position += width as usize;
        }
        form
    }
}

/// How many digits of so many bits a scalar has: it is below 2^255 when its sign is apart.
pub(super) const fn digits(width: u32) -> u32 {
    255u32.div_ceil(width)
}

/// The largest absolute value of the last digit.
pub(super) const fn last_digit(width: u32) -> u32 {
    1 << (255 - width * (digits(width) - 1))
}

/// A digit of a few bits.
#[inline]
fn small(digit: u64) -> i32 {
    // Wide windows are of sixteen bits at most.
    digit as i32
}

/// (t + m · n) / 2^64, which is at most n, for the m that clears the lowest limb.
#[inline(always)]
fn clear_lowest([t0, t1, t2, t3]: Limbs) -> Limbs {
    let [n0, n1, n2, n3] = N;
    let m = t0.wrapping_mul(MINUS_INVERSE);
    let (_, c) = multiply_add(t0, m, n0, 0);
    let (t1, c) = multiply_add(t1, m, n1, c);
    let (t2, c) = multiply_add(t2, m, n2, c);
    let (t3, t4) = multiply_add(t3, m, n3, c);
    [t1, t2, t3, t4]
}

#[cfg(test)]
mod tests;
