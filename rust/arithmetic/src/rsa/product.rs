//! Products and squares of numbers as little-endian limbs of 64 bits, by rows of four limbs.
//!
//! A row multiplies four limbs by a whole number. The four limbs of the sum that are not final yet stay in registers while
//! the number is read, so each limb is stored once. The lower halves of four products are added before the upper ones,
//! each in one chain of carries.

use crate::carry;

/// The number of limbs in a row: the registers suffice for that many products at a time.
pub(super) const ROW: usize = 4;

/// Four limbs.
pub(super) type Row = [u64; ROW];

/// Adds `row * number + open` to `sum`, which has the length of the number, and returns the limbs above. The caller adds
/// these to the upper limbs of a longer sum.
///
/// Nothing overflows: (B - 1)·(N - 1) + (B - 1) + (N - 1) = B·N - 1, for rows below B and numbers below N.
pub(super) fn add_row(sum: &mut [u64], row: &Row, number: &[u64], mut open: Row) -> Row {
    for (sum, &limb) in sum.iter_mut().zip(number) {
        *sum = add_limb(*sum, row, limb, &mut open);
    }
    open
}

/// Adds `row * limb` and `sum` to the open limbs, and removes and returns the lowest.
#[inline(always)]
fn add_limb(sum: u64, row: &Row, limb: u64, open: &mut Row) -> u64 {
    let products = row.map(|factor| multiply_limbs(factor, limb));
    let mut carry = false;
    for (open, (lower, _)) in open.iter_mut().zip(products) {
        (*open, carry) = carry::add(*open, lower, carry);
    }
    let highest = u64::from(carry);
    let (lowest, mut carry) = carry::add(open[0], sum, false);
    for place in 1..ROW {
        (open[place - 1], carry) = carry::add(open[place], products[place - 1].1, carry);
    }
    (open[ROW - 1], _) = carry::add(products[ROW - 1].1, highest, carry);
    lowest
}

/// The two limbs of a product, lower first.
#[inline(always)]
fn multiply_limbs(a: u64, b: u64) -> (u64, u64) {
    let product = u128::from(a) * u128::from(b);
    (product as u64, (product >> 64) as u64)
}

/// The two limbs of `a * b + c + d`, lower first. They cannot overflow.
#[inline(always)]
pub(super) fn multiply_add(a: u64, b: u64, c: u64, d: u64) -> (u64, u64) {
    let sum = u128::from(a) * u128::from(b) + u128::from(c) + u128::from(d);
    (sum as u64, (sum >> 64) as u64)
}

/// The product of two numbers of the same number of limbs, in whole rows; `product` is twice as long.
pub(super) fn multiply(a: &[u64], b: &[u64], product: &mut [u64]) {
    let length = b.len();
    product[..length].fill(0);
    for (index, row) in a.as_chunks::<ROW>().0.iter().enumerate() {
        let (below, above) = product[index * ROW..].split_at_mut(length);
        above[..ROW].copy_from_slice(&add_row(below, row, b, [0; ROW]));
    }
}

/// The square of a number in whole rows: the products of two different limbs, doubled, and the squares of the limbs.
pub(super) fn square(number: &[u64], square: &mut [u64]) {
    square[..number.len()].fill(0);
    for (index, row) in number.as_chunks::<ROW>().0.iter().enumerate() {
        let rest = &number[(index + 1) * ROW..];
        let (below, above) = square[2 * index * ROW..].split_at_mut(ROW);
        let open = add_triangle(below, row);
        let (below, above) = above.split_at_mut(rest.len());
        above[..ROW].copy_from_slice(&add_row(below, row, rest, open));
    }
    double_and_add_squares(square, number);
}

/// Adds the products of all pairs of different limbs of a row to `sum`, and returns the limbs above.
fn add_triangle(sum: &mut [u64], row: &Row) -> Row {
    let mut whole = [0; 2 * ROW];
    whole[..ROW].copy_from_slice(sum);
    for place in 0..ROW {
        let mut carry = 0;
        for other in place + 1..ROW {
            (whole[place + other], carry) = multiply_add(row[place], row[other], whole[place + other], carry);
        }
        whole[place + ROW] = carry;
    }
    sum.copy_from_slice(&whole[..ROW]);
    [whole[4], whole[5], whole[6], whole[7]]
}

fn double_and_add_squares(sum: &mut [u64], number: &[u64]) {
    let (mut shifted_out, mut carry) = (false, false);
    for (sums, limbs) in sum.as_chunks_mut::<{ 2 * ROW }>().0.iter_mut().zip(number.as_chunks::<ROW>().0) {
        for sum in sums.iter_mut() {
            (*sum, shifted_out) = carry::add(*sum, *sum, shifted_out);
        }
        let squares = limbs.map(|limb| multiply_limbs(limb, limb));
        for (pair, (lower, upper)) in sums.as_chunks_mut::<2>().0.iter_mut().zip(squares) {
            (pair[0], carry) = carry::add(pair[0], lower, carry);
            (pair[1], carry) = carry::add(pair[1], upper, carry);
        }
    }
}
