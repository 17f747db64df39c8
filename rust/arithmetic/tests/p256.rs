//! Comparison with the `p256` crate: without a table, with tables of every width, and in batches.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_types, reason = "a test does not fork")]

use std::sync::LazyLock;

use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use p256::ecdsa::{SigningKey, VerifyingKey};
use p256::elliptic_curve::group::GroupEncoding;
use p256::elliptic_curve::ops::Reduce;
use p256::elliptic_curve::point::AffineCoordinates;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::elliptic_curve::{Field, PrimeField};
use p256::{AffinePoint, FieldBytes, ProjectivePoint, Scalar};
use proptest::prelude::*;
use watchword_arithmetic::Width;
use watchword_arithmetic::p256::{PendingSignature, PublicKey, Signature, Table, verify_batch};

/// n and p − n, and p.
const ORDER: [u8; 32] = *b"\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\
    \xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51";
const P_LESS_ORDER: u128 = 0x4319_0553_58e8_617b_0c46_353d_039c_daae;
const P: [u8; 32] =
    *b"\xff\xff\xff\xff\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff";

fn widths() -> impl Iterator<Item = Width> {
    (4..=8).map(|bits| Width::new(bits).unwrap())
}

fn bytes(scalar: &Scalar) -> [u8; 32] {
    scalar.to_bytes().into()
}

fn two_to(exponent: u64) -> Scalar {
    Field::pow_vartime(&Scalar::from(2u64), [exponent])
}

fn residue(bytes: &[u8; 32]) -> Scalar {
    Scalar::reduce(&FieldBytes::from(*bytes))
}

fn x(point: &ProjectivePoint) -> [u8; 32] {
    point.to_affine().x().into()
}

fn encoded(point: &AffinePoint) -> [u8; 65] {
    point.to_sec1_point(false).as_bytes().try_into().unwrap()
}

/// A key in both libraries, with tables of every width.
struct Key {
    theirs: VerifyingKey,
    ours: PublicKey,
    tables: Vec<Table>,
}

impl Key {
    fn new(point: &ProjectivePoint) -> Self {
        let point = point.to_affine();
        let ours = PublicKey::decode(&encoded(&point)).unwrap();
        let tables = widths().map(|width| Table::new(&ours, width)).collect();
        Self { theirs: VerifyingKey::from_affine(point).unwrap(), ours, tables }
    }
}

/// A digest and a signature.
#[derive(Debug, Clone)]
struct Case {
    digest: [u8; 32],
    signature: [u8; 64],
}

impl Case {
    fn new(digest: [u8; 32], r: &[u8; 32], s: &[u8; 32]) -> Self {
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(r);
        signature[32..].copy_from_slice(s);
        Self { digest, signature }
    }

    /// The case for which a verifier computes u1·G + u2·Q and compares its x with r.
    fn from_multipliers(u1: &Scalar, u2: &Scalar, r: &[u8; 32]) -> Option<Self> {
        let s = residue(r) * Option::<Scalar>::from(u2.invert())?;
        Some(Self::new(bytes(&(u1 * &s)), &bytes(&residue(r)), &bytes(&s)))
    }

    /// The verdict of the `p256` crate, after checking that every method gives the same.
    fn check(&self, key: &Key) -> bool {
        let theirs = p256::ecdsa::Signature::from_slice(&self.signature);
        let Some(ours) = Signature::decode(&self.signature) else {
            assert!(theirs.is_err(), "{self:x?}");
            return false;
        };
        let valid = key.theirs.verify_prehash(&self.digest, &theirs.unwrap()).is_ok();
        assert_eq!(key.ours.verify(&self.digest, &ours), valid, "without a table: {self:x?}");
        for (table, width) in key.tables.iter().zip(widths()) {
            assert_eq!(table.verify(&self.digest, &ours), valid, "{width:?}: {self:x?}");
        }
        valid
    }
}

/// Batches of all cases, each with its key, in several sizes; the tables are of alternating widths.
fn check_batches(keys: &[Key], cases: &[(usize, Case)]) {
    let (mut pending, mut alone) = (Vec::new(), Vec::new());
    for (index, (key, case)) in cases.iter().enumerate() {
        let Some(signature) = Signature::decode(&case.signature) else { continue };
        let tables = &keys[*key].tables;
        pending.push(PendingSignature { table: &tables[index % tables.len()], digest: case.digest, signature });
        alone.push(keys[*key].ours.verify(&case.digest, &signature));
    }
    for size in [1, 2, 3, 5, 17, 64, 65, pending.len().max(1)] {
        for (pending, alone) in pending.chunks(size).zip(alone.chunks(size)) {
            let mut verdicts = vec![false; pending.len()];
            verify_batch(pending, &mut verdicts);
            assert_eq!(verdicts, alone, "batches of {size}");
            // The previous contents of the verdicts do not matter.
            verdicts.fill(true);
            verify_batch(pending, &mut verdicts);
            assert_eq!(verdicts, alone, "batches of {size}");
        }
    }
}

