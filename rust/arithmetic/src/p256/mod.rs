//! ECDSA over P-256 (FIPS 186-5, section 6.4.2) as far as verification needs it: whether u1·G + u2·Q, for the base point G
//! and a key Q, has the x of the signature.

mod batch;
mod field;
mod limbs;
mod point;
mod scalar;
mod signature;
mod sum;
mod table;
mod window;

pub use batch::{PendingSignature, verify_batch};
pub use signature::Signature;

use once_cell::race::OnceBox;

use field::Element;
use point::{Affine, Jacobian};
use scalar::Scalar;
use sum::Sums;
use table::Multiples;

use crate::Width;

/// The width of the base point's digits. All keys share its table.
const BASE_WIDTH: u32 = 10;

static BASE: OnceBox<Multiples> = OnceBox::new();

/// The base point's multiples. Threads that need them at the same time for the first time each compute them.
#[inline]
fn base() -> &'static Multiples {
    BASE.get_or_init(|| Box::new(Multiples::new(&Affine::BASE, BASE_WIDTH)))
}

/// The maximum number of points that are added for one signature, with a table of any width.
const SUMMANDS: usize = (scalar::digits(BASE_WIDTH) + scalar::digits(Multiples::NARROWEST)) as usize;

/// Builds the base point's table now rather than on first use.
pub fn prepare() {
    base();
}

/// A point on the curve other than the one at infinity.
#[derive(Debug, Clone)]
pub struct PublicKey(Affine);

impl PublicKey {
    /// The point that these bytes encode (SEC 1, section 2.3.3): 4, x and y. `None` if it is not on the curve, or if x or
    /// y is not below p.
    #[must_use]
    pub fn decode(sec1: &[u8; 65]) -> Option<Self> {
        let [4, coordinates @ ..] = sec1 else { return None };
        let ([x, y], []) = coordinates.as_chunks() else { return None };
        let coordinate = |bytes| Element::from_number(&limbs::from_bytes(bytes));
        let point = Affine { x: coordinate(x)?, y: coordinate(y)? };
        point.is_on_curve().then_some(Self(point))
    }

    /// Whether the signature of a message with this digest is valid under this key. No table is needed.
    #[must_use]
    pub fn verify(&self, digest: &[u8; 32], signature: &Signature) -> bool {
        let (u1, u2) = signature.multipliers(digest, &signature.s.inverse().to_montgomery());
        let mut points = Vec::with_capacity(SUMMANDS);
        base().summands(&u1, &mut points);
        signature.is_x_of(&points.iter().fold(window::multiple(&self.0, &u2), |sum, point| sum.add_affine(point)))
    }
}

/// The precomputed table of a key, with which a verification needs additions only.
#[derive(Debug, Clone)]
pub struct Table(Multiples);

impl Table {
    /// The table of a key.
    #[must_use]
    pub fn new(key: &PublicKey, width: Width) -> Self {
        Self(Multiples::new(&key.0, width.bits().into()))
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

    /// Whether the signature of a message with this digest is valid under this table's key.
    #[must_use]
    pub fn verify(&self, digest: &[u8; 32], signature: &Signature) -> bool {
        let (u1, u2) = signature.multipliers(digest, &signature.s.inverse().to_montgomery());
        let mut points = Vec::with_capacity(SUMMANDS);
        self.summands(&u1, &u2, &mut points);
        let mut range = 0..points.len();
        Sums::default().add_up(&mut points, std::slice::from_mut(&mut range));
        let rest = points[range].iter();
        signature.is_x_of(&rest.fold(Jacobian::INFINITY, |sum, point| sum.add_affine(point)))
    }

    /// Appends the points whose sum is u1·G + u2·Q: at most [`SUMMANDS`].
    #[inline]
    fn summands(&self, u1: &Scalar, u2: &Scalar, summands: &mut Vec<Affine>) {
        base().summands(u1, summands);
        self.0.summands(u2, summands);
    }
}
