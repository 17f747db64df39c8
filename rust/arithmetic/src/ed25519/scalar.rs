//! Scalars: numbers below the group order, and their digits.

/// L, the order of the base point: 2^252 + 27742317777372353535851937790883648493.
const ORDER: [u64; 4] = [0x5812_631a_5cf5_d3ed, 0x14de_f9de_a2f7_9cd6, 0, 0x1000_0000_0000_0000];

/// 2^512 / L, rounded down.
const RECIPROCAL: [u64; 5] = [0xed9c_e5a3_0a2c_131b, 0x2106_215d_0863_29a7, 0xffff_ffff_ffff_ffeb, u64::MAX, 0xf];

/// A number below the group order L.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scalar([u64; 4]);

impl Scalar {
    /// The scalar that these 32 little-endian bytes encode; `None` if they encode L or more.
    #[must_use]
    pub fn from_canonical(bytes: &[u8; 32]) -> Option<Self> {
        let limbs = super::limbs(bytes);
        limbs.iter().rev().lt(ORDER.iter().rev()).then_some(Self(limbs))
    }

    /// The residue modulo L of 64 little-endian bytes, such as a SHA-512 digest.
    #[must_use]
    pub fn reduce(bytes: &[u8; 64]) -> Self {
        let mut limbs = [0; 8];
        for (limb, bytes) in limbs.iter_mut().zip(bytes.as_chunks().0) {
            *limb = u64::from_le_bytes(*bytes);
        }
        // Barrett's reduction (Handbook of Applied Cryptography, 14.42): the quotient from the highest limbs is too
        // small by two at most.
        let [_, _, _, high @ ..] = limbs;
        let mut quotient = [0; 10];
        multiply_add(&mut quotient, &high, &RECIPROCAL);
        let [_, _, _, _, _, quotient @ ..] = quotient;
        let mut multiple = [0; 9];
        multiply_add(&mut multiple, &quotient, &ORDER);
        let ([r0, r1, r2, r3, r4, ..], [m0, m1, m2, m3, m4, ..]) = (limbs, multiple);
        let mut rest = subtract([r0, r1, r2, r3, r4], [m0, m1, m2, m3, m4]).0;
        let [o0, o1, o2, o3] = ORDER;
        loop {
            let (less, negative) = subtract(rest, [o0, o1, o2, o3, 0]);
            if negative {
                let [limbs @ .., _] = rest;
                return Self(limbs);
            }
            rest = less;
        }
    }

    /// The scalar as Σ digit[i] · 2^(width·i), with [`digits`] digits: all are in [−2^(width − 1), 2^(width − 1)) except the
    /// last, which is in [0, [`last_digit`]].
    #[inline]
    pub(super) fn signed_digits(&self, width: u32) -> impl ExactSizeIterator<Item = i32> {
        // With half of the range added to each digit but the last, none is negative, and they are the bits of the number.
        let half = 1 << (width - 1);
        let [a, b, c, d] = add(&self.0, &HALVES[(width - MIN_WIDTH) as usize]);
        let limbs = [a, b, c, d, 0];
        let count = digits(width);
        (0..count).map(move |position| {
            let bit = position * width;
            let (limb, shift) = ((bit / 64) as usize & 3, bit % 64);
            let bits = limbs[limb] >> shift | limbs[limb + 1] << 1 << (63 - shift);
            if position == count - 1 { small(bits) } else { small(bits & ((1 << width) - 1)) - half }
        })
    }

    /// The digits of the non-adjacent form, the lowest first: odd numbers in (−2^(width − 1), 2^(width − 1)) with at least
    /// `width − 1` zeros after each.
    pub(super) fn non_adjacent_form(&self, width: u32) -> [i8; 256] {
        let mut form = [0; 256];
        let [a, b, c, d] = self.0;
        let limbs = [a, b, c, d, 0];
        let (mut position, mut carry) = (0, 0);
        while position < 256 {
            let (limb, shift) = (position / 64, position % 64);
            let bits = u128::from(limbs[limb]) | u128::from(limbs[limb + 1]) << 64;
            // Truncates on purpose.
            let window = carry + ((bits >> shift) as u64 & ((1 << width) - 1));
            if window & 1 == 0 {
                position += 1;
                continue;
            }
            carry = u64::from(window > 1 << (width - 1));
            form[position] = (small(window) - (small(carry) << width)) as i8;
            position += width as usize;
        }
        form
    }
}

/// The minimum and the maximum width of digits.
const MIN_WIDTH: u32 = 4;
const MAX_WIDTH: u32 = 10;

/// For each width, the sum of 2^(width − 1) at every digit but the last.
const HALVES: [[u64; 4]; (MAX_WIDTH - MIN_WIDTH + 1) as usize] = {
    let mut halves = [[0; 4]; (MAX_WIDTH - MIN_WIDTH + 1) as usize];
    let mut width = MIN_WIDTH;
    while width <= MAX_WIDTH {
        let mut position = 1;
        while position < digits(width) {
            let bit = position * width - 1;
            halves[(width - MIN_WIDTH) as usize][(bit / 64) as usize] |= 1 << (bit % 64);
            position += 1;
        }
        width += 1;
    }
    halves
};

