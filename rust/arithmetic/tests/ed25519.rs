//! Comparison with ed25519-dalek's `verify_strict` and curve25519-dalek's group: every method gives the same verdicts.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::{EdwardsPoint, Scalar as DalekScalar};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use proptest::prelude::*;
use sha2::{Digest, Sha512};
use watchword_arithmetic::Width;
use watchword_arithmetic::ed25519::{PublicKey, Scalar, Sum, Table, are_encoded_as, has_small_order, prepare};

/// L in little-endian bytes.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn widths() -> impl Iterator<Item = Width> {
    (4..=8).map(|bits| Width::new(bits).unwrap())
}

/// s·B − k·A by every method.
fn sums(key: &PublicKey, s: &Scalar, k: &Scalar) -> Vec<Sum> {
    let mut sums = vec![key.sum(s, k)];
    sums.extend(widths().map(|width| Table::new(key, width).sum(s, k)));
    sums
}

/// Whether the sums have this encoding; all must agree, one by one and together.
fn are_all(sums: &[Sum], encoding: &[u8; 32]) -> bool {
    let singly: Vec<_> = sums.iter().map(|sum| sum.is_encoded_as(encoding)).collect();
    let mut together = vec![!singly[0]; sums.len()];
    are_encoded_as(sums, &vec![*encoding; sums.len()], &mut together);
    assert_eq!(singly, together);
    assert!(singly.iter().all(|verdict| *verdict == singly[0]), "{singly:?}");
    singly[0]
}

fn challenge(r: &[u8; 32], key: &[u8; 32], message: &[u8]) -> [u8; 64] {
    Sha512::new().chain_update(r).chain_update(key).chain_update(message).finalize().into()
}

/// The predicate that a verifier builds from this module's parts.
fn accepts(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let (r, s): ([u8; 32], [u8; 32]) = (signature[..32].try_into().unwrap(), signature[32..].try_into().unwrap());
    let (Some(point), Some(s)) = (PublicKey::decode(key), Scalar::from_canonical(&s)) else { return false };
    let k = Scalar::reduce(&challenge(&r, key, message));
    !has_small_order(key) && !has_small_order(&r) && are_all(&sums(&point, &s, &k), &r)
}

fn dalek_accepts(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(key).is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
}

fn scalar(scalar: &DalekScalar) -> Scalar {
    Scalar::from_canonical(scalar.as_bytes()).unwrap()
}

/// Scalars whose digits are all equal, or carry from one end to the other, and those next to the ends of the range.
fn edge_scalars() -> Vec<DalekScalar> {
    let mut scalars: Vec<_> = (0u64..5).map(DalekScalar::from).collect();
    for bit in (0..253).chain([251, 252]) {
        let power = (0..bit).fold(DalekScalar::ONE, |power, _| power + power);
        scalars.extend([power, power - DalekScalar::ONE, -power]);
    }
    for byte in [0x11, 0x55, 0x77, 0x7f, 0x80, 0x81, 0x88, 0x99, 0xaa, 0xef, 0xff] {
        let mut bytes = [byte; 32];
        bytes[31] &= 0x0f;
        scalars.push(DalekScalar::from_canonical_bytes(bytes).unwrap());
    }
    scalars
}

fn edge_or_any_scalar() -> impl Strategy<Value = DalekScalar> {
    prop_oneof![prop::sample::select(edge_scalars()), any::<[u8; 32]>().prop_map(DalekScalar::from_bytes_mod_order),]
}

