//! RSA keys with any length of modulus that sign whatever number they are given, so that encodings can be wrong on
//! purpose.
//!
//! Their moduli are products of many primes below 2^64: worthless as keys, made in no time, and the same to a verifier.

#![allow(dead_code, reason = "each test is a crate of its own and uses a part of this")]

use num_bigint::BigUint;

use super::common::base64url;

const EXPONENT: u32 = 65537;

pub(crate) struct RsaSigner {
    pub(crate) modulus: BigUint,
    primes: Vec<Prime>,
}

struct Prime {
    prime: u64,
    /// The inverse of the public exponent modulo the prime less one.
    exponent: u64,
    /// One modulo this prime, and zero modulo the others.
    idempotent: BigUint,
}

impl RsaSigner {
    /// A key with a modulus of exactly so many bits, one for each seed.
    pub(crate) fn new(bits: u64, seed: u64) -> Self {
        let mut random = seed;
        let mut primes = vec![next_prime(1 << 63 | random >> 1)];
        let mut product = BigUint::from(primes[0]);
        let mut multiply = |product: &mut BigUint, start| {
            let prime = next_prime(start);
            *product *= prime;
            primes.push(prime);
        };
        while bits - product.bits() > 96 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            multiply(&mut product, 1 << 63 | random >> 1);
        }
        if bits - product.bits() > 60 {
            multiply(&mut product, 1 << 40 | random >> 24);
        }
        let middle = (BigUint::from(3_u8) << (bits - 2)) / &product;
        multiply(&mut product, middle.try_into().expect("the rest has at most 60 bits"));
        assert_eq!(product.bits(), bits);
        Self { primes: primes.into_iter().map(|prime| Prime::new(prime, &product)).collect(), modulus: product }
    }

    /// The length of the modulus, in bytes.
    pub(crate) fn length(&self) -> usize {
        self.modulus.to_bytes_be().len()
    }

    pub(crate) fn jwk(&self) -> String {
        format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, base64url(self.modulus.to_bytes_be()))
    }

    /// The signature that opens to this encoding, if it is below the modulus.
    pub(crate) fn sign(&self, encoded: &[u8]) -> Option<BigUint> {
        let encoded = BigUint::from_bytes_be(encoded);
        let roots = self.primes.iter().map(|prime| &prime.idempotent * prime.root(&encoded));
        (encoded < self.modulus).then(|| roots.sum::<BigUint>() % &self.modulus)
    }
}

impl Prime {
    fn new(prime: u64, modulus: &BigUint) -> Self {
        let exponent = BigUint::from(EXPONENT).modinv(&(prime - 1).into()).expect("the primes were chosen so");
        let others = modulus / prime;
        let inverse = power_modulo(remainder(&others, prime), prime - 2, prime);
        Self { prime, exponent: remainder(&exponent, prime), idempotent: others * inverse }
    }

    /// The number whose power this is, modulo the prime.
    fn root(&self, power: &BigUint) -> u64 {
        power_modulo(remainder(power, self.prime), self.exponent, self.prime)
    }
}

fn remainder(number: &BigUint, prime: u64) -> u64 {
    (number % prime).try_into().expect("a remainder is smaller")
}

/// The next prime p for which the exponent has an inverse modulo p - 1.
fn next_prime(start: u64) -> u64 {
    (start | 1..).step_by(2).find(|&n| is_prime(n) && n % u64::from(EXPONENT) != 1).expect("primes are dense")
}

/// Miller and Rabin's test with bases that suffice below 2^64.
fn is_prime(n: u64) -> bool {
    const BASES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    if BASES.iter().any(|&base| n.is_multiple_of(base)) {
        return BASES.contains(&n);
    }
    let twos = (n - 1).trailing_zeros();
    BASES.iter().all(|&base| {
        let mut power = power_modulo(base, (n - 1) >> twos, n);
        power == 1
            || (0..twos).any(|_| {
                let is_minus_one = power == n - 1;
                power = multiply_modulo(power, power, n);
                is_minus_one
            })
    })
}

fn power_modulo(base: u64, exponent: u64, modulus: u64) -> u64 {
    (0..64).rev().fold(1, |power, bit| {
        let square = multiply_modulo(power, power, modulus);
        if exponent >> bit & 1 == 1 { multiply_modulo(square, base, modulus) } else { square }
    })
}

fn multiply_modulo(a: u64, b: u64, modulus: u64) -> u64 {
    u64::try_from(u128::from(a) * u128::from(b) % u128::from(modulus)).expect("a remainder is smaller")
}
