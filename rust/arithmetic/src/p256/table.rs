//! Precomputed multiples of a point, with which a multiplication by a scalar needs additions only.

use super::point::{Affine, Jacobian};
use super::scalar::{self, Scalar};
use super::sum::Sums;

/// A row for each digit of a scalar, with the multiples 1, 2, 3, … of the point times that digit's power of two.
///
/// Digits are signed, and negating a point costs nothing, so a row has an entry for every absolute value except zero. The
/// last row is as long as the largest absolute value of the last digit.
#[derive(Debug, Clone)]
pub(super) struct Multiples {
    width: u32,
    entries: Box<[Affine]>,
}

impl Multiples {
    /// The minimum width.
    pub(super) const NARROWEST: u32 = 4;

    pub(super) fn new(point: &Affine, width: u32) -> Self {
        let mut entries = vec![Affine::INFINITY; Self::count(width)];
        let rows = || (0..scalar::digits(width)).map(|position| entries_before(width, position));
        // First the first entry of each row …
        let mut first = point.jacobian();
        let mut firsts = Vec::with_capacity(rows().len());
        for _ in rows() {
            firsts.push(first);
            first = (0..width).fold(first, |point, _| point.double());
        }
        for (row, first) in rows().zip(Jacobian::to_affine(&firsts)) {
            entries[row] = first;
        }
        // … and then, again and again, twice as many: each known entry plus the last known one.
        let mut sums = Sums::default();
        let mut known = 1;
        while known < row_length(width, 0).max(row_length(width, scalar::digits(width) - 1)) {
            let lengths = (0..scalar::digits(width)).map(|position| row_length(width, position));
            let unfinished = rows().zip(lengths).filter(|(_, length)| *length > known).map(|(row, _)| row);
            for row in unfinished.clone() {
                entries.copy_within(row..row + known, row + known);
            }
            let last = move |row| move |place| (row + known + place, row + known - 1);
            sums.add(&mut entries, unfinished.flat_map(|row| (0..known).map(last(row))));
            known *= 2;
        }
        Self { width, entries: entries.into_boxed_slice() }
    }

    /// The number of entries of a table of this width.
    pub(super) const fn count(width: u32) -> usize {
        entries_before(width, scalar::digits(width) - 1) + row_length(width, scalar::digits(width) - 1)
    }

    /// The memory of the entries, in bytes.
    pub(super) fn size(&self) -> usize {
        size_of_val(&*self.entries)
    }

    /// The memory of the entries of a table of this width, in bytes.
    pub(super) const fn size_for(width: u32) -> usize {
        Self::count(width) * size_of::<Affine>()
    }

    /// Appends the entries whose sum is the point times a scalar.
    #[inline]
    pub(super) fn summands(&self, scalar: &Scalar, summands: &mut Vec<Affine>) {
        // Most entries are not in the first-level cache. All places are computed first, so that the entries can be loaded
        // together.
        let mut places = [Place::default(); scalar::digits(Self::NARROWEST) as usize];
        let mut count = 0;
        let mut row = 0;
        for digit in scalar.signed_digits(self.width) {
            if let Some(entry) = digit.unsigned_abs().checked_sub(1) {
                places[count] = Place { entry: row + entry, negative: digit < 0 };
                count += 1;
            }
            row += 1 << (self.width - 1);
        }
        let (places, start) = (&places[..count], summands.len());
        summands.extend(places.iter().map(|place| self.entries[place.entry as usize]));
        for (summand, place) in summands[start..].iter_mut().zip(places) {
            summand.y = summand.y.neg_if(place.negative);
        }
    }
}

/// The index of a summand, and whether it is negated.
#[derive(Clone, Copy, Default)]
struct Place {
    entry: u32,
    negative: bool,
}

const fn entries_before(width: u32, position: u32) -> usize {
    // A few thousand.
    (position as usize) << (width - 1)
}

const fn row_length(width: u32, position: u32) -> usize {
    if position + 1 == scalar::digits(width) { scalar::last_digit(width) as usize } else { 1 << (width - 1) }
}
