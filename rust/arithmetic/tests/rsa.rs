//! Comparison with num-bigint: every accepted length of modulus, and the values with the longest carries.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use num_bigint::BigUint;
use proptest::prelude::*;
use watchword_arithmetic::rsa::PublicKey;

/// Numbers of exactly `bits` bits; long runs of ones and of zeros are as frequent as random bits.
fn number(bits: usize) -> impl Strategy<Value = BigUint> {
    let limb = prop_oneof![Just(0), Just(1), Just(u64::MAX), Just(u64::MAX - 1), Just(1 << 63), any::<u64>()];
    let limbs = prop_oneof![
        prop::collection::vec(any::<u64>(), bits.div_ceil(64)),
        prop::collection::vec(limb, bits.div_ceil(64)),
        prop::collection::vec(Just(u64::MAX), bits.div_ceil(64)),
        prop::collection::vec(Just(0), bits.div_ceil(64)),
    ];
    limbs.prop_map(move |limbs| {
        let bytes: Vec<u8> = limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect();
        let top = BigUint::from(1_u8) << (bits - 1);
        BigUint::from_bytes_le(&bytes) % &top + top
    })
}

fn bits() -> impl Strategy<Value = usize> {
    prop_oneof![
        Just(2048),
        Just(3072),
        Just(4096),
        Just(8192),
        2048_usize..2100,
        2048_usize..=8192,
        (4_usize..=16).prop_flat_map(|rows| (rows * 512 - 3).max(2048)..=(rows * 512 + 3).min(8192)),
    ]
}

fn exponent() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(65537),
        Just(3),
        Just(5),
        Just(17),
        Just((1 << 33) - 1),
        Just((1 << 32) + 1),
        (1_u64..1 << 32).prop_map(|e| 2 * e + 1),
        (1_u64..=u64::MAX / 2).prop_map(|e| 2 * e + 1),
    ]
}

/// A modulus, an exponent, and a signature that may be too large.
fn case() -> impl Strategy<Value = (BigUint, u64, BigUint)> {
    (bits(), exponent(), 0..8).prop_flat_map(|(bits, exponent, edge)| {
        (number(bits), number(bits)).prop_map(move |(modulus, signature)| {
            let one = BigUint::from(1_u8);
            let modulus = modulus | &one;
            let signature = match edge {
                0 => BigUint::ZERO,
                1 => one,
                2 => modulus.clone() - one,
                3 => modulus.clone(),
                4 => (BigUint::from(1_u8) << modulus.bits()) - one,
                _ if signature < modulus => signature,
                _ => signature - (BigUint::from(1_u8) << (modulus.bits() - 1)),
            };
            (modulus, exponent, signature)
        })
    })
}

fn padded(number: &BigUint, length: usize) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    [vec![0; length - bytes.len()], bytes].concat()
}

fn without_leading_zeros(exponent: u64) -> Vec<u8> {
    BigUint::from(exponent).to_bytes_be()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn power_is_that_of_another_implementation((modulus, exponent, signature) in case()) {
        let modulus_bytes = modulus.to_bytes_be();
        let key = PublicKey::new(&modulus_bytes, &without_leading_zeros(exponent)).unwrap();
        let mut power = vec![0; modulus_bytes.len()];
        let computed = key.power(&padded(&signature, modulus_bytes.len()), &mut power);
        prop_assert_eq!(computed, signature < modulus);
        if computed {
            prop_assert_eq!(BigUint::from_bytes_be(&power), signature.modpow(&BigUint::from(exponent), &modulus));
        }
    }
}

#[test]
fn only_odd_numbers_without_leading_zeros_make_a_key() {
    let modulus = [[0x80].as_slice(), &[0; 254], &[1]].concat();
    assert!(PublicKey::new(&modulus, &[3]).is_some());
    assert!(PublicKey::new(&[0xff; 1024], &[0xff; 8]).is_some());

    let even = [modulus.as_slice(), &[0]].concat();
    let padded = [[0].as_slice(), &modulus].concat();
    for bad in [&[][..], &[1], &even, &padded, &[0xff; 1025]] {
        assert!(PublicKey::new(bad, &[3]).is_none());
    }
    for bad in [&[][..], &[1], &[2], &[0, 3], &[0xff; 9]] {
        assert!(PublicKey::new(&modulus, bad).is_none());
    }
}

#[test]
fn nothing_is_written_for_a_signature_of_another_length() {
    let key = PublicKey::new(&[0xff; 256], &[1, 0, 1]).unwrap();
    for (signature, power) in [(255, 256), (257, 256), (0, 256), (256, 255), (256, 257)] {
        let mut power = vec![7; power];
        assert!(!key.power(&vec![1; signature], &mut power));
        assert!(power.iter().all(|&byte| byte == 7));
    }
}

#[test]
fn a_key_reports_its_size() {
    let of = |bytes| PublicKey::new(&vec![0xff; bytes], &[3]).unwrap().size();
    assert!(of(256) >= 3 * 256);
    assert_eq!(of(512) - of(256), 3 * 256);
}
