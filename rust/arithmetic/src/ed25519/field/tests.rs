//! The field beside fiat-crypto's, which is generated from proofs.

use fiat_crypto::curve25519_64 as fiat;
use num_bigint::BigUint;
use proptest::prelude::*;

use super::*;

/// The largest limbs that the bounds of "reduced" and "loose" allow.
const REDUCED: u64 = (1 << 51) + (1 << 16) - 1;
const LOOSE: u64 = (1 << 54) - 1;

/// fiat's form of a loose element. Its own bounds are narrower, so what exceeds 51 bits is added a limb higher.
fn to_fiat(Element(limbs): &Element) -> fiat::fiat_25519_loose_field_element {
    let [a, b, c, d, e] = limbs.map(|limb| limb >> BITS);
    let low = fiat::fiat_25519_tight_field_element(limbs.map(|limb| limb & MASK));
    let high = fiat::fiat_25519_tight_field_element([19 * e, a, b, c, d]);
    let mut sum = fiat::fiat_25519_loose_field_element([0; 5]);
    fiat::fiat_25519_add(&mut sum, &low, &high);
    sum
}

fn tight(element: &Element) -> fiat::fiat_25519_tight_field_element {
    let mut tight = fiat::fiat_25519_tight_field_element([0; 5]);
    fiat::fiat_25519_carry(&mut tight, &to_fiat(element));
    tight
}

/// The canonical number, in fiat's opinion.
fn number(element: &fiat::fiat_25519_tight_field_element) -> Packed {
    let mut bytes = [0; 32];
    fiat::fiat_25519_to_bytes(&mut bytes, element);
    crate::ed25519::limbs(&bytes)
}

fn is_reduced(Element(limbs): &Element) -> bool {
    limbs.iter().all(|limb| *limb <= REDUCED)
}

/// Products, squares and canonical forms of loose elements.
fn check_products(a: &Element, b: &Element) {
    let mut expected = fiat::fiat_25519_tight_field_element([0; 5]);
    fiat::fiat_25519_carry_mul(&mut expected, &to_fiat(a), &to_fiat(b));
    let product = a.mul(b);
    assert!(is_reduced(&product), "{a:?} · {b:?} = {product:?}");
    assert_eq!(product.to_packed(), number(&expected), "{a:?} · {b:?}");
    fiat::fiat_25519_carry_square(&mut expected, &to_fiat(a));
    let square = a.square();
    assert!(is_reduced(&square), "{a:?} squared is {square:?}");
    assert_eq!(square.to_packed(), number(&expected), "{a:?} squared");
    assert_eq!(a.to_packed(), number(&tight(a)), "{a:?}");
}

/// Sums, differences and negatives of reduced elements.
fn check_sums(a: &Element, b: &Element) {
    let mut loose = fiat::fiat_25519_loose_field_element([0; 5]);
    let mut expected = fiat::fiat_25519_tight_field_element([0; 5]);
    fiat::fiat_25519_add(&mut loose, &tight(a), &tight(b));
    fiat::fiat_25519_carry(&mut expected, &loose);
    let sum = a.add(b);
    assert!(sum.is_loose());
    assert_eq!(sum.to_packed(), number(&expected), "{a:?} + {b:?}");
    fiat::fiat_25519_sub(&mut loose, &tight(a), &tight(b));
    fiat::fiat_25519_carry(&mut expected, &loose);
    let difference = a.sub(b);
    assert!(difference.is_loose());
    assert_eq!(difference.to_packed(), number(&expected), "{a:?} − {b:?}");
    fiat::fiat_25519_opp(&mut loose, &tight(a));
    fiat::fiat_25519_carry(&mut expected, &loose);
    let negative = a.neg();
    assert!(is_reduced(&negative), "−{a:?} = {negative:?}");
    assert_eq!(negative.to_packed(), number(&expected), "−{a:?}");
    // The widest that differences take: 2a − (a + b) + …, with both sides the sum of two.
    assert_eq!(a.add(a).sub(&a.add(b)).to_packed(), difference.to_packed(), "2 · {a:?} − ({a:?} + {b:?})");
}

/// Every element with limbs of the given values only.
fn combinations(values: &[u64]) -> impl Iterator<Item = Element> {
    (0..values.len().pow(5)).map(|mut index| {
        Element(std::array::from_fn(|_| {
            let value = values[index % values.len()];
            index /= values.len();
            value
        }))
    })
}

