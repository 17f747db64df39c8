//! Sums of affine points, with the inversions of many shared.
//!
//! An affine sum takes an inversion, two products and a square; Montgomery's trick turns many inversions into one and
//! three products each. So it is cheaper than the Jacobian one as soon as there are a few dozen to share.

use std::ops::Range;

use super::field::Element;
use super::point::Affine;

/// One of many sums: the denominator of its slope, or what the sum is without one.
#[derive(Clone, Copy)]
enum Denominator {
    Slope(Element),
    Exception(Affine),
}

/// Sums of pairs, to which one inversion is enough.
#[derive(Default)]
pub(super) struct Sums {
    /// The product of all denominators before.
    products: Vec<Element>,
}

/// From how many pairs on an inversion is cheaper than Jacobian sums.
const WORTHWHILE: usize = 18;

impl Sums {
    /// Adds up the points of each range to few, as long as that is cheaper in affine sums, and narrows the range to those.
    pub(super) fn add_up(&mut self, points: &mut [Affine], ranges: &mut [Range<usize>]) {
        while ranges.iter().map(|range| range.len() / 2).sum::<usize>() >= WORTHWHILE {
            let pairs = |range: &Range<usize>| {
                let Range { start, end } = *range;
                (0..range.len() / 2).map(move |place| (start + place, end - 1 - place))
            };
            self.add(points, ranges.iter().flat_map(pairs));
            for range in &mut *ranges {
                range.end -= range.len() / 2;
            }
        }
    }

    /// Puts the sum of each pair of places in `points` into its first place. No first place is in another pair.
    pub(super) fn add(
        &mut self,
        points: &mut [Affine],
        pairs: impl DoubleEndedIterator<Item = (usize, usize)> + Clone,
    ) {
        self.products.clear();
        let mut product = Element::ONE;
        for (first, second) in pairs.clone() {
            self.products.push(product);
            if let Denominator::Slope(denominator) = denominator(&points[first], &points[second]) {
                product = product.mul(&denominator);
            }
        }
        let mut inverse = product.inverse();
        for ((first, second), product) in pairs.rev().zip(self.products.iter().rev()) {
            let (a, b) = (points[first], points[second]);
            points[first] = match denominator(&a, &b) {
                Denominator::Slope(denominator) => {
                    let slope = numerator(&a, &b).mul(&inverse.mul(product));
                    inverse = inverse.mul(&denominator);
                    let x = slope.square().sub(&a.x).sub(&b.x);
                    Affine { x, y: slope.mul(&a.x.sub(&x)).sub(&a.y) }
                }
                Denominator::Exception(sum) => sum,
            };
        }
    }
}

#[inline]
fn denominator(a: &Affine, b: &Affine) -> Denominator {
    let difference = b.x.sub(&a.x);
    if a.is_infinity() {
        Denominator::Exception(*b)
    } else if b.is_infinity() {
        Denominator::Exception(*a)
    } else if !difference.is_zero() {
        Denominator::Slope(difference)
    } else if a.y == b.y {
        Denominator::Slope(a.y.double())
    } else {
        Denominator::Exception(Affine::INFINITY)
    }
}

/// The numerator of the slope, through two points or, where they are one, along the curve: 3x² − 3.
#[inline]
fn numerator(a: &Affine, b: &Affine) -> Element {
    if a.x == b.x { a.x.square().sub(&Element::ONE).triple() } else { b.y.sub(&a.y) }
}