/// Keys that share multiples with the base point, whose tables contain the same points.
static RELATED: LazyLock<Vec<(Scalar, Key)>> = LazyLock::new(|| {
    let positive = [1u64, 2, 3, 5, 7, 16, 128].map(Scalar::from);
    let positive = positive.into_iter().chain([4, 5, 8, 63, 64, 128, 250, 255].map(two_to));
    let all = positive.flat_map(|scalar| [scalar, -scalar]).chain([residue(&[0x5a; 32])]);
    all.map(|scalar| (scalar, Key::new(&(ProjectivePoint::GENERATOR * scalar)))).collect()
});

fn scalar() -> impl Strategy<Value = Scalar> {
    let small = (1u64..300).prop_map(Scalar::from);
    let power = (0u64..256).prop_map(two_to);
    let sparse = prop::collection::vec((0u64..256, 1u64..16), 1..4)
        .prop_map(|terms| terms.iter().map(|(exponent, digit)| two_to(*exponent) * Scalar::from(*digit)).sum());
    let random = any::<[u8; 32]>().prop_map(|bytes| residue(&bytes));
    (prop_oneof![small, power, sparse, random], any::<bool>())
        .prop_map(|(scalar, negate)| if negate { -scalar } else { scalar })
}

/// A related key, and a case that computes u1·G + u2·Q with it.
fn related() -> impl Strategy<Value = (usize, Case)> {
    // Sometimes the two multiples are equal or opposite, so that the last sum is a doubling or the point at infinity.
    let relation = prop_oneof![2 => Just(None), 1 => Just(Some(true)), 1 => Just(Some(false))];
    (0..RELATED.len(), scalar(), scalar(), relation, any::<[u8; 32]>()).prop_filter_map(
        "u2 or r is zero",
        |(index, u1, u2, relation, other)| {
            let secret = RELATED[index].0;
            let u1 = match relation {
                None => u1,
                Some(true) => secret * u2,
                Some(false) => -secret * u2,
            };
            let sum = ProjectivePoint::GENERATOR * (u1 + secret * u2);
            let r = if bool::from(Field::is_zero(&(u1 + secret * u2))) { other } else { x(&sum) };
            Some((index, Case::from_multipliers(&u1, &u2, &r)?))
        },
    )
}

