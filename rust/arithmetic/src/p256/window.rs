//! A multiple of a point without a table, by doublings and a few odd multiples.

use super::point::{Affine, Jacobian};
use super::scalar::Scalar;

/// The width of the non-adjacent form: one digit in six is nonzero.
const WIDTH: u32 = 5;

/// The point, which must not be the one at infinity, times a scalar.
pub(super) fn multiple(point: &Affine, scalar: &Scalar) -> Jacobian {
    let odd_multiples = odd_multiples(point);
    let digits = scalar.non_adjacent_form(WIDTH).into_iter().rev().skip_while(|digit| *digit == 0);
    digits.fold(Jacobian::INFINITY, |sum, digit| {
        let sum = sum.double();
        if digit == 0 {
            return sum;
        }
        let multiple = odd_multiples[usize::from(digit.unsigned_abs() / 2)];
        sum.add_affine(&Affine { x: multiple.x, y: multiple.y.neg_if(digit < 0) })
    })
}

/// The point times 1, 3, 5, … 2^(WIDTH − 1) − 1.
fn odd_multiples(point: &Affine) -> Vec<Affine> {
    // With x · Z² and y · Z³ instead of x and y, for the Z of the doubled point, that point has the same Z as the others
    // and needs no inversion. These points are on another curve, y² = x³ − 3Z⁴x + Z⁶b, with the same formulas for sums,
    // and no sum of them is a doubling.
    let twice = point.jacobian().double();
    let zz = twice.z.square();
    let first = Affine { x: point.x.mul(&zz), y: point.y.mul(&zz.mul(&twice.z)) };
    let step = Affine { x: twice.x, y: twice.y };
    let mut multiple = first.jacobian();
    let multiples: [_; 1 << (WIDTH - 2)] = std::array::from_fn(|_| {
        let Jacobian { x, y, z } = multiple;
        multiple = multiple.add_affine(&step);
        Jacobian { x, y, z: z.mul(&twice.z) }
    });
    Jacobian::to_affine(&multiples)
}
