//! Comparison of the field with fiat-crypto's, which is generated from proofs.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fiat_crypto::p256_64 as fiat;
use num_bigint::BigUint;
use proptest::prelude::*;

use super::*;

/// fiat stores elements in the same form: the limbs must be equal.
type Theirs = fiat::fiat_p256_montgomery_domain_field_element;

fn theirs(operation: impl FnOnce(&mut Theirs)) -> Element {
    let mut result = fiat::fiat_p256_montgomery_domain_field_element([0; 4]);
    operation(&mut result);
    Element(result.0)
}

fn check(a: &Element, b: &Element) {
    let wrap = |element: &Element| fiat::fiat_p256_montgomery_domain_field_element(element.0);
    let (x, y) = (wrap(a), wrap(b));
    assert_eq!(a.mul(b), theirs(|result| fiat::fiat_p256_mul(result, &x, &y)), "{a:?} · {b:?}");
    assert_eq!(a.square(), theirs(|result| fiat::fiat_p256_square(result, &x)), "{a:?} squared");
    assert_eq!(a.add(b), theirs(|result| fiat::fiat_p256_add(result, &x, &y)), "{a:?} + {b:?}");
    assert_eq!(a.sub(b), theirs(|result| fiat::fiat_p256_sub(result, &x, &y)), "{a:?} − {b:?}");
    assert_eq!(a.neg(), theirs(|result| fiat::fiat_p256_opp(result, &x)), "−{a:?}");
    let twice = theirs(|result| fiat::fiat_p256_add(result, &x, &x));
    assert_eq!(a.double(), twice, "2 · {a:?}");
    assert_eq!(a.half().double(), *a, "half of {a:?}");
    assert_eq!(a.triple(), theirs(|result| fiat::fiat_p256_add(result, &wrap(&twice), &x)), "3 · {a:?}");
    let mut number = fiat::fiat_p256_non_montgomery_domain_field_element([0; 4]);
    fiat::fiat_p256_from_montgomery(&mut number, &x);
    assert_eq!(Element::from_number(&number.0), Some(*a), "{a:?}");
}

fn below_p(limbs: Limbs) -> Element {
    Element(if limbs::is_less(&limbs, &P) { limbs } else { limbs::subtract(&limbs, &P).0 })
}

fn is_below_p(limbs: &Limbs) -> bool {
    limbs.iter().rev().lt(P.iter().rev())
}

/// Limbs at which carries start, stop and run through.
const ENDS: [u64; 9] = [0, 1, u64::MAX, u64::MAX - 1, 0xffff_ffff, 0x1_0000_0000, 0xffff_ffff_0000_0000, P[3], 1 << 63];

#[test]
fn edge_limbs() {
    let all = |mut index: usize| -> Limbs {
        std::array::from_fn(|_| {
            let limb = ENDS[index % ENDS.len()];
            index /= ENDS.len();
            limb
        })
    };
    let elements: Vec<_> = (0..ENDS.len().pow(4)).map(|index| below_p(all(index))).collect();
    for (index, a) in elements.iter().enumerate() {
        check(a, a);
        // A stride that has no factor in common with the number of elements.
        for b in elements.iter().cycle().skip(index).step_by(557).take(40) {
            check(a, b);
        }
    }
}

#[test]
fn numbers_next_to_p_and_powers_of_two() {
    let p = P.iter().rev().fold(BigUint::ZERO, |sum, limb| (sum << 64u32) + limb);
    let mut near = Vec::new();
    for center in (0..256u32).map(|bit| BigUint::from(1u8) << bit).chain([p.clone(), &p >> 1]) {
        for number in (0..5u8).map(|offset| &center + offset).filter(|number| *number >= BigUint::from(2u8)) {
            let mut limbs = [0; 4];
            limbs.iter_mut().zip((number - 2u8).iter_u64_digits()).for_each(|(limb, digit)| *limb = digit);
            assert_eq!(Element::from_number(&limbs).is_some(), is_below_p(&limbs), "{limbs:x?}");
            near.push(below_p(limbs));
        }
    }
    for a in &near {
        check(a, a);
        near.iter().step_by(7).for_each(|b| check(a, b));
    }
}

#[test]
fn constants() {
    let number = |limb| Element::from_number(&[limb, 0, 0, 0]).unwrap();
    assert_eq!(number(1), Element::ONE);
    assert!(number(0).is_zero());
    assert_eq!(Element::ZERO.inverse(), Element::ZERO);
    assert_eq!(Element::ONE.inverse(), Element::ONE);
    assert!(crate::p256::point::Affine::BASE.is_on_curve());
}

/// Any element, often with limbs at the ends of their range.
fn element() -> impl Strategy<Value = Element> {
    let limb = prop_oneof![3 => any::<u64>(), 1 => prop::sample::select(ENDS.to_vec())];
    prop::array::uniform4(limb).prop_map(below_p)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn same_as_fiat(a in element(), b in element()) {
        check(&a, &b);
    }

    #[test]
    fn inverses(a in element()) {
        prop_assert_eq!(a.mul(&a.inverse()), if a.is_zero() { Element::ZERO } else { Element::ONE });
    }
}

/// The same comparison for 200 million pairs.
#[test]
#[ignore = "takes minutes: cargo test -p watchword-arithmetic --release -- --ignored p256::field::tests::hundreds"]
fn hundreds_of_millions() {
    // A multiplicative generator is enough to reach all bits; one limb in four is an end of its range.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut limb = || {
        state = state.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1);
        let mixed = state ^ state >> 29;
        if state >> 62 == 0 { ENDS[(mixed % 9) as usize] } else { mixed }
    };
    let mut element = || below_p(std::array::from_fn(|_| limb()));
    for _ in 0..200_000_000 {
        check(&element(), &element());
    }
}
