//! Inversion modulo an odd number of at most 256 bits, by division steps.
//!
//! Bernstein and Yang, "Fast constant-time gcd computation and modular inversion" (2019), in the variable-time form that
//! Pieter Wuille described for libsecp256k1: sixty-two steps at a time are determined by the lowest limbs alone and
//! combined in a 2 × 2 matrix, which is then applied to the whole numbers.

/// The bits of a limb here. A number is Σ limb[i] · 2^(62·i); all limbs but the highest lie in [0, 2^62), the highest
/// carries the sign.
const BITS: u32 = 62;
const MASK: i64 = i64::MAX >> 1;

type Limbs = [i64; 5];

/// An odd modulus, with the values that its inversions share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Modulus {
    limbs: Limbs,
    /// The modulus's inverse modulo 2^62.
    inverse: i64,
}

/// The effect of sixty-two division steps: (f, g) becomes (u·f + v·g, q·f + r·g) / 2^62.
///
/// |u| + |v| and |q| + |r| are at most 2^62.
struct Matrix {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

impl Modulus {
    /// The modulus with these 64-bit limbs, the lowest first. It must be odd.
    pub(crate) const fn new(limbs: [u64; 4]) -> Self {
        assert!(limbs[0] & 1 == 1, "division steps need an odd modulus");
        // Newton's iteration doubles the correct bits: 3 (an odd number is its own inverse modulo 8), then 6, 12, … 96.
        let mut inverse = limbs[0];
        let mut round = 0;
        while round < 5 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(limbs[0].wrapping_mul(inverse)));
            round += 1;
        }
        Self { limbs: unpack(limbs), inverse: inverse.cast_signed() & MASK }
    }

    /// The inverse of `x`, which must be below the modulus; `None` if there is none, as for zero.
    pub(crate) fn inverse(&self, x: &[u64; 4]) -> Option<[u64; 4]> {
        let (mut d, mut e): (Limbs, Limbs) = ([0; 5], [1, 0, 0, 0, 0]);
        let (mut f, mut g) = (self.limbs, unpack(*x));
        let mut eta = -1;
        // f and g shrink, and with them the number of limbs in use.
        let mut length = 5;
        loop {
            let matrix = steps(&mut eta, f[0].cast_unsigned(), g[0].cast_unsigned());
            self.apply_modulo(&mut d, &mut e, &matrix);
            apply(&mut f[..length], &mut g[..length], &matrix);
            if g[..length].iter().all(|limb| *limb == 0) {
                break;
            }
            let (f_top, g_top) = (f[length - 1], g[length - 1]);
            if length > 1 && (f_top == 0 || f_top == -1) && (g_top == 0 || g_top == -1) {
                // The highest limbs contain only the sign: move it into the next ones.
                length -= 1;
                f[length - 1] |= f_top << BITS;
                g[length - 1] |= g_top << BITS;
            }
        }
        // f is now the greatest common divisor of x and the modulus, or its negative, and d · x ≡ f.
        let f = &f[..length];
        let negative = f[length - 1] < 0;
        let one = if negative {
            f[length - 1] == -1 && f[..length - 1].iter().all(|limb| *limb == MASK)
        } else {
            f[0] == 1 && f[1..].iter().all(|limb| *limb == 0)
        };
        one.then(|| self.canonical(d, negative))
    }

    /// (d, e) becomes (u·d + v·e, q·d + r·e) / 2^62 modulo the modulus m, both in (−2m, m) before and after.
    #[inline]
    fn apply_modulo(&self, d: &mut Limbs, e: &mut Limbs, &Matrix { u, v, q, r }: &Matrix) {
        // Add m if d or e is negative, and then the multiple of m that makes the lowest 62 bits zero.
        let (sign_d, sign_e) = (d[4] >> 63, e[4] >> 63);
        let mut md = (u & sign_d) + (v & sign_e);
        let mut me = (q & sign_d) + (r & sign_e);
        let mut carry_d = product(u, d[0]) + product(v, e[0]);
        let mut carry_e = product(q, d[0]) + product(r, e[0]);
        md -= self.inverse.wrapping_mul(low(carry_d)).wrapping_add(md) & MASK;
        me -= self.inverse.wrapping_mul(low(carry_e)).wrapping_add(me) & MASK;
        carry_d = (carry_d + product(self.limbs[0], md)) >> BITS;
        carry_e = (carry_e + product(self.limbs[0], me)) >> BITS;
        for i in 1..5 {
            carry_d += product(u, d[i]) + product(v, e[i]) + product(self.limbs[i], md);
            carry_e += product(q, d[i]) + product(r, e[i]) + product(self.limbs[i], me);
            d[i - 1] = low(carry_d) & MASK;
            e[i - 1] = low(carry_e) & MASK;
            carry_d >>= BITS;
            carry_e >>= BITS;
        }
        d[4] = low(carry_d);
        e[4] = low(carry_e);
    }

    /// `d`, which lies in (−2m, m), or its negative, brought into [0, m).
    fn canonical(&self, mut d: Limbs, negate: bool) -> [u64; 4] {
        self.add_if_negative(&mut d);
        if negate {
            d = d.map(|limb| -limb);
            carry(&mut d);
        }
        self.add_if_negative(&mut d);
        pack(&d)
    }

    fn add_if_negative(&self, d: &mut Limbs) {
        if d[4] < 0 {
            for (limb, modulus) in d.iter_mut().zip(&self.limbs) {
                *limb += modulus;
            }
            carry(d);
        }
    }
}

