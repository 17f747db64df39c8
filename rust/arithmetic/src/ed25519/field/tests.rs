//! Comparison of the field with fiat-crypto's, which is generated from proofs.

use fiat_crypto::curve25519_64 as fiat;
use num_bigint::BigUint;
use proptest::prelude::*;

use super::*;

/// The largest numbers that the bounds of "reduced", of what may be subtracted, and of "loose" allow.
const REDUCED: [u64; 4] = [(1 << 11) - 1, 0, 0, 1 << 63];
const SUBTRAHEND: [u64; 4] = [u64::MAX - 37, u64::MAX, u64::MAX, u64::MAX];
const LOOSE: [u64; 4] = [u64::MAX; 4];

/// fiat's form of a loose element: five limbs of 51 bits, and bit 255 added at the bottom.
fn loose(Element([a, b, c, d]): &Element) -> fiat::fiat_25519_loose_field_element {
    let limbs = [*a, a >> 51 | b << 13, b >> 38 | c << 26, c >> 25 | d << 39, d >> 12];
    let low = fiat::fiat_25519_tight_field_element(limbs.map(|limb| limb & ((1 << 51) - 1)));
    let high = fiat::fiat_25519_tight_field_element([19 * (d >> 63), 0, 0, 0, 0]);
    let mut sum = fiat::fiat_25519_loose_field_element([0; 5]);
    fiat::fiat_25519_add(&mut sum, &low, &high);
    sum
}

fn tight(element: &Element) -> fiat::fiat_25519_tight_field_element {
    carried(&loose(element))
}

fn carried(loose: &fiat::fiat_25519_loose_field_element) -> fiat::fiat_25519_tight_field_element {
    let mut tight = fiat::fiat_25519_tight_field_element([0; 5]);
    fiat::fiat_25519_carry(&mut tight, loose);
    tight
}

/// The canonical number according to fiat.
fn number(element: &fiat::fiat_25519_tight_field_element) -> [u64; 4] {
    let mut bytes = [0; 32];
    fiat::fiat_25519_to_bytes(&mut bytes, element);
    crate::ed25519::limbs(&bytes)
}

/// The smaller of two numbers.
fn min(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    if a.iter().rev().lt(b.iter().rev()) { a } else { b }
}

/// Products, squares and canonical forms of loose elements.
fn check_products(a: &Element, b: &Element) {
    let mut expected = fiat::fiat_25519_tight_field_element([0; 5]);
    fiat::fiat_25519_carry_mul(&mut expected, &loose(a), &loose(b));
    let product = a.mul(b);
    assert!(product.is_reduced(), "{a:x?} · {b:x?} = {product:x?}");
    assert_eq!(product.canonical(), number(&expected), "{a:x?} · {b:x?}");
    fiat::fiat_25519_carry_square(&mut expected, &loose(a));
    let square = a.square();
    assert!(square.is_reduced(), "{a:x?} squared is {square:x?}");
    assert_eq!(square.canonical(), number(&expected), "{a:x?} squared");
    assert_eq!(a.canonical(), number(&tight(a)), "{a:x?}");
}

/// Sums of reduced elements.
fn check_sums(a: &Element, b: &Element) {
    let mut expected = fiat::fiat_25519_loose_field_element([0; 5]);
    fiat::fiat_25519_add(&mut expected, &tight(a), &tight(b));
    assert_eq!(a.add(b).canonical(), number(&carried(&expected)), "{a:x?} + {b:x?}");
}

/// Differences of loose elements and what may be subtracted from them.
fn check_differences(a: &Element, b: &Element) {
    let mut expected = fiat::fiat_25519_loose_field_element([0; 5]);
    fiat::fiat_25519_sub(&mut expected, &tight(a), &tight(b));
    let difference = a.sub(b);
    assert_eq!(difference.canonical(), number(&carried(&expected)), "{a:x?} − {b:x?}");
    fiat::fiat_25519_opp(&mut expected, &tight(b));
    assert_eq!(b.neg().canonical(), number(&carried(&expected)), "−{b:x?}");
    assert_eq!(b.negated_if(true).canonical(), b.neg().canonical(), "−{b:x?}");
    assert_eq!(b.negated_if(false).0, b.0);
    // What may be subtracted in turn.
    let difference = Element(min(a.0, REDUCED)).sub(&Element(min(b.0, REDUCED))).0;
    assert_eq!(min(difference, SUBTRAHEND), difference);
}

/// Every number with limbs of these values, within any bound.
fn edges() -> Vec<[u64; 4]> {
    const LIMBS: [u64; 10] = [0, 1, 18, 19, 37, 38, 1 << 63, u64::MAX >> 1, u64::MAX - 37, u64::MAX];
    let mut edges: Vec<_> =
        (0..LIMBS.len().pow(4)).map(|index| [1, 10, 100, 1000].map(|unit| LIMBS[index / unit % LIMBS.len()])).collect();
    edges.extend([P, REDUCED, SUBTRAHEND, LOOSE, [1, 0, 0, 1 << 63], [u64::MAX - 18, u64::MAX, u64::MAX, TOP]]);
    edges
}