#[test]
fn edge_limbs() {
    let ends = [[0; 5], [1, 0, 0, 0, 0], [LOOSE; 5], [MASK; 5], [MASK - 18, MASK, MASK, MASK, MASK], FOUR_P];
    let ends = ends.map(|limbs| Element(limbs.map(|limb| limb.min(LOOSE))));
    for a in combinations(&[0, 1, MASK - 18, MASK, MASK + 1, LOOSE]) {
        for b in &ends {
            check_products(&a, b);
            check_products(b, &a);
        }
        check_products(&a, &a);
    }
    let ends = [[0; 5], [MASK; 5], [REDUCED; 5], [MASK - 18, MASK, MASK, MASK, MASK]].map(Element);
    for a in combinations(&[0, 1, MASK - 18, MASK, MASK + 1, REDUCED]) {
        for b in &ends {
            check_sums(&a, b);
            check_sums(b, &a);
        }
    }
}

#[test]
fn numbers_next_to_p_and_powers_of_two() {
    let p = P.iter().rev().fold(BigUint::ZERO, |sum, limb| (sum << 64u32) + limb);
    let powers = (0..256u32).map(|bit| BigUint::from(1u8) << bit);
    for center in powers.chain([p.clone(), &p + &p]) {
        for offset in 0..40u8 {
            let near = &center + offset;
            let Some(near) = (near >= BigUint::from(20u8)).then(|| near - 20u8) else { continue };
            let mut packed = [0; 4];
            packed.iter_mut().zip(near.iter_u64_digits()).for_each(|(limb, digit)| *limb = digit);
            if near >= BigUint::from(1u8) << 255u32 {
                continue;
            }
            assert_eq!(is_canonical(&packed), near < p);
            let canonical = Element::from_packed(&packed).to_packed();
            let expected: Vec<_> = (&near % &p).to_u64_digits();
            assert_eq!(canonical[..expected.len()], expected[..], "{near}");
            assert!(canonical[expected.len()..].iter().all(|limb| *limb == 0), "{near}");
        }
    }
}

#[test]
fn zero_is_its_own_inverse() {
    assert!(Element::ZERO.inverse().is_zero());
    assert!(Element(FOUR_P.map(|limb| limb.min(LOOSE))).is_zero());
}

#[test]
fn constants() {
    let quotient = Element::from_packed(&[121_666, 0, 0, 0]).inverse().mul(&Element::from_packed(&[121_665, 0, 0, 0]));
    assert!(quotient.neg().is(&Element::D));
    assert!(Element::D.add(&Element::D).is(&Element::TWICE_D));
    assert!(Element::ROOT_OF_MINUS_ONE.square().is(&Element::ONE.neg()));
}

fn limbs_up_to(most: u64) -> impl Strategy<Value = Element> {
    let limb = prop_oneof![4 => 0..=most, 1 => prop::sample::select(vec![0, 1, MASK - 18, MASK, MASK + 1, most])];
    prop::array::uniform5(limb).prop_map(Element)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn products(a in limbs_up_to(LOOSE), b in limbs_up_to(LOOSE)) {
        check_products(&a, &b);
    }

    #[test]
    fn sums(a in limbs_up_to(REDUCED), b in limbs_up_to(REDUCED)) {
        check_sums(&a, &b);
    }

    #[test]
    fn packing(limbs: [u64; 4]) {
        let [a, b, c, d] = limbs;
        let packed = [a, b, c, d >> 1];
        prop_assert_eq!(Element::from_packed(&packed).to_packed(), number(&tight(&Element::from_packed(&packed))));
        if is_canonical(&packed) {
            prop_assert_eq!(Element::from_packed(&packed).to_packed(), packed);
        }
    }
}

proptest! {
    #[test]
    fn inverses_and_roots(elements in prop::collection::vec(limbs_up_to(LOOSE), 0..20)) {
        let elements: Vec<_> = elements.into_iter().filter(|element| !element.is_zero()).collect();
        for (element, inverse) in elements.iter().zip(inverses(elements.iter().copied())) {
            prop_assert!(element.mul(&inverse).is(&Element::ONE));
            prop_assert!(element.inverse().is(&inverse));
            // x^(p − 5) is x^−4.
            let power = element.power_of_root().square_times(3);
            prop_assert!(power.mul(&element.square_times(2)).is(&Element::ONE));
        }
    }
}

/// The same comparison for 200 million pairs, each made of the results before it.
#[test]
#[ignore = "takes a minute: cargo test -p watchword-arithmetic --release -- --ignored hundreds_of_millions"]
fn hundreds_of_millions() {
    // A multiplicative generator is enough to reach all bits; every eighth limb is an end of its range.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut limb = |most: u64| {
        state = state.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1);
        match state >> 59 {
            0 => 0,
            1 => most,
            2 => MASK,
            3 => MASK + 1,
            _ => (state >> 8) % (most + 1),
        }
    };
    for _ in 0..200_000_000 {
        let mut element = |most| Element(std::array::from_fn(|_| limb(most)));
        let (a, b) = (element(LOOSE), element(LOOSE));
        check_products(&a, &b);
        let (a, b) = (element(REDUCED), element(REDUCED));
        check_sums(&a, &b);
    }
}
