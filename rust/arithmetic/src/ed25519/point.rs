//! Points of −x² + y² = 1 + d·x²·y², and their sums.
//!
//! Hisil, Wong, Carter and Dawson, "Twisted Edwards Curves Revisited" (2008). Since −1 is a square and d is not, the
//! formulas hold for every pair of points on the curve, those of small order included: there are no exceptions to handle.

use super::field::Element;

/// (X : Y : Z) with x = X/Z and y = Y/Z; all reduced.
#[derive(Debug, Clone, Copy)]
pub(super) struct Projective {
    pub(super) x: Element,
    pub(super) y: Element,
    pub(super) z: Element,
}

/// (X : Y : Z : T) with T = X·Y/Z besides; all reduced.
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

/// A point as second summand: (Y + X, Y − X, 2Z, 2d·T).
#[derive(Debug, Clone, Copy)]
pub(super) struct Cached {
    y_plus_x: Element,
    y_minus_x: Element,
    twice_z: Element,
    twice_dt: Element,
}

/// The half of that with Z = 1: ((y + x) / 2, (y − x) / 2, 1, d·x·y). A table is made of these.
#[derive(Debug, Clone, Copy)]
pub(super) struct Affine {
    sum_and_difference: [Element; 2],
    dxy: Element,
}

impl Projective {
    #[inline]
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

    #[inline]
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

    /// The sum with a point, or with its negative.
    #[inline]
    pub(super) fn add(&self, other: &Cached, negate: bool) -> Completed {
        let (plus, minus) =
            if negate { (&other.y_minus_x, &other.y_plus_x) } else { (&other.y_plus_x, &other.y_minus_x) };
        let zz = self.z.mul(&other.twice_z);
        let tt = self.t.mul(&other.twice_dt);
        self.complete(plus, minus, &zz, &tt, negate)
    }

    /// The sum with a point, or with its negative.
    #[inline]
    pub(super) fn add_affine(&self, other: &Affine, negate: bool) -> Completed {
        let plus = &other.sum_and_difference[usize::from(negate)];
        let minus = &other.sum_and_difference[usize::from(!negate)];
        let tt = self.t.mul(&other.dxy);
        self.complete(plus, minus, &self.z, &tt, negate)
    }

    #[inline(always)]
    fn complete(&self, plus: &Element, minus: &Element, zz: &Element, tt: &Element, negate: bool) -> Completed {
        let a = self.y.add(&self.x).mul(plus);
        let b = self.y.sub(&self.x).mul(minus);
        let (sum, difference) = (zz.add(tt), zz.sub(tt));
        let (z, t) = if negate { (difference, sum) } else { (sum, difference) };
        Completed { x: a.sub(&b), y: a.add(&b), z, t }
    }
}

impl Completed {
    pub(super) const IDENTITY: Self = Self { x: Element::ZERO, y: Element::ONE, z: Element::ONE, t: Element::ONE };

    #[inline]
    pub(super) fn projective(&self) -> Projective {
        Projective { x: self.x.mul(&self.t), y: self.y.mul(&self.z), z: self.z.mul(&self.t) }
    }

    #[inline]
    pub(super) fn extended(&self) -> Extended {
        let Projective { x, y, z } = self.projective();
        Extended { x, y, z, t: self.x.mul(&self.y) }
    }
}

impl Affine {
    /// The point (X : Y : Z), given the inverse of Z.
    pub(super) fn new(point: &Extended, inverse: &Element) -> Self {
        let half = inverse.mul(&Element::HALF);
        let (x, y) = (point.x.mul(&half), point.y.mul(&half));
        let twice_dx = x.mul(&Element::TWICE_D);
        Self { sum_and_difference: [y.add(&x), y.sub(&x)], dxy: twice_dx.mul(&y.add(&y)) }
    }
}
