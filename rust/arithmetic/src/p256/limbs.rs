//! Numbers below 2^256 in four limbs of 64 bits, the lowest first.

use crate::carry;

pub(super) type Limbs = [u64; 4];

/// The number that 32 big-endian bytes encode.
pub(super) fn from_bytes(bytes: &[u8; 32]) -> Limbs {
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().rev().zip(bytes.as_chunks().0) {
        *limb = u64::from_be_bytes(*bytes);
    }
    limbs
}

#[inline]
pub(super) fn is_less(a: &Limbs, b: &Limbs) -> bool {
    subtract(a, b).1
}

/// The sum modulo 2^256, and whether it is 2^256 or more.
#[inline(always)]
pub(super) fn add(a: &Limbs, b: &Limbs) -> (Limbs, bool) {
    let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (*a, *b);
    let (s0, carry) = carry::add(a0, b0, false);
    let (s1, carry) = carry::add(a1, b1, carry);
    let (s2, carry) = carry::add(a2, b2, carry);
    let (s3, carry) = carry::add(a3, b3, carry);
    ([s0, s1, s2, s3], carry)
}

/// The difference modulo 2^256, and whether it is below zero.
#[inline(always)]
pub(super) fn subtract(a: &Limbs, b: &Limbs) -> (Limbs, bool) {
    let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (*a, *b);
    let (d0, borrow) = carry::subtract(a0, b0, false);
    let (d1, borrow) = carry::subtract(a1, b1, borrow);
    let (d2, borrow) = carry::subtract(a2, b2, borrow);
    let (d3, borrow) = carry::subtract(a3, b3, borrow);
    ([d0, d1, d2, d3], borrow)
}

/// Reduces a number below 2 · `modulus`, whose bit 256 is `high`, below `modulus`.
#[inline(always)]
pub(super) fn reduce_once(number: &Limbs, high: bool, modulus: &Limbs) -> Limbs {
    let (rest, borrow) = subtract(number, modulus);
    let (_, below) = carry::subtract(high.into(), 0, borrow);
    select(below, number, &rest)
}

/// One of two numbers, by an unpredictable choice, without a branch.
#[inline(always)]
pub(super) fn select(choice: bool, a: &Limbs, b: &Limbs) -> Limbs {
    let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (*a, *b);
    let either = |a, b| std::hint::select_unpredictable(choice, a, b);
    [either(a0, b0), either(a1, b1), either(a2, b2), either(a3, b3)]
}

/// a · b in two limbs.
#[inline(always)]
pub(super) fn multiply(a: u64, b: u64) -> (u64, u64) {
    let wide = u128::from(a) * u128::from(b);
    // Truncates on purpose.
    (wide as u64, (wide >> 64) as u64)
}

/// a · b.
#[inline(always)]
pub(super) fn multiply_row(a: u64, b: &Limbs) -> [u64; 5] {
    let [b0, b1, b2, b3] = *b;
    let ((t0, h0), (l1, h1), (l2, h2), (l3, h3)) = (multiply(a, b0), multiply(a, b1), multiply(a, b2), multiply(a, b3));
    let (t1, carry) = carry::add(l1, h0, false);
    let (t2, carry) = carry::add(l2, h1, carry);
    let (t3, carry) = carry::add(l3, h2, carry);
    let (t4, _) = carry::add(h3, 0, carry);
    [t0, t1, t2, t3, t4]
}

/// t + a · b.
#[inline(always)]
pub(super) fn add_row([t0, t1, t2, t3, t4]: [u64; 5], a: u64, b: &Limbs) -> [u64; 6] {
    let [r0, r1, r2, r3, r4] = multiply_row(a, b);
    let (t0, carry) = carry::add(t0, r0, false);
    let (t1, carry) = carry::add(t1, r1, carry);
    let (t2, carry) = carry::add(t2, r2, carry);
    let (t3, carry) = carry::add(t3, r3, carry);
    let (t4, carry) = carry::add(t4, r4, carry);
    [t0, t1, t2, t3, t4, carry.into()]
}

/// The square, in eight limbs.
#[inline(always)]
pub(super) fn square(a: &Limbs) -> [u64; 8] {
    let [a0, a1, a2, a3] = *a;
    // The products of different limbs, …
    let ((t1, h01), (l02, h02), (l03, h03)) = (multiply(a0, a1), multiply(a0, a2), multiply(a0, a3));
    let (t2, carry) = carry::add(l02, h01, false);
    let (t3, carry) = carry::add(l03, h02, carry);
    let (t4, _) = carry::add(h03, 0, carry);
    let ((l12, h12), (l13, h13), (l23, h23)) = (multiply(a1, a2), multiply(a1, a3), multiply(a2, a3));
    let (m4, carry) = carry::add(l13, h12, false);
    let (m5, _) = carry::add(h13, 0, carry);
    let (t3, carry) = carry::add(t3, l12, false);
    let (t4, carry) = carry::add(t4, m4, carry);
    let (t5, carry) = carry::add(l23, m5, carry);
    let (t6, _) = carry::add(h23, 0, carry);
    // … twice, …
    let (t1, carry) = carry::add(t1, t1, false);
    let (t2, carry) = carry::add(t2, t2, carry);
    let (t3, carry) = carry::add(t3, t3, carry);
    let (t4, carry) = carry::add(t4, t4, carry);
    let (t5, carry) = carry::add(t5, t5, carry);
    let (t6, carry) = carry::add(t6, t6, carry);
    let t7 = u64::from(carry);
    // … and the squares of the limbs.
    let ((t0, h0), (l1, h1), (l2, h2), (l3, h3)) =
        (multiply(a0, a0), multiply(a1, a1), multiply(a2, a2), multiply(a3, a3));
    let (t1, carry) = carry::add(t1, h0, false);
    let (t2, carry) = carry::add(t2, l1, carry);
    let (t3, carry) = carry::add(t3, h1, carry);
    let (t4, carry) = carry::add(t4, l2, carry);
    let (t5, carry) = carry::add(t5, h2, carry);
    let (t6, carry) = carry::add(t6, l3, carry);
    let (t7, _) = carry::add(t7, h3, carry);
    [t0, t1, t2, t3, t4, t5, t6, t7]
}