/// The number of digits of a scalar for this width. A scalar may slightly exceed 2^252, which the last digit covers.
pub(super) const fn digits(width: u32) -> u32 {
    252u32.div_ceil(width)
}

/// The largest value of the last digit.
pub(super) const fn last_digit(width: u32) -> u32 {
    1 << (252 - width * (digits(width) - 1))
}

/// A digit of a few bits.
#[inline]
fn small(digit: u64) -> i32 {
    // Wide windows are of sixteen bits at most.
    digit as i32
}

/// The sum of two numbers, which must be below 2^256.
#[inline]
fn add(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
    let mut carry = false;
    std::array::from_fn(|i| {
        let (sum, first) = a[i].overflowing_add(b[i]);
        let (sum, second) = sum.overflowing_add(u64::from(carry));
        carry = first | second;
        sum
    })
}

/// Writes the product of two numbers to `sum`, which must be zero and as long as both together.
fn multiply_add(sum: &mut [u64], a: &[u64], b: &[u64]) {
    for (i, a) in a.iter().enumerate() {
        let mut carry = 0;
        let mut row = sum[i..].iter_mut();
        for (b, sum) in b.iter().zip(&mut row) {
            let column = u128::from(*a) * u128::from(*b) + u128::from(*sum) + carry;
            // Truncates on purpose.
            *sum = column as u64;
            carry = column >> 64;
        }
        if let Some(sum) = sum.get_mut(i + b.len()) {
            *sum = carry as u64;
        }
    }
}

/// The difference modulo 2^320, and whether it wrapped.
fn subtract(a: [u64; 5], b: [u64; 5]) -> ([u64; 5], bool) {
    let mut difference = [0; 5];
    let mut borrow = false;
    for ((limb, a), b) in difference.iter_mut().zip(a).zip(b) {
        let (without, first) = a.overflowing_sub(b);
        let (with, second) = without.overflowing_sub(u64::from(borrow));
        *limb = with;
        borrow = first || second;
    }
    (difference, borrow)
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;
    use proptest::prelude::*;

    use super::*;

    fn number(limbs: &[u64; 4]) -> BigInt {
        limbs.iter().rev().fold(BigInt::ZERO, |sum, limb| (sum << 64u32) + limb)
    }

    fn check(scalar: &Scalar) {
        for width in MIN_WIDTH..=MAX_WIDTH {
            let all: Vec<_> = scalar.signed_digits(width).collect();
            assert_eq!(all.len(), digits(width) as usize);
            let (last, others) = (&all[all.len() - 1], &all[..all.len() - 1]);
            let half = 1 << (width - 1);
            assert!(others.iter().all(|digit| (-half..half).contains(digit)), "{all:?}");
            assert!((0..=last_digit(width) as i32).contains(last), "{all:?}");
            let sum = all.iter().rev().fold(BigInt::ZERO, |sum, digit| (sum << width) + digit);
            assert_eq!(sum, number(&scalar.0), "{width} {all:?}");
        }
        for width in 2..=8 {
            let form = scalar.non_adjacent_form(width);
            let sum = form.iter().rev().fold(BigInt::ZERO, |sum, digit| (sum << 1u32) + digit);
            assert_eq!(sum, number(&scalar.0), "{width} {form:?}");
            for (position, digit) in form.iter().enumerate().filter(|(_, digit)| **digit != 0) {
                assert!(digit % 2 != 0 && i32::from(digit.unsigned_abs()) < 1 << (width - 1), "{form:?}");
                let zeros = form[position + 1..].iter().take(width as usize - 1);
                assert!(zeros.into_iter().all(|digit| *digit == 0), "{form:?}");
            }
        }
    }

    #[test]
    fn digits_of_edge_scalars() {
        let [o0, o1, o2, o3] = ORDER;
        check(&Scalar([0; 4]));
        check(&Scalar([o0 - 1, o1, o2, o3]));
        check(&Scalar([0, 0, 0, o3]));
        check(&Scalar([u64::MAX, u64::MAX, u64::MAX, o3 - 1]));
        for bit in 0..252u32 {
            let mut limbs = [0; 4];
            limbs[(bit / 64) as usize] = 1 << (bit % 64);
            check(&Scalar(limbs));
            // All bits below that one.
            let [a, b, c, d] = limbs;
            let ([a, b, c, d, _], _) = subtract([a, b, c, d, 0], [1, 0, 0, 0, 0]);
            check(&Scalar([a, b, c, d]));
        }
    }

    proptest! {
        #[test]
        fn digits_of_any_scalar(bytes: [[u8; 32]; 2]) {
            check(&Scalar::reduce(&std::array::from_fn(|i| bytes[i / 32][i % 32])));
        }
    }
}
