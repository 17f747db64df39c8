//! Multiples of a point, so that a multiple by a scalar takes additions only.

use super::point::{Affine, Jacobian};
use super::scalar::{self, Scalar};
use super::sum::Sums;

/// One row for each digit of a scalar, of the multiples 1, 2, 3, … of the point times that digit's power of two.
///
/// A digit is negative as often as positive, and the negative of a point costs nothing: a row has an entry for every
/// absolute value, and none for zero. The last row is as long as the last digit can be large.
#[derive(Debug, Clone)]
pub(super) struct Multiples {
    width: u32,
    entries: Box<[Affine]>,
}

impl Multiples {
    /// The smallest width there is.
    pub(super) const NARROWEST: u32 = 4;

    pub(super) fn new(point: &Affine, width: u32) -> Self {
        let mut entries = vec![Affine::INFINITY; Self::count(width)];
        let rows = || (0..scalar::digits(width)).map(|position| entries_before(width, position));
        // The first of each row …
        let mut first = point.jacobian();
        let mut firsts = Vec::with_capacity(rows().len());
        for _ in rows() {
            firsts.push(first);
            first = (0..width).fold(first, |point, _| point.double());
        }
        for (row, first) in rows().zip(Jacobian::to_affine(&firsts)) {
            entries[row] = first;
        }
        // … and then twice as many as there are: to each the last is added, and to the last it is added itself.
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

    /// The entries of a table of this width.
    pub(super) const fn count(width: u32) -> usize {
        entries_before(width, scalar::digits(width) - 1) + row_length(width, scalar::digits(width) - 1)
    }

    /// The bytes that the entries take.
    pub(super) fn size(&self) -> usize {
        size_of_val(&*self.entries)
    }

    /// The bytes that the entries of a table of this width take.
    pub(super) const fn size_for(width: u32) -> usize {
        Self::count(width) * size_of::<Affine>()
    }

    /// Appends the entries whose sum is the point times a scalar.
    #[inline]
    pub(super) fn summands(&self, scalar: &Scalar, summands: &mut Vec<Affine>) {
        // Most entries are not in the nearest cache. All places are found first, so that the entries can be fetched
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

/// Where a summand is, and whether its negative is meant.
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