#[test]
fn edge_limbs() {
    let edges = edges();
    let few = [[0; 4], [1, 0, 0, 0], P, REDUCED, SUBTRAHEND, LOOSE, [1 << 63; 4], [u64::MAX, 0, 0, TOP]];
    for (a, b) in edges.iter().flat_map(|a| few.iter().flat_map(move |b| [(a, b), (b, a), (a, a)])) {
        check_products(&Element(*a), &Element(*b));
        check_sums(&Element(min(*a, REDUCED)), &Element(min(*b, REDUCED)));
        check_differences(&Element(*a), &Element(min(*b, SUBTRAHEND)));
    }
}

#[test]
fn numbers_next_to_multiples_of_p() {
    let p = P.iter().rev().fold(BigUint::ZERO, |sum, limb| (sum << 64u32) + limb);
    let limit = BigUint::from(1u8) << 256u32;
    for center in [BigUint::ZERO, p.clone(), &p * 2u8] {
        for near in (0..60u8).map(|offset| &center + offset).chain((1..60u8).map(|offset| &center + &limit - offset)) {
            let near = &near % &limit;
            let limbs = |number: &BigUint| {
                let mut limbs = [0; 4];
                limbs.iter_mut().zip(number.iter_u64_digits()).for_each(|(limb, digit)| *limb = digit);
                limbs
            };
            assert_eq!(is_canonical(&limbs(&near)), near < p, "{near}");
            assert_eq!(Element(limbs(&near)).canonical(), limbs(&(&near % &p)), "{near}");
        }
    }
}

#[test]
fn zero_is_its_own_inverse() {
    assert!(Element::ZERO.inverse().is_zero());
    assert!(Element(P).inverse().is_zero());
}

#[test]
fn swapping() {
    let (a, b) = (Element([1, 2, 3, u64::MAX]), Element([5, 6, 7, 8]));
    let limbs = |(a, b): (Element, Element)| [a.0, b.0];
    assert_eq!(limbs(Element::swapped_if(false, &a, &b)), [a.0, b.0]);
    assert_eq!(limbs(Element::swapped_if(true, &a, &b)), [b.0, a.0]);
}

#[test]
fn constants() {
    let quotient = Element([121_666, 0, 0, 0]).inverse().mul(&Element([121_665, 0, 0, 0]));
    assert!(quotient.neg().is(&Element::D));
    assert!(Element::HALF.add(&Element::HALF).is(&Element::ONE));
    assert!(Element::D.add(&Element::D).is(&Element::TWICE_D));
    assert!(Element::ROOT_OF_MINUS_ONE.square().is(&Element::ONE.neg()));
}

fn any_element() -> impl Strategy<Value = Element> {
    let limb = prop_oneof![4 => any::<u64>(), 1 => prop::sample::select(vec![0, 1, 38, TOP, u64::MAX - 37, u64::MAX])];
    prop::array::uniform4(limb).prop_map(Element)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn equal_to_fiat(a in any_element(), b in any_element()) {
        check_products(&a, &b);
        check_sums(&Element(min(a.0, REDUCED)), &Element(min(b.0, REDUCED)));
        check_sums(&a.mul(&b), &b.square());
        check_differences(&a, &Element(min(b.0, SUBTRAHEND)));
    }
}

proptest! {
    #[test]
    fn quotients_and_roots(dividend in any_element(), elements in prop::collection::vec(any_element(), 0..20)) {
        let elements: Vec<_> = elements.into_iter().filter(|element| !element.is_zero()).collect();
        for (element, quotient) in elements.iter().zip(quotients(&dividend, elements.iter().copied())) {
            prop_assert!(element.mul(&quotient).is(&dividend));
            prop_assert!(element.inverse().mul(&dividend).is(&quotient));
            // x^(p − 5) is x^−4.
            let power = element.power_of_root().square_times(3);
            prop_assert!(power.mul(&element.square_times(2)).is(&Element::ONE));
        }
    }
}

/// The same comparison for 200 million pairs.
#[test]
#[ignore = "takes minutes: cargo test -p watchword-arithmetic --release -- --ignored hundreds_of_millions"]
fn hundreds_of_millions() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    // A linear congruential generator; some limbs are ends of their range.
    let mut limb = || {
        state = state.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1);
        match state >> 58 {
            0 | 1 => 0,
            2 | 3 => u64::MAX,
            4 => TOP,
            5 => u64::MAX - 37,
            _ => state.rotate_left(32),
        }
    };
    for _ in 0..200_000_000 {
        let [a, b] = [(); 2].map(|()| [(); 4].map(|()| limb()));
        check_products(&Element(a), &Element(b));
        check_sums(&Element(min(a, REDUCED)), &Element(min(b, REDUCED)));
        check_differences(&Element(a), &Element(min(b, SUBTRAHEND)));
    }
}