#[test]
fn the_group_is_that_of_curve25519_dalek_on_edge_scalars() {
    let edges = edge_scalars();
    let point = ED25519_BASEPOINT_POINT * DalekScalar::from(0x1234_5678_9abc_def0_u64) + EIGHT_TORSION[3];
    let key = PublicKey::decode(point.compress().as_bytes()).unwrap();
    let tables: Vec<_> = widths().map(|width| Table::new(&key, width)).collect();
    let ones = [edges[0], edges[1], edges[edges.len() - 1], -DalekScalar::ONE];
    for (s, k) in edges.iter().flat_map(|edge| ones.iter().flat_map(move |one| [(edge, one), (one, edge)])) {
        let expected = EdwardsPoint::vartime_double_scalar_mul_basepoint(&-k, &point, s);
        // −k is L − k, which does not negate a point with a component of small order.
        let expected = expected - EIGHT_TORSION[3] * (-k) - EIGHT_TORSION[3] * k;
        let (s, k) = (scalar(s), scalar(k));
        let mut sums = vec![key.sum(&s, &k)];
        sums.extend(tables.iter().map(|table| table.sum(&s, &k)));
        assert!(are_all(&sums, expected.compress().as_bytes()), "{s:?} {k:?}");
    }
}

#[test]
fn the_sum_may_be_the_identity() {
    let identity = EIGHT_TORSION[0].compress();
    for a in edge_scalars().iter().filter(|a| **a != DalekScalar::ZERO) {
        let key = PublicKey::decode(EdwardsPoint::mul_base(a).compress().as_bytes()).unwrap();
        let k = DalekScalar::from(0xfeed_beef_u64).invert();
        assert!(key.sum(&scalar(&(k * a)), &scalar(&k)).is_encoded_as(identity.as_bytes()));
        let table = Table::new(&key, Width::WIDEST);
        assert!(table.sum(&scalar(&(k * a)), &scalar(&k)).is_encoded_as(identity.as_bytes()));
        assert!(table.sum(&scalar(&DalekScalar::ZERO), &scalar(&DalekScalar::ZERO)).is_encoded_as(identity.as_bytes()));
    }
}

/// With components of small order in the key and in R, the equation without the cofactor is true for one R in eight, and
/// the verdict is exact for each of them.
#[test]
fn components_of_small_order() {
    let (mut mixed, mut rejected) = (0, 0);
    for seed in 0..8u64 {
        let (a, nonce) = (DalekScalar::from(seed * seed + 77), DalekScalar::from(seed + 12345).invert());
        for key_component in EIGHT_TORSION {
            let key = (EdwardsPoint::mul_base(&a) + key_component).compress();
            for r_component in EIGHT_TORSION {
                let r = (EdwardsPoint::mul_base(&nonce) + r_component).compress();
                let digest = challenge(r.as_bytes(), key.as_bytes(), b"components of small order");
                let s = nonce + DalekScalar::from_bytes_mod_order_wide(&digest) * a;
                let mut signature = [0; 64];
                signature[..32].copy_from_slice(r.as_bytes());
                signature[32..].copy_from_slice(s.as_bytes());
                let verdict = accepts(key.as_bytes(), b"components of small order", &signature);
                assert_eq!(verdict, dalek_accepts(key.as_bytes(), b"components of small order", &signature));
                mixed += usize::from(verdict && key_component != EIGHT_TORSION[0]);
                rejected += usize::from(!verdict);
            }
        }
    }
    assert!(mixed > 0 && rejected > 0, "{mixed} {rejected}");
}

#[test]
fn points_of_small_order() {
    for point in EIGHT_TORSION {
        assert!(has_small_order(point.compress().as_bytes()));
        assert!(!has_small_order((point + ED25519_BASEPOINT_POINT).compress().as_bytes()));
    }
    // y = 1 with the sign of x set, although x is 0; and y = p + 1.
    let mut bytes = [0; 32];
    (bytes[0], bytes[31]) = (1, 0x80);
    assert!(!has_small_order(&bytes) && PublicKey::decode(&bytes).is_none());
    bytes = [0xff; 32];
    (bytes[0], bytes[31]) = (0xee, 0x7f);
    assert!(!has_small_order(&bytes) && PublicKey::decode(&bytes).is_none());
}

