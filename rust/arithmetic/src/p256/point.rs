//! Points of y² = x³ − 3x + b, and their sums.
//!
//! The formulas for sums fail if the summands are equal, opposite or the point at infinity. An attacker who chooses a key
//! or a signature can cause each case, so every addition checks for all of them.

use super::field::Element;

/// (x, y), or the point at infinity as (0, 0), which is not on the curve. The entries of a table: one per cache line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(align(64))]
pub(super) struct Affine {
    pub(super) x: Element,
    pub(super) y: Element,
}

/// (X : Y : Z) with x = X/Z² and y = Y/Z³; the point at infinity has Z = 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Jacobian {
    pub(super) x: Element,
    pub(super) y: Element,
    pub(super) z: Element,
}

impl Affine {
    pub(super) const INFINITY: Self = Self { x: Element::ZERO, y: Element::ZERO };
    pub(super) const BASE: Self = Self { x: Element::BASE_X, y: Element::BASE_Y };

    pub(super) fn is_on_curve(&self) -> bool {
        let cube = self.x.square().mul(&self.x);
        self.y.square() == cube.sub(&self.x.triple()).add(&Element::B)
    }

    /// The group's order is odd: no point on the curve has y = 0.
    #[inline]
    pub(super) fn is_infinity(&self) -> bool {
        self.y.is_zero()
    }

    #[inline]
    pub(super) fn jacobian(&self) -> Jacobian {
        let z = if self.is_infinity() { Element::ZERO } else { Element::ONE };
        Jacobian { x: self.x, y: self.y, z }
    }
}

impl Jacobian {
    pub(super) const INFINITY: Self = Self { x: Element::ONE, y: Element::ONE, z: Element::ZERO };

    #[inline]
    pub(super) fn is_infinity(&self) -> bool {
        self.z.is_zero()
    }

    /// Twice the point. Doubling the point at infinity gives the point at infinity.
    #[inline]
    pub(super) fn double(&self) -> Self {
        let zz = self.z.square();
        let twice_y = self.y.double();
        let yy4 = twice_y.square();
        let slope = self.x.sub(&zz).mul(&self.x.add(&zz)).triple();
        let s = yy4.mul(&self.x);
        let x = slope.square().sub(&s.double());
        let y = slope.mul(&s.sub(&x)).sub(&yy4.square().half());
        Self { x, y, z: twice_y.mul(&self.z) }
    }

    /// The sum: eight products and three squares in the ordinary case.
    #[inline]
    pub(super) fn add_affine(&self, other: &Affine) -> Self {
        if self.is_infinity() {
            return other.jacobian();
        }
        if other.is_infinity() {
            return *self;
        }
        let zz = self.z.square();
        let h = other.x.mul(&zz).sub(&self.x);
        let r = other.y.mul(&zz.mul(&self.z)).sub(&self.y);
        if h.is_zero() {
            return if r.is_zero() { self.double() } else { Self::INFINITY };
        }
        let hh = h.square();
        let hhh = hh.mul(&h);
        let v = self.x.mul(&hh);
        let x = r.square().sub(&hhh).sub(&v.double());
        let y = r.mul(&v.sub(&x)).sub(&self.y.mul(&hhh));
        Self { x, y, z: self.z.mul(&h) }
    }

    /// The same points with Z = 1, with one inversion for all. None may be the point at infinity.
    pub(super) fn to_affine(points: &[Self]) -> Vec<Affine> {
        let mut product = Element::ONE;
        let before = points.iter().map(|point| {
            let with = product.mul(&point.z);
            std::mem::replace(&mut product, with)
        });
        let before: Vec<_> = before.collect();
        let mut inverse = product.inverse();
        let mut affine = vec![Affine::INFINITY; points.len()];
        for ((point, before), affine) in points.iter().zip(&before).zip(&mut affine).rev() {
            let z = inverse.mul(before);
            inverse = inverse.mul(&point.z);
            let zz = z.square();
            *affine = Affine { x: point.x.mul(&zz), y: point.y.mul(&zz.mul(&z)) };
        }
        affine
    }
}
