//! The group of Ed25519 (RFC 8032, section 5.1) as far as verification needs it: whether s·B − k·A, for the base point B,
//! has the encoding R.
//!
//! The equation is the one without the cofactor, and it is compared in encoded form: only the canonical encoding of the
//! sum is accepted.

mod field;
mod point;
mod scalar;
mod small_order;
mod sum;
mod table;

use std::fmt;

use once_cell::race::OnceBox;

use field::Element;
use point::{Completed, Extended};
use table::Multiples;

pub use scalar::Scalar;
pub use small_order::has_small_order;
pub use sum::{Sum, are_encoded_as};

use crate::Width;

/// The width of the base point's digits. All keys share its table: 0.7 MiB, built in two milliseconds.
const BASE_WIDTH: u32 = 9;

static BASE: OnceBox<Multiples> = OnceBox::new();

/// The base point's multiples. Threads that need them at the same time for the first time each compute them.
#[inline]
fn base() -> &'static Multiples {
    BASE.get_or_init(|| Box::new(Multiples::new(Element::new(BASE_X), Element::new(BASE_Y), BASE_WIDTH)))
}

/// RFC 8032, section 5.1: the base point's coordinates.
const BASE_X: [u64; 4] = [0xc956_2d60_8f25_d51a, 0x692c_c760_9525_a7b2, 0xc0a4_e231_fdd6_dc5c, 0x2169_36d3_cd6e_53fe];
const BASE_Y: [u64; 4] = [0x6666_6666_6666_6658, 0x6666_6666_6666_6666, 0x6666_6666_6666_6666, 0x6666_6666_6666_6666];

/// Builds the base point's table now rather than on first use.
pub fn prepare() {
    base();
}

/// A point on the curve.
#[derive(Debug, Clone)]
pub struct PublicKey {
    /// The negative of the point, because −A is multiplied; both are below p.
    minus_x: [u64; 4],
    y: [u64; 4],
}

impl PublicKey {
    /// The point that these bytes encode (RFC 8032, section 5.1.3); `None` if they are not the canonical encoding of a
    /// point on the curve.
    #[must_use]
    pub fn decode(bytes: &[u8; 32]) -> Option<Self> {
        let (y, sign) = split(bytes);
        if !field::is_canonical(&y) {
            return None;
        }
        // x² = u / v = (y² − 1) / (d·y² + 1). The candidate u·v³·(u·v⁷)^((p−5)/8) is a root, or becomes one when
        // multiplied by a root of −1, or there is no root.
        let yy = Element::new(y).square();
        let u = yy.sub(&Element::ONE);
        let v = yy.mul(&Element::D).add(&Element::ONE);
        let uv3 = u.mul(&v.square()).mul(&v);
        let uv7 = uv3.mul(&v.square().square());
        let candidate = uv3.mul(&uv7.power_of_root());
        let vxx = candidate.square().mul(&v);
        let x = if vxx.is(&u) {
            candidate
        } else if vxx.is(&u.neg()) {
            candidate.mul(&Element::ROOT_OF_MINUS_ONE)
        } else {
            return None;
        };
        if x.is_zero() && sign {
            return None;
        }
        let minus_x = if is_odd(&x.canonical()) == sign { x.neg().canonical() } else { x.canonical() };
        Some(Self { minus_x, y })
    }

    /// s·B − k·A for this key A, without a table for the key.
    #[must_use]
    pub fn sum(&self, s: &Scalar, k: &Scalar) -> Sum {
        const WIDTH: u32 = 5;
        let point = self.negative();
        let twice = point.projective().double().extended().cached();
        let mut odd_multiple = point;
        let odd_multiples: [_; 1 << (WIDTH - 2)] = std::array::from_fn(|_| {
            let cached = odd_multiple.cached();
            odd_multiple = odd_multiple.add(&twice).extended();
            cached
        });
        let mut sum = Completed::IDENTITY;
        for digit in k.non_adjacent_form(WIDTH).into_iter().rev().skip_while(|digit| *digit == 0) {
            sum = sum.projective().double();
            if let Some(entry) = odd_multiples.get(usize::from(digit.unsigned_abs() / 2)).filter(|_| digit != 0) {
                let entry = if digit < 0 { &entry.negated() } else { entry };
                sum = sum.extended().add(entry);
            }
        }
        Sum::new(&base().add_to(sum.extended(), s))
    }

    fn negative(&self) -> Extended {
        Extended::from_affine(Element::new(self.minus_x), Element::new(self.y))
    }
}

/// The precomputed table of a key, with which a sum needs additions only.
#[derive(Clone)]
pub struct Table(Multiples);

impl Table {
    /// The table of a key.
    #[must_use]
    pub fn new(key: &PublicKey, width: Width) -> Self {
        let Extended { x, y, .. } = key.negative();
        Self(Multiples::new(x, y, width.bits().into()))
    }

    /// The memory of the table, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.size()
    }

    /// The memory of a table of this width, in bytes.
    #[must_use]
    pub const fn size_for(width: Width) -> usize {
        Multiples::size_for(width.bits() as u32)
    }

    /// s·B − k·A for this table's key A.
    #[must_use]
    pub fn sum(&self, s: &Scalar, k: &Scalar) -> Sum {
        Sum::new(&self.0.add_to(base().add_to(Extended::IDENTITY, s), k))
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Table").field("size", &self.size()).finish_non_exhaustive()
    }
}

/// The little-endian limbs of 32 bytes.
fn limbs(bytes: &[u8; 32]) -> [u64; 4] {
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().zip(bytes.as_chunks().0) {
        *limb = u64::from_le_bytes(*bytes);
    }
    limbs
}

/// The y of an encoding, and whether its x is odd.
fn split(encoding: &[u8; 32]) -> ([u64; 4], bool) {
    let [a, b, c, d] = limbs(encoding);
    ([a, b, c, d & (u64::MAX >> 1)], d >> 63 == 1)
}

fn is_odd(limbs: &[u64; 4]) -> bool {
    limbs[0] & 1 == 1
}
