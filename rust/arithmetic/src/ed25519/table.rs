//! Precomputed multiples of a point, with which a multiplication by a scalar needs additions only.

use super::field::{self, Element};
use super::point::{Affine, Extended};
use super::scalar::{self, Scalar};

/// A row for each digit of a scalar, with the multiples 1, 2, 3, … of the point times that digit's power of two.
///
/// Digits are signed, and negating a point costs nothing, so a row has an entry for every absolute value except zero. The
/// last digit is never negative; its row is as long as its largest value.
#[derive(Clone)]
pub(super) struct Multiples {
    width: u32,
    entries: Box<[Affine]>,
}

impl Multiples {
    pub(super) fn new(x: Element, y: Element, width: u32) -> Self {
        let mut entries = Vec::with_capacity(Self::count(width));
        let mut row = Vec::with_capacity(1 << (width - 1));
        let mut first = Extended::from_affine(x, y);
        for position in 1..=scalar::digits(width) {
            let length = if position == scalar::digits(width) { scalar::last_digit(width) } else { 1 << (width - 1) };
            let step = first.cached();
            row.clear();
            row.push(first);
            for _ in 1..length {
                first = first.add(&step).extended();
                row.push(first);
            }
            let halves = field::quotients(&Element::HALF, row.iter().map(|point: &Extended| point.z));
            entries.extend(row.iter().zip(&halves).map(|(point, half)| Affine::new(point, half)));
            // The next row's first point is twice this row's last.
            first = first.projective().double().extended();
        }
        Self { width, entries: entries.into_boxed_slice() }
    }

    /// The number of entries of a table of this width.
    pub(super) const fn count(width: u32) -> usize {
        // A few thousand.
        (((scalar::digits(width) - 1) << (width - 1)) + scalar::last_digit(width)) as usize
    }

    /// The memory of the entries, in bytes.
    pub(super) fn size(&self) -> usize {
        size_of_val(&*self.entries)
    }

    /// The memory of the entries of a table of this width, in bytes.
    pub(super) const fn size_for(width: u32) -> usize {
        Self::count(width) * size_of::<Affine>()
    }

    /// The sum of `sum` and the point times a scalar.
    #[inline]
    pub(super) fn add_to(&self, mut sum: Extended, scalar: &Scalar) -> Extended {
        // Entries are copied in batches, so that the processor waits for memory once per batch.
        const BATCH: usize = 16;
        let mut batch = [Affine::IDENTITY; BATCH];
        let mut digits = scalar.signed_digits(self.width);
        let mut row = 0;
        while digits.len() > 0 {
            let mut selected = 0;
            for digit in digits.by_ref().take(BATCH) {
                if let Some(entry) = digit.unsigned_abs().checked_sub(1) {
                    batch[selected % BATCH] = self.entries[row + entry as usize].negated_if(digit < 0);
                    selected += 1;
                }
                row += 1 << (self.width - 1);
            }
            for entry in &batch[..selected] {
                sum = sum.add_affine(entry).extended();
            }
        }
        sum
    }
}