/// Sixty-two division steps, determined by the lowest 62 bits of f and g. `eta` is minus the δ of the paper.
#[inline]
fn steps(eta: &mut i64, mut f: u64, mut g: u64) -> Matrix {
    // The entries may wrap in between; the results fit a signed number.
    let (mut u, mut v, mut q, mut r) = (1u64, 0u64, 0u64, 1u64);
    let mut left = BITS;
    loop {
        // Halve g while it is even, but not more often than there are steps left.
        let zeros = (g | (u64::MAX << left)).trailing_zeros();
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        *eta -= i64::from(zeros);
        left -= zeros;
        if left == 0 {
            break;
        }
        if *eta < 0 {
            *eta = -*eta;
            (f, g) = (g, f.wrapping_neg());
            (u, q) = (q, u.wrapping_neg());
            (v, r) = (r, v.wrapping_neg());
        }
        // Until the next exchange of f and g, up to six bits of g are cancelled at once by a multiple of f:
        // f · (f² − 2) is −1/f modulo 64.
        let multiple = f.wrapping_mul(g).wrapping_mul(f.wrapping_mul(f).wrapping_sub(2)) & bits(*eta, left) & 63;
        g = g.wrapping_add(f.wrapping_mul(multiple));
        q = q.wrapping_add(u.wrapping_mul(multiple));
        r = r.wrapping_add(v.wrapping_mul(multiple));
    }
    Matrix { u: u.cast_signed(), v: v.cast_signed(), q: q.cast_signed(), r: r.cast_signed() }
}

/// A mask of the bits that may be cancelled: one more than `eta`, but not more than there are steps left (1 to 62).
#[inline]
fn bits(eta: i64, left: u32) -> u64 {
    let limit = (eta + 1).min(i64::from(left));
    u64::MAX >> ((64 - limit).cast_unsigned() & 63)
}

/// (f, g) becomes (u·f + v·g, q·f + r·g) / 2^62, which is exact.
#[inline]
fn apply(f: &mut [i64], g: &mut [i64], &Matrix { u, v, q, r }: &Matrix) {
    let length = f.len().min(g.len());
    let (f, g) = (&mut f[..length], &mut g[..length]);
    let mut carry_f = (product(u, f[0]) + product(v, g[0])) >> BITS;
    let mut carry_g = (product(q, f[0]) + product(r, g[0])) >> BITS;
    for i in 1..length {
        carry_f += product(u, f[i]) + product(v, g[i]);
        carry_g += product(q, f[i]) + product(r, g[i]);
        f[i - 1] = low(carry_f) & MASK;
        g[i - 1] = low(carry_g) & MASK;
        carry_f >>= BITS;
        carry_g >>= BITS;
    }
    f[length - 1] = low(carry_f);
    g[length - 1] = low(carry_g);
}

