//! Verification of many signatures at once, by any mix of keys.
//!
//! Nothing is randomised or merged: the signatures share inversions only, and each gets the same verdict as alone.

use super::point::{Affine, Jacobian};
use super::scalar::Scalar;
use super::signature::Signature;
use super::sum::Sums;
use super::{SUMMANDS, Table};

/// How many signatures share inversions. More gain little, and their points do not fit a core's cache.
const TOGETHER: usize = 64;

/// A signature to verify, with its digest and the table of its key.
#[derive(Debug, Clone, Copy)]
pub struct PendingSignature<'a> {
    /// The key's table.
    pub table: &'a Table,
    /// The digest of what was signed.
    pub digest: [u8; 32],
    /// The signature.
    pub signature: Signature,
}

/// Writes to each verdict whether the signature at the same index is valid. If the slices differ in length, the rest of
/// the longer one is ignored.
pub fn verify_batch(pending: &[PendingSignature<'_>], verdicts: &mut [bool]) {
    let mut sums = Sums::default();
    let mut points = Vec::with_capacity(SUMMANDS * pending.len().min(TOGETHER));
    for (pending, verdicts) in pending.chunks(TOGETHER).zip(verdicts.chunks_mut(TOGETHER)) {
        points.clear();
        verify_together(pending, verdicts, &mut points, &mut sums);
    }
}

fn verify_together(pending: &[PendingSignature<'_>], verdicts: &mut [bool], points: &mut Vec<Affine>, sums: &mut Sums) {
    let mut ranges = Vec::with_capacity(pending.len());
    for (one, inverse) in pending.iter().zip(inverses_of_s(pending)) {
        let (u1, u2) = one.signature.multipliers(&one.digest, &inverse);
        let start = points.len();
        one.table.summands(&u1, &u2, points);
        ranges.push(start..points.len());
    }
    sums.add_up(points, &mut ranges);
    for ((one, verdict), range) in pending.iter().zip(verdicts).zip(ranges) {
        let rest = points[range].iter();
        *verdict = one.signature.is_x_of(&rest.fold(Jacobian::INFINITY, |sum, point| sum.add_affine(point)));
    }
}

/// 2^256 / s for each signature, with one inversion for all and three products for each.
fn inverses_of_s(pending: &[PendingSignature<'_>]) -> Vec<Scalar> {
    let numbers = pending.iter().map(|one| one.signature.s.to_montgomery());
    let mut product = Scalar::ONE.to_montgomery();
    let before = numbers.clone().map(|s| {
        let with = product.montgomery_product(&s);
        std::mem::replace(&mut product, with)
    });
    let mut inverses: Vec<_> = before.collect();
    let mut inverse = product.inverse().to_montgomery().to_montgomery();
    for (s, before) in numbers.rev().zip(inverses.iter_mut().rev()) {
        *before = inverse.montgomery_product(before);
        inverse = inverse.montgomery_product(&s);
    }
    inverses
}