fn related_keys() -> Vec<Key> {
    RELATED.iter().map(|(scalar, _)| Key::new(&(ProjectivePoint::GENERATOR * scalar))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn random_and_mutated(
        secret in any::<[u8; 32]>(), other in any::<[u8; 32]>(), digest: [u8; 32], bit in 0usize..256, by in scalar(),
    ) {
        let (secret, other) = (residue(&secret), residue(&other));
        prop_assume!(bytes(&secret) != [0; 32] && bytes(&other) != [0; 32]);
        let key = Key::new(&(ProjectivePoint::GENERATOR * secret));
        let other = Key::new(&(ProjectivePoint::GENERATOR * other));
        let signer = SigningKey::from_slice(&bytes(&secret)).unwrap();
        let signature: p256::ecdsa::Signature = signer.sign_prehash(&digest).unwrap();
        let (r, s): ([u8; 32], [u8; 32]) = (signature.r().to_bytes().into(), signature.s().to_bytes().into());
        let good = Case::new(digest, &r, &s);
        let twin = Case::new(digest, &r, &bytes(&-residue(&s)));
        prop_assert!(good.check(&key) && twin.check(&key));
        prop_assert!(!good.check(&other) && !twin.check(&other));
        let flip = |bytes: &[u8; 32]| {
            let mut bytes = *bytes;
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        };
        let bad = [
            Case::new(flip(&digest), &r, &s),
            Case::new(digest, &flip(&r), &s),
            Case::new(digest, &r, &flip(&s)),
            Case::new(digest, &s, &r),
            Case::new(digest, &bytes(&(residue(&r) + by)), &s),
            Case::new(digest, &r, &bytes(&(residue(&s) + by))),
        ];
        for case in &bad {
            prop_assert!(!case.check(&key));
        }
        let keys = [key, other];
        let cases = bad.into_iter().chain([good, twin]).flat_map(|case| [(0, case.clone()), (1, case)]);
        check_batches(&keys, &cases.collect::<Vec<_>>());
    }

    #[test]
    fn batches_of_all_kinds(cases in prop::collection::vec(related(), 1..130), spoil in any::<u64>()) {
        let cases = cases.into_iter().enumerate().map(|(index, (key, mut case))| {
            if index % 3 == 0 {
                case.digest[(spoil >> (index % 32) & 31) as usize] ^= 1;
            }
            (key, case)
        });
        let cases: Vec<_> = cases.collect();
        check_batches(&related_keys(), &cases);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn exceptional_sums((index, case) in related()) {
        case.check(&RELATED[index].1);
    }
}

/// u1·G + u2·Q is the point at infinity: no r is valid.
#[test]
fn infinity_has_no_x() {
    for (secret, key) in RELATED.iter() {
        for u2 in [1u64, 2, 3, 77].map(Scalar::from).into_iter().chain([-Scalar::ONE, residue(&[9; 32])]) {
            for r in [[0; 32], bytes(&Scalar::ONE), x(&ProjectivePoint::GENERATOR), [0x77; 32], [0xff; 32]] {
                let case = Case::from_multipliers(&(-u2 * secret), &u2, &r);
                assert!(!case.is_some_and(|case| case.check(key)));
            }
            // Twice one multiple: a doubling, which is valid.
            let sum = ProjectivePoint::GENERATOR * (u2 * secret).double();
            assert!(Case::from_multipliers(&(u2 * secret), &u2, &x(&sum)).unwrap().check(key));
            // The key's multiple alone.
            let sum = ProjectivePoint::GENERATOR * (u2 * secret);
            assert!(Case::from_multipliers(&Scalar::ZERO, &u2, &x(&sum)).unwrap().check(key));
        }
    }
}

/// The points with an x in a range of 128-bit numbers above `base`.
fn points_above(base: &[u8; 32], offsets: impl Iterator<Item = u128>) -> impl Iterator<Item = (u128, ProjectivePoint)> {
    offsets.filter_map(move |offset| {
        let (low, high) = base.split_at(16);
        let (sum, over) = u128::from_be_bytes(high.try_into().unwrap()).overflowing_add(offset);
        let low = u128::from_be_bytes(low.try_into().unwrap()) + u128::from(over);
        let compressed: Vec<u8> = [2].into_iter().chain(low.to_be_bytes()).chain(sum.to_be_bytes()).collect();
        let point = ProjectivePoint::from_bytes(compressed.as_slice().try_into().unwrap());
        Some((offset, Option::from(point)?))
    })
}

/// x may be n or more: then r is x − n, and r + n must be compared as well, but only if it is below p.
#[test]
fn x_above_the_order() {
    let (u1, u2) = (residue(&[3; 32]), residue(&[5; 32]));
    let key_for = |sum: &ProjectivePoint| {
        Key::new(&((*sum - ProjectivePoint::GENERATOR * u1) * Option::<Scalar>::from(u2.invert()).unwrap()))
    };
    let offsets = (1..12).chain(P_LESS_ORDER - 12..P_LESS_ORDER).chain([1 << 64, 1 << 127]);
    let mut found = 0;
    for (offset, sum) in points_above(&ORDER, offsets) {
        let r = Scalar::from_u128(offset);
        assert!(Case::from_multipliers(&u1, &u2, &bytes(&r)).unwrap().check(&key_for(&sum)), "n + {offset}");
        found += 1;
    }
    assert!(found > 5, "{found} points");
    // If r + n is p or more, it is no x, although it is one modulo p.
    for (offset, sum) in points_above(&[0; 32], 1..30) {
        let r = Scalar::from_u128(offset + P_LESS_ORDER);
        let case = Case::from_multipliers(&u1, &u2, &bytes(&r)).unwrap();
        assert!(!case.check(&key_for(&sum)), "p − n + {offset}");
        assert!(Case::from_multipliers(&u1, &u2, &bytes(&Scalar::from_u128(offset))).unwrap().check(&key_for(&sum)));
    }
}

#[test]
fn edge_digests() {
    let mut above = ORDER;
    above[31] += 1;
    let signer = SigningKey::from_slice(&[0x42; 32]).unwrap();
    let key = Key::new(&ProjectivePoint::from(*signer.verifying_key().as_affine()));
    let mut one = [0; 32];
    one[31] = 1;
    for digest in [[0; 32], one, ORDER, above, P, [0xff; 32], [0x80; 32]] {
        let signature: p256::ecdsa::Signature = signer.sign_prehash(&digest).unwrap();
        let case = Case { digest, signature: signature.to_bytes().into() };
        assert!(case.check(&key));
        // A digest is reduced modulo n: n is 0, and n + 1 is 1.
        let same = if digest == ORDER { [0; 32] } else { one };
        assert_eq!(Case { digest: same, ..case }.check(&key), digest == ORDER || digest == above || digest == one);
    }
}

#[test]
fn numbers_of_a_signature_are_from_one_to_below_the_order() {
    let mut last = ORDER;
    last[31] -= 1;
    let mut one = [0; 32];
    one[31] = 1;
    let good = [one, last, [0x11; 32]];
    let bad = [[0; 32], ORDER, P, [0xff; 32]];
    let decoded = |r, s| Signature::decode(&Case::new([0; 32], r, s).signature);
    for a in &good {
        assert!(good.iter().all(|b| decoded(a, b).is_some()));
        assert!(bad.iter().all(|b| decoded(a, b).is_none() && decoded(b, a).is_none()));
    }
    // In range: valid or invalid as in the other library.
    for (r, s) in good.iter().flat_map(|r| good.iter().map(move |s| (r, s))) {
        for digest in [[0; 32], one, [0xff; 32]] {
            RELATED.iter().for_each(|(_, key)| assert!(!Case::new(digest, r, s).check(key)));
        }
    }
}

#[test]
fn invalid_points_are_not_keys() {
    let good = encoded(&AffinePoint::GENERATOR);
    assert!(PublicKey::decode(&good).is_some());
    for tag in (0..=255).filter(|tag| *tag != 4) {
        let mut bad = good;
        bad[0] = tag;
        assert!(PublicKey::decode(&bad).is_none(), "tag {tag}");
    }
    for bit in 8..520 {
        let mut bad = good;
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(PublicKey::decode(&bad).is_none(), "bit {bit}");
    }
    let join = |x: &[u8], y: &[u8]| <[u8; 65]>::try_from([&[4], x, y].concat()).unwrap();
    for (x, y) in [([0; 32], [0; 32]), (P, P), ([0xff; 32], [0xff; 32]), ([0; 32], P)] {
        assert!(PublicKey::decode(&join(&x, &y)).is_none());
    }
    // The same point with coordinates that are not reduced: x of five still fits when p is added.
    let (offset, point) = points_above(&[0; 32], 0..9).last().unwrap();
    let point = encoded(&point.to_affine());
    assert!(PublicKey::decode(&point).is_some());
    let mut above = P;
    let sum = u128::from_be_bytes(P[16..].try_into().unwrap()) + offset;
    above[16..].copy_from_slice(&sum.to_be_bytes());
    assert!(PublicKey::decode(&join(&above, &point[33..])).is_none());
}

/// Keys with a small x, an x next to p, and x = 0.
#[test]
fn keys_with_special_coordinates() {
    let small = points_above(&[0; 32], 0..6).map(|(_, point)| point);
    let mut near = P;
    near[31] -= 12;
    let points: Vec<_> = small.chain(points_above(&near, 0..12).map(|(_, point)| point)).collect();
    assert!(points.len() > 4 && x(&points[0]) == [0; 32]);
    for point in points.iter().flat_map(|point| [*point, -point]) {
        let key = Key::new(&point);
        for (u1, u2) in [(0u64, 1u64), (1, 1), (1, 2), (2, 3)].map(|(u1, u2)| (Scalar::from(u1), Scalar::from(u2))) {
            let sum = ProjectivePoint::GENERATOR * u1 + point * u2;
            if let Some(case) = Case::from_multipliers(&u1, &u2, &x(&sum)) {
                case.check(&key);
            }
            let r = [0x31; 32];
            assert!(!Case::from_multipliers(&u1, &u2, &r).unwrap().check(&key));
        }
    }
}

#[test]
fn size_is_known_before_building() {
    let key = PublicKey::decode(&encoded(&AffinePoint::GENERATOR)).unwrap();
    for width in widths() {
        assert_eq!(Table::new(&key, width).size(), Table::size_for(width));
    }
}