#[test]
fn only_canonical_encodings_are_decoded() {
    let mut decoded = 0;
    for low in 0..=255 {
        for (middle, high) in [(0, 0), (0, 0x80), (0xff, 0x7f), (0xff, 0xff)] {
            let mut bytes = [middle; 32];
            (bytes[0], bytes[31]) = (low, high);
            let expected = CompressedEdwardsY(bytes).decompress().is_some_and(|point| point.compress().0 == bytes);
            assert_eq!(PublicKey::decode(&bytes).is_some(), expected, "{bytes:x?}");
            decoded += usize::from(expected);
        }
    }
    assert!(decoded > 400, "{decoded}");
}

#[test]
fn scalars_end_below_the_order() {
    let mut below = ORDER;
    below[0] -= 1;
    assert!(Scalar::from_canonical(&below).is_some());
    assert!(Scalar::from_canonical(&ORDER).is_none());
    assert!(Scalar::from_canonical(&[0xff; 32]).is_none());
    // Multiples of L and their neighbours, up to the largest of 64 bytes.
    let mut wide = [0xff; 64];
    assert_eq!(Scalar::reduce(&wide), scalar(&DalekScalar::from_bytes_mod_order_wide(&wide)));
    for shift in 0..=32 {
        wide = [0; 64];
        wide[shift..shift + 32].copy_from_slice(&ORDER);
        assert_eq!(Scalar::reduce(&wide), scalar(&DalekScalar::ZERO));
        wide[shift] -= 1;
        assert_eq!(Scalar::reduce(&wide), scalar(&DalekScalar::from_bytes_mod_order_wide(&wide)));
    }
}

#[test]
fn a_table_has_the_announced_size() {
    let key = PublicKey::decode(ED25519_BASEPOINT_POINT.compress().as_bytes()).unwrap();
    for (width, kibibytes) in widths().zip([48, 76, 129, 222, 374]) {
        let size = Table::new(&key, width).size();
        assert_eq!(size, Table::size_for(width));
        assert_eq!(size.div_ceil(1024), kibibytes);
    }
}

#[test]
fn verdicts_without_a_counterpart_are_false() {
    prepare();
    let key = PublicKey::decode(ED25519_BASEPOINT_POINT.compress().as_bytes()).unwrap();
    let one = scalar(&DalekScalar::ONE);
    let (sum, identity) = (key.sum(&one, &one), EIGHT_TORSION[0].compress().0);
    let mut verdicts = [true; 3];
    are_encoded_as(&[sum.clone(), sum.clone()], &[identity], &mut verdicts);
    assert_eq!(verdicts, [true, false, false]);
    are_encoded_as(&[], &[identity], &mut verdicts);
    assert_eq!(verdicts, [false; 3]);
    are_encoded_as(&[sum], &[identity], &mut []);
}

/// A change of a signed message.
#[derive(Debug, Clone)]
enum Change {
    Nothing,
    KeyBit(usize),
    MessageBit(usize),
    SignatureBit(usize),
    /// S + L, which has the same residue.
    SPlusOrder,
    R([u8; 32]),
    S([u8; 32]),
    Key([u8; 32]),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => Just(Change::Nothing),
        1 => (0usize..256).prop_map(Change::KeyBit),
        1 => (0usize..4096).prop_map(Change::MessageBit),
        2 => (0usize..512).prop_map(Change::SignatureBit),
        1 => Just(Change::SPlusOrder),
        1 => any::<[u8; 32]>().prop_map(Change::R),
        1 => any::<[u8; 32]>().prop_map(Change::S),
        1 => any::<[u8; 32]>().prop_map(Change::Key),
    ]
}

