//! Comparison of scalars with fiat-crypto's, which are generated from proofs.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fiat_crypto::p256_scalar_64 as fiat;
use proptest::prelude::*;

use super::*;

fn below_n(limbs: Limbs) -> Scalar {
    Scalar(if limbs::is_less(&limbs, &N) { limbs } else { limbs::subtract(&limbs, &N).0 })
}

fn check(a: &Scalar, b: &Scalar) {
    let mut product = fiat::fiat_p256_scalar_montgomery_domain_field_element([0; 4]);
    let wrap = |scalar: &Scalar| fiat::fiat_p256_scalar_montgomery_domain_field_element(scalar.0);
    fiat::fiat_p256_scalar_mul(&mut product, &wrap(a), &wrap(b));
    assert_eq!(a.montgomery_product(b).0, product.0, "{a:?} · {b:?}");
    fiat::fiat_p256_scalar_to_montgomery(
        &mut product,
        &fiat::fiat_p256_scalar_non_montgomery_domain_field_element(a.0),
    );
    assert_eq!(a.to_montgomery().0, product.0, "{a:?}");
}

/// The digits of a scalar represent it.
fn check_digits(scalar: &Scalar) {
    let value = |digits: &mut dyn DoubleEndedIterator<Item = i32>, width: u32| {
        let shift = below_n([1 << width, 0, 0, 0]).to_montgomery();
        digits.rev().fold(Scalar([0; 4]), |sum, digit| {
            let digit_scalar = Scalar([digit.unsigned_abs().into(), 0, 0, 0]);
            add(&sum.montgomery_product(&shift), &digit_scalar, digit < 0)
        })
    };
    for width in 4..=10 {
        let signed: Vec<_> = scalar.signed_digits(width).collect();
        assert_eq!(signed.len(), digits(width) as usize);
        let (last, others) = signed.split_last().unwrap();
        assert!(others.iter().all(|digit| digit.unsigned_abs() <= 1 << (width - 1)), "{scalar:?}: {signed:?}");
        assert!(last.unsigned_abs() <= last_digit(width), "{scalar:?}: {signed:?}");
        assert_eq!(value(&mut signed.into_iter(), width), *scalar, "width {width}");
    }
    for width in 2..=8 {
        let form = scalar.non_adjacent_form(width);
        assert!(
            form.iter()
                .all(|digit| *digit == 0 || digit % 2 != 0 && u32::from(digit.unsigned_abs()) < 1 << (width - 1))
        );
        assert!(form.windows(width as usize).all(|digits| digits.iter().filter(|digit| **digit != 0).count() <= 1));
        assert_eq!(value(&mut form.into_iter().map(i32::from), 1), *scalar, "width {width}");
    }
}

fn add(a: &Scalar, b: &Scalar, negate: bool) -> Scalar {
    let b = if negate { limbs::subtract(&N, &b.0).0 } else { b.0 };
    let (sum, wrapped) = limbs::add(&a.0, &b);
    if wrapped || !limbs::is_less(&sum, &N) { Scalar(limbs::subtract(&sum, &N).0) } else { Scalar(sum) }
}

const ENDS: [u64; 10] = [0, 1, u64::MAX, u64::MAX - 1, 1 << 63, N[0], N[1], N[3], N[0] - 1, HALF[3]];

fn edges() -> impl Iterator<Item = Scalar> {
    (0..ENDS.len().pow(4)).map(|mut index| {
        below_n(std::array::from_fn(|_| {
            let limb = ENDS[index % ENDS.len()];
            index /= ENDS.len();
            limb
        }))
    })
}

#[test]
fn edge_limbs() {
    let all: Vec<_> = edges().collect();
    for (index, a) in all.iter().enumerate() {
        check(a, a);
        for b in all.iter().cycle().skip(index).step_by(557).take(40) {
            check(a, b);
        }
    }
    let one = [1, 0, 0, 0];
    let halves = [Scalar(HALF), Scalar(limbs::add(&HALF, &one).0), Scalar(limbs::subtract(&N, &one).0), Scalar(one)];
    for scalar in edges().step_by(7).chain(halves) {
        check_digits(&scalar);
    }
}

#[test]
fn only_below_the_order() {
    let bytes = |limbs: Limbs| {
        let mut bytes = [0; 32];
        bytes
            .chunks_mut(8)
            .zip(limbs.iter().rev())
            .for_each(|(bytes, limb)| bytes.copy_from_slice(&limb.to_be_bytes()));
        bytes
    };
    let last = limbs::subtract(&N, &[1, 0, 0, 0]).0;
    assert_eq!(Scalar::from_canonical(&bytes(last)), Some(Scalar(last)));
    assert_eq!(Scalar::from_canonical(&bytes(N)), None);
    assert_eq!(Scalar::from_canonical(&[0xff; 32]), None);
    assert_eq!(Scalar::reduce(&bytes(N)), Scalar([0; 4]));
    assert_eq!(Scalar::reduce(&bytes(last)), Scalar(last));
    assert_eq!(Scalar::reduce(&[0xff; 32]), Scalar(limbs::subtract(&[u64::MAX; 4], &N).0));
}

fn scalar() -> impl Strategy<Value = Scalar> {
    let limb = prop_oneof![3 => any::<u64>(), 1 => prop::sample::select(ENDS.to_vec())];
    prop::array::uniform4(limb).prop_map(below_n)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn same_as_fiat(a in scalar(), b in scalar()) {
        check(&a, &b);
    }

    #[test]
    fn digits_represent_the_scalar(a in scalar()) {
        check_digits(&a);
    }

    #[test]
    fn inverses(a in scalar()) {
        let product = a.inverse().to_montgomery().montgomery_product(&a);
        prop_assert_eq!(product, if a.is_zero() { Scalar([0; 4]) } else { Scalar::ONE });
    }
}

/// The same comparison for 200 million pairs.
#[test]
#[ignore = "takes minutes: cargo test -p watchword-arithmetic --release -- --ignored p256::scalar::tests::hundreds"]
fn hundreds_of_millions() {
    // A multiplicative generator is enough to reach all bits; one limb in four is an end of its range.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut limb = || {
        state = state.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1);
        let mixed = state ^ state >> 29;
        if state >> 62 == 0 { ENDS[(mixed % 10) as usize] } else { mixed }
    };
    let mut scalar = || below_n(std::array::from_fn(|_| limb()));
    for _ in 0..200_000_000 {
        check(&scalar(), &scalar());
    }
}