#[inline]
fn product(a: i64, b: i64) -> i128 {
    i128::from(a) * i128::from(b)
}

/// The lowest 64 bits.
#[inline]
fn low(value: i128) -> i64 {
    // Truncates on purpose.
    value as i64
}

/// Brings all limbs but the highest into [0, 2^62).
fn carry(limbs: &mut Limbs) {
    for i in 0..4 {
        limbs[i + 1] += limbs[i] >> BITS;
        limbs[i] &= MASK;
    }
}

const fn unpack(limbs: [u64; 4]) -> Limbs {
    let [a, b, c, d] = limbs;
    [
        a.cast_signed() & MASK,
        (a >> 62 | b << 2).cast_signed() & MASK,
        (b >> 60 | c << 4).cast_signed() & MASK,
        (c >> 58 | d << 6).cast_signed() & MASK,
        (d >> 56).cast_signed(),
    ]
}

/// The 64-bit limbs of a number in [0, 2^256) with all limbs in [0, 2^62).
fn pack(limbs: &Limbs) -> [u64; 4] {
    let [a, b, c, d, e] = limbs.map(i64::cast_unsigned);
    [a | b << 62, b >> 2 | c << 60, c >> 4 | d << 58, d >> 6 | e << 56]
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use proptest::prelude::*;

    use super::*;

    /// 2^255 − 19; the order of P-256 and its field's prime; the largest odd number; 3; a product of three primes.
    const MODULI: [[u64; 4]; 6] = [
        [0xffff_ffff_ffff_ffed, u64::MAX, u64::MAX, 0x7fff_ffff_ffff_ffff],
        [0xf3b9_cac2_fc63_2551, 0xbce6_faad_a717_9e84, u64::MAX, 0xffff_ffff_0000_0000],
        [u64::MAX, 0xffff_ffff, 0, 0xffff_ffff_0000_0001],
        [u64::MAX; 4],
        [3, 0, 0, 0],
        [3 * 5 * 7, 0, 0, 0],
    ];

    fn number(limbs: &[u64; 4]) -> BigUint {
        limbs.iter().rev().fold(BigUint::ZERO, |sum, limb| (sum << 64u32) + limb)
    }

    fn limbs(number: &BigUint) -> [u64; 4] {
        let mut limbs = [0; 4];
        limbs.iter_mut().zip(number.iter_u64_digits()).for_each(|(limb, digit)| *limb = digit);
        limbs
    }

    fn check(modulus: &[u64; 4], x: &BigUint) {
        let expected = x.modinv(&number(modulus)).map(|inverse| limbs(&inverse));
        assert_eq!(Modulus::new(*modulus).inverse(&limbs(x)), expected, "{x} modulo {modulus:x?}");
    }

    #[test]
    fn edges() {
        for modulus in &MODULI {
            let m = number(modulus);
            let powers = (0..256).map(|bit| BigUint::from(1u8) << bit);
            let ends = (0u8..6).map(BigUint::from);
            for x in powers.chain(ends) {
                check(modulus, &(&x % &m));
                check(modulus, &((&m * 2u8 - &x % &m) % &m));
            }
        }
    }

    #[test]
    fn zero_has_no_inverse() {
        for modulus in MODULI {
            assert_eq!(Modulus::new(modulus).inverse(&[0; 4]), None);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn is_that_of_num_bigint(x: [u64; 4], which in 0..MODULI.len()) {
            check(&MODULI[which], &(number(&x) % number(&MODULI[which])));
        }

        #[test]
        fn modulo_any_odd_number(x: [u64; 4], mut modulus: [u64; 4], shift in 0u32..256) {
            modulus[0] |= 1;
            let modulus = limbs(&(number(&modulus) >> shift));
            if modulus[0] & 1 == 1 && modulus != [1, 0, 0, 0] {
                check(&modulus, &(number(&x) % number(&modulus)));
            }
        }

        #[test]
        fn of_sparse_numbers(bits in prop::collection::vec(0u32..256, 1..5), which in 0..MODULI.len()) {
            let x = bits.iter().fold(BigUint::ZERO, |sum, bit| sum + (BigUint::from(1u8) << *bit));
            check(&MODULI[which], &(x % number(&MODULI[which])));
        }
    }
}
