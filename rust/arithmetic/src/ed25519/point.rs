//! Points of −x² + y² = 1 + d·x²·y², and their sums.
//!
//! Hisil, Wong, Carter and Dawson, "Twisted Edwards Curves Revisited" (2008). Since −1 is a square and d is not, the
//! formulas are valid for every pair of points on the curve, including those of small order: there are no special cases.

use super::field::Element;

/// (X : Y : Z) with x = X/Z and y = Y/Z; all reduced.
#[derive(Debug, Clone, Copy)]
pub(super) struct Projective {
    pub(super) x: Element,
    pub(super) y: Element,
    pub(super) z: Element,
}

/// (X : Y : Z : T) with x = X/Z, y = Y/Z and T = X·Y/Z; all reduced.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extended {
    pub(super) x: Element,
    pub(super) y: Element,
    pub(super) z: Element,
    pub(super) t: Element,
}

/// A sum before its last products: x = X/Z and y = Y/T; all loose.
pub(super) struct Completed {
    x: Element,
    y: Element,
    z: Element,
    t: Element,
}

/// A point as the second summand: (Y + X, Y − X, 2Z, 2d·T).
#[derive(Debug, Clone, Copy)]
pub(super) struct Cached {
    y_plus_x: Element,
    y_minus_x: Element,
    twice_z: Element,
    twice_dt: Element,
}

/// Half of that with Z = 1: ((y − x) / 2, (y + x) / 2, d·x·y). The entries of a table.
///
/// Aligned so that none spans more than two cache lines.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
pub(super) struct Affine {
    difference: Element,
    sum: Element,
    dxy: Element,
}

impl Projective {
    #[inline(always)]
    pub(super) fn double(&self) -> Completed {
        let (xx, yy, zz) = (self.x.square(), self.y.square(), self.z.square());
        let z = yy.sub(&xx);
        Completed { x: self.x.add(&self.y).square().sub(&yy).sub(&xx), y: yy.add(&xx), t: zz.add(&zz).sub(&z), z }
    }
}

impl Extended {
    pub(super) const IDENTITY: Self = Self { x: Element::ZERO, y: Element::ONE, z: Element::ONE, t: Element::ZERO };

    pub(super) fn from_affine(x: Element, y: Element) -> Self {
        Self { x, y, z: Element::ONE, t: x.mul(&y) }
    }

    #[inline(always)]
    pub(super) fn projective(&self) -> Projective {
        Projective { x: self.x, y: self.y, z: self.z }
    }

    pub(super) fn cached(&self) -> Cached {
        Cached {
            y_plus_x: self.y.add(&self.x),
            y_minus_x: self.y.sub(&self.x),
            twice_z: self.z.add(&self.z),
            twice_dt: self.t.mul(&Element::TWICE_D),
        }
    }

    #[inline(always)]
    pub(super) fn add(&self, other: &Cached) -> Completed {
        let zz = self.z.mul(&other.twice_z);
        let tt = self.t.mul(&other.twice_dt);
        self.complete([&other.y_minus_x, &other.y_plus_x], &zz, &tt)
    }

    #[inline(always)]
    pub(super) fn add_affine(&self, other: &Affine) -> Completed {
        self.complete([&other.difference, &other.sum], &self.z, &self.t.mul(&other.dxy))
    }

    #[inline(always)]
    fn complete(&self, [difference, sum]: [&Element; 2], zz: &Element, tt: &Element) -> Completed {
        let a = self.y.sub(&self.x).mul(difference);
        let b = self.y.add(&self.x).mul(sum);
        Completed { x: b.sub(&a), y: b.add(&a), z: zz.add(tt), t: zz.sub(tt) }
    }
}

impl Completed {
    pub(super) const IDENTITY: Self = Self { x: Element::ZERO, y: Element::ONE, z: Element::ONE, t: Element::ONE };

    #[inline(always)]
    pub(super) fn projective(&self) -> Projective {
        Projective { x: self.x.mul(&self.t), y: self.y.mul(&self.z), z: self.z.mul(&self.t) }
    }

    #[inline(always)]
    pub(super) fn extended(&self) -> Extended {
        let Projective { x, y, z } = self.projective();
        Extended { x, y, z, t: self.x.mul(&self.y) }
    }
}

impl Cached {
    pub(super) fn negated(&self) -> Self {
        Self {
            y_plus_x: self.y_minus_x,
            y_minus_x: self.y_plus_x,
            twice_z: self.twice_z,
            twice_dt: self.twice_dt.neg(),
        }
    }
}

impl Affine {
    pub(super) const IDENTITY: Self = Self { difference: Element::HALF, sum: Element::HALF, dxy: Element::ZERO };

    /// The point (X : Y : Z), given one half divided by Z.
    pub(super) fn new(point: &Extended, half: &Element) -> Self {
        let (x, y) = (point.x.mul(half), point.y.mul(half));
        let twice_dx = x.mul(&Element::TWICE_D);
        Self { difference: y.sub(&x), sum: y.add(&x), dxy: twice_dx.mul(&y.add(&y)) }
    }

    /// The point or its negative, without a branch, because the sign of a digit is unpredictable.
    #[inline(always)]
    pub(super) fn negated_if(&self, negative: bool) -> Self {
        let (difference, sum) = Element::swapped_if(negative, &self.difference, &self.sum);
        Self { difference, sum, dxy: self.dxy.negated_if(negative) }
    }
}