fn flip(bytes: &mut [u8], bit: usize) {
    if !bytes.is_empty() {
        let bit = bit % (8 * bytes.len());
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn verdicts_are_those_of_verify_strict(seed: [u8; 32], mut message: Vec<u8>, change in change()) {
        let signer = SigningKey::from_bytes(&seed);
        let mut key = signer.verifying_key().to_bytes();
        let mut signature = signer.sign(&message).to_bytes();
        match change {
            Change::Nothing => {}
            Change::KeyBit(bit) => flip(&mut key, bit),
            Change::MessageBit(bit) => flip(&mut message, bit),
            Change::SignatureBit(bit) => flip(&mut signature, bit),
            Change::SPlusOrder => {
                let mut carry = 0;
                for (byte, order) in signature[32..].iter_mut().zip(ORDER) {
                    let sum = u16::from(*byte) + u16::from(order) + carry;
                    (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
                }
            }
            Change::R(r) => signature[..32].copy_from_slice(&r),
            Change::S(s) => signature[32..].copy_from_slice(&s),
            Change::Key(other) => key = other,
        }
        let verdict = accepts(&key, &message, &signature);
        prop_assert_eq!(verdict, dalek_accepts(&key, &message, &signature));
        if matches!(change, Change::Nothing) {
            prop_assert!(verdict);
        }
    }

    #[test]
    fn the_group_is_that_of_curve25519_dalek(
        a in edge_or_any_scalar(), component in 0usize..8, s in edge_or_any_scalar(), k in edge_or_any_scalar(),
    ) {
        let point = EdwardsPoint::mul_base(&a) + EIGHT_TORSION[component];
        let expected = EdwardsPoint::mul_base(&(s - k * a)) - EIGHT_TORSION[component] * k;
        let key = PublicKey::decode(point.compress().as_bytes()).unwrap();
        let sums = sums(&key, &scalar(&s), &scalar(&k));
        prop_assert!(are_all(&sums, expected.compress().as_bytes()));
        prop_assert!(!are_all(&sums, (-expected).compress().as_bytes()) || expected == -expected);
    }

    #[test]
    fn scalars_are_reduced_like_those_of_curve25519_dalek(wide: [[u8; 32]; 2]) {
        let wide: [u8; 64] = wide.concat().try_into().unwrap();
        prop_assert_eq!(Scalar::reduce(&wide), scalar(&DalekScalar::from_bytes_mod_order_wide(&wide)));
        let low: [u8; 32] = wide[..32].try_into().unwrap();
        let canonical = Option::<DalekScalar>::from(DalekScalar::from_canonical_bytes(low));
        prop_assert_eq!(Scalar::from_canonical(&low), canonical.as_ref().map(scalar));
    }

    #[test]
    fn verdicts_of_a_batch_are_those_of_single_sums(
        cases in prop::collection::vec((any::<[u8; 32]>(), any::<[u8; 32]>(), any::<bool>()), 0..70),
    ) {
        let mut sums = Vec::new();
        let mut encodings = Vec::new();
        for (a, s, truthful) in &cases {
            let [a, s] = [a, s].map(|bytes| DalekScalar::from_bytes_mod_order(*bytes));
            let point = EdwardsPoint::mul_base(&a);
            let key = PublicKey::decode(point.compress().as_bytes()).unwrap();
            sums.push(key.sum(&scalar(&s), &scalar(&DalekScalar::ONE)));
            let sum = EdwardsPoint::mul_base(&s) - point;
            encodings.push(if *truthful { sum } else { sum + EIGHT_TORSION[4] }.compress().0);
        }
        let mut verdicts = vec![false; sums.len()];
        are_encoded_as(&sums, &encodings, &mut verdicts);
        let expected: Vec<_> = cases.iter().map(|(_, _, truthful)| *truthful).collect();
        prop_assert_eq!(verdicts, expected);
    }

    #[test]
    fn random_bytes_are_decoded_as_by_curve25519_dalek(bytes: [u8; 32]) {
        let expected = CompressedEdwardsY(bytes).decompress().is_some_and(|point| point.compress().0 == bytes);
        prop_assert_eq!(PublicKey::decode(&bytes).is_some(), expected);
    }
}
