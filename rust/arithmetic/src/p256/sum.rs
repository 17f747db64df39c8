//! Sums of affine points with shared inversions.
//!
//! An affine sum needs an inversion, two products and a square; Montgomery's trick replaces many inversions by one and
//! three products each. So affine sums are cheaper than Jacobian ones if a few dozen share an inversion.

use std::ops::Range;

use super::field::Element;
use super::point::Affine;

/// Sums of pairs, with one inversion for all.
#[derive(Default)]
pub(super) struct Sums {
    /// For each pair, the product of all denominators before it.
    products: Vec<Element>,
}

/// The number of pairs from which on affine sums are cheaper than Jacobian ones.
const WORTHWHILE: usize = 16;

impl Sums {
    /// Replaces the points of each range by fewer with the same sum, as long as affine sums are cheaper, and narrows the
    /// range to these.
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

    /// Writes the sum of each pair of indices of `points` to the first index, which must not be in another pair.
    pub(super) fn add(
        &mut self,
        points: &mut [Affine],
        pairs: impl DoubleEndedIterator<Item = (usize, usize)> + Clone,
    ) {
        let mut product = Element::ONE;
        pairs.clone().for_each(|(first, second)| {
            self.products.push(product);
            if let Some((_, denominator)) = slope(&points[first], &points[second]) {
                product = product.mul(&denominator);
            }
        });
        let mut inverse = product.inverse();
        pairs.rev().for_each(|(first, second)| {
            let Some(product) = self.products.pop() else { return };
            let (a, b) = (points[first], points[second]);
            points[first] = match slope(&a, &b) {
                Some((numerator, denominator)) => {
                    let slope = numerator.mul(&inverse.mul(&product));
                    inverse = inverse.mul(&denominator);
                    let x = slope.square().sub(&a.x).sub(&b.x);
                    Affine { x, y: slope.mul(&a.x.sub(&x)).sub(&a.y) }
                }
                None if a.is_infinity() => b,
                None if b.is_infinity() => a,
                None => Affine::INFINITY,
            };
        });
    }
}

/// The slope of the line through two points, or of the tangent if they are equal, as numerator and denominator. `None` if
/// one of them or their sum is the point at infinity.
#[inline(always)]
fn slope(a: &Affine, b: &Affine) -> Option<(Element, Element)> {
    let difference = b.x.sub(&a.x);
    if a.is_infinity() || b.is_infinity() {
        None
    } else if !difference.is_zero() {
        Some((b.y.sub(&a.y), difference))
    } else if a.y == b.y {
        Some((a.x.square().sub(&Element::ONE).triple(), a.y.double()))
    } else {
        None
    }
}
