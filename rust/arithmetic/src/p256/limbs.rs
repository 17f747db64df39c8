//! Numbers below 2^256 in four limbs of 64 bits, the lowest first.

pub(super) type Limbs = [u64; 4];

/// The number that 32 big-endian bytes stand for.
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

/// The difference modulo 2^256, and whether it is below zero.
#[inline]
pub(super) fn subtract(a: &Limbs, b: &Limbs) -> (Limbs, bool) {
    let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (*a, *b);
    let (d0, borrow) = subtract_with_borrow(a0, b0, false);
    let (d1, borrow) = subtract_with_borrow(a1, b1, borrow);
    let (d2, borrow) = subtract_with_borrow(a2, b2, borrow);
    let (d3, borrow) = subtract_with_borrow(a3, b3, borrow);
    ([d0, d1, d2, d3], borrow)
}

/// The sum modulo 2^256.
#[inline]
pub(super) fn add(a: &Limbs, b: &Limbs) -> Limbs {
    let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (*a, *b);
    let (s0, carry) = add_with_carry(a0, b0, false);
    let (s1, carry) = add_with_carry(a1, b1, carry);
    let (s2, carry) = add_with_carry(a2, b2, carry);
    let (s3, _) = add_with_carry(a3, b3, carry);
    [s0, s1, s2, s3]
}

/// The lowest limb of a + b + carry, and what is carried on.
#[inline(always)]
pub(super) fn add_with_carry(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (sum, first) = a.overflowing_add(b);
    let (sum, second) = sum.overflowing_add(u64::from(carry));
    (sum, first | second)
}

/// The lowest limb of a − b − borrow, and whether it is below zero.
#[inline(always)]
pub(super) fn subtract_with_borrow(a: u64, b: u64, borrow: bool) -> (u64, bool) {
    let (difference, first) = a.overflowing_sub(b);
    let (difference, second) = difference.overflowing_sub(u64::from(borrow));
    (difference, first | second)
}

/// The two limbs of sum + a · b + carry, the lower first; they never overflow.
#[inline(always)]
pub(super) fn multiply_add(sum: u64, a: u64, b: u64, carry: u64) -> (u64, u64) {
    let wide = u128::from(sum) + u128::from(a) * u128::from(b) + u128::from(carry);
    // Truncation is meant.
    (wide as u64, (wide >> 64) as u64)
}

/// The product, in eight limbs.
#[inline(always)]
pub(super) fn product(a: &Limbs, b: &Limbs) -> [u64; 8] {
    let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (*a, *b);
    let (t0, c) = multiply_add(0, a0, b0, 0);
    let (t1, c) = multiply_add(0, a0, b1, c);
    let (t2, c) = multiply_add(0, a0, b2, c);
    let (t3, t4) = multiply_add(0, a0, b3, c);
    let (t1, c) = multiply_add(t1, a1, b0, 0);
    let (t2, c) = multiply_add(t2, a1, b1, c);
    let (t3, c) = multiply_add(t3, a1, b2, c);
    let (t4, t5) = multiply_add(t4, a1, b3, c);
    let (t2, c) = multiply_add(t2, a2, b0, 0);
    let (t3, c) = multiply_add(t3, a2, b1, c);
    let (t4, c) = multiply_add(t4, a2, b2, c);
    let (t5, t6) = multiply_add(t5, a2, b3, c);
    let (t3, c) = multiply_add(t3, a3, b0, 0);
    let (t4, c) = multiply_add(t4, a3, b1, c);
    let (t5, c) = multiply_add(t5, a3, b2, c);
    let (t6, t7) = multiply_add(t6, a3, b3, c);
    [t0, t1, t2, t3, t4, t5, t6, t7]
}

/// The square, in eight limbs.
#[inline(always)]
pub(super) fn square(a: &Limbs) -> [u64; 8] {
    let [a0, a1, a2, a3] = *a;
    // The products of different limbs, …
    let (t1, c) = multiply_add(0, a0, a1, 0);
    let (t2, c) = multiply_add(0, a0, a2, c);
    let (t3, t4) = multiply_add(0, a0, a3, c);
    let (t3, c) = multiply_add(t3, a1, a2, 0);
    let (t4, t5) = multiply_add(t4, a1, a3, c);
    let (t5, t6) = multiply_add(t5, a2, a3, 0);
    // … twice, …
    let t7 = t6 >> 63;
    let t6 = t6 << 1 | t5 >> 63;
    let t5 = t5 << 1 | t4 >> 63;
    let t4 = t4 << 1 | t3 >> 63;
    let t3 = t3 << 1 | t2 >> 63;
    let t2 = t2 << 1 | t1 >> 63;
    let t1 = t1 << 1;
    // … and the squares of the limbs.
    let (t0, s1) = multiply_add(0, a0, a0, 0);
    let (s2, s3) = multiply_add(0, a1, a1, 0);
    let (s4, s5) = multiply_add(0, a2, a2, 0);
    let (s6, s7) = multiply_add(0, a3, a3, 0);
    let (t1, c) = add_with_carry(t1, s1, false);
    let (t2, c) = add_with_carry(t2, s2, c);
    let (t3, c) = add_with_carry(t3, s3, c);
    let (t4, c) = add_with_carry(t4, s4, c);
    let (t5, c) = add_with_carry(t5, s5, c);
    let (t6, c) = add_with_carry(t6, s6, c);
    let (t7, _) = add_with_carry(t7, s7, c);
    [t0, t1, t2, t3, t4, t5, t6, t7]
}
