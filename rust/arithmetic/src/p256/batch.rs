//! Many claims at once, for any mix of keys.
//!
//! Nothing is randomised and nothing is merged: the claims share inversions, and each gets the verdict that it would get
//! alone.

use super::point::{Affine, Jacobian};
use super::scalar::Scalar;
use super::signature::Signature;
use super::sum::Sums;
use super::{SUMMANDS, Table};

/// How many claims share inversions: more gain little, and their points no longer fit a core's cache.
const TOGETHER: usize = 64;

/// What there is to be decided: that a signature is the key's, for a digest.
#[derive(Debug, Clone, Copy)]
pub struct PendingSignature<'a> {
    /// The key's table.
    pub table: &'a Table,
    /// The digest of what was signed.
    pub digest: [u8; 32],
    /// The signature.
    pub signature: Signature,
}

/// Says of each claim whether it holds, in the verdict at the same place. Claims and verdicts have to be equally many;
/// what one has more is left alone.
pub fn verify_batch(claims: &[PendingSignature<'_>], verdicts: &mut [bool]) {
    let mut sums = Sums::default();
    let mut points = Vec::with_capacity(SUMMANDS * claims.len().min(TOGETHER));
    for (claims, verdicts) in claims.chunks(TOGETHER).zip(verdicts.chunks_mut(TOGETHER)) {
        points.clear();
        verify_together(claims, verdicts, &mut points, &mut sums);
    }
}

fn verify_together(claims: &[PendingSignature<'_>], verdicts: &mut [bool], points: &mut Vec<Affine>, sums: &mut Sums) {
    let mut ranges = Vec::with_capacity(claims.len());
    for (claim, inverse) in claims.iter().zip(inverses_of_s(claims)) {
        let (u1, u2) = claim.signature.multipliers(&claim.digest, &inverse);
        let start = points.len();
        claim.table.summands(&u1, &u2, points);
        ranges.push(start..points.len());
    }
    sums.add_up(points, &mut ranges);
    for ((claim, verdict), range) in claims.iter().zip(verdicts).zip(ranges) {
        let rest = points[range].iter();
        *verdict = claim.signature.is_x_of(&rest.fold(Jacobian::INFINITY, |sum, point| sum.add_affine(point)));
    }
}

/// 1/s for each claim, times 2^256, for the price of one inversion and three products each.
fn inverses_of_s(claims: &[PendingSignature<'_>]) -> Vec<Scalar> {
    let numbers = claims.iter().map(|claim| claim.signature.s.to_montgomery());
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
