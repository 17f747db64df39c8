//! The fingerprint of RSA moduli from the flawed generator of CVE-2017-15361 ("ROCA").
//!
//! That generator made primes of the form k·M + (65537^a mod M), with M a product of small primes. Modulo each of these
//! small primes, such a modulus is a power of 65537; the probability that any other modulus is one is below 2^-27.

const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
    113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

const GENERATOR: u32 = 65537;

/// Whether a big-endian modulus has the fingerprint.
pub(crate) fn is_vulnerable(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|&prime| is_power_of_generator(remainder(modulus, prime), prime))
}

fn remainder(number: &[u8], divisor: u32) -> u32 {
    number.iter().fold(0, |rest, &byte| (rest * 256 + u32::from(byte)) % divisor)
}

fn is_power_of_generator(residue: u32, prime: u32) -> bool {
    let mut power = 1;
    loop {
        if power == residue {
            return true;
        }
        power = power * (GENERATOR % prime) % prime;
        if power == 1 {
            return false;
        }
    }
}
