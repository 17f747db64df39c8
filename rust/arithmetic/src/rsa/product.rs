//! Products and squares of numbers as little-endian limbs of 64 bits, by rows of eight limbs.
//!
//! A row multiplies eight limbs by a whole number. The eight limbs of the sum that are still open stay in registers,
//! while the number streams by: a product costs one multiplication, two loads and the carries, and nothing is stored
//! twice.

/// The limbs of a row.
pub(super) const ROW: usize = 8;

/// Eight limbs.
pub(super) type Row = [u64; ROW];

/// Adds `row * number + open` to `sum`, which is as long as the number. The eight limbs above are returned: what a
/// longer sum has there is to be added to them.
///
/// Nothing overflows: (B - 1)·(N - 1) + (B - 1) + (N - 1) = B·N - 1, for rows below B and numbers below N.
pub(super) fn add_row(sum: &mut [u64], row: &Row, number: &[u64], mut open: Row) -> Row {
    let (limbs, _) = number.as_chunks::<4>();
    let (sums, _) = sum.as_chunks_mut::<4>();
    for (sums, limbs) in sums.iter_mut().zip(limbs) {
        for (sum, &limb) in sums.iter_mut().zip(limbs) {
            *sum = add_limb(*sum, row, limb, &mut open);
        }
    }
    open
}

/// Adds `row * limb` and `sum` to the open limbs, and takes their lowest.
#[inline(always)]
fn add_limb(sum: u64, row: &Row, limb: u64, open: &mut Row) -> u64 {
    let (lowest, mut carry) = multiply_add(row[0], limb, open[0], sum);
    for place in 1..ROW {
        (open[place - 1], carry) = multiply_add(row[place], limb, open[place], carry);
    }
    open[ROW - 1] = carry;
    lowest
}

/// The two limbs of `a * b + c + d`, lower first. They suffice for the largest values of all four.
#[inline(always)]
fn multiply_add(a: u64, b: u64, c: u64, d: u64) -> (u64, u64) {
    let sum = u128::from(a) * u128::from(b) + u128::from(c) + u128::from(d);
    (sum as u64, (sum >> 64) as u64)
}

/// The two limbs of `a + b + c`.
#[inline(always)]
pub(super) fn add(a: u64, b: u64, c: u64) -> (u64, u64) {
    let sum = u128::from(a) + u128::from(b) + u128::from(c);
    (sum as u64, (sum >> 64) as u64)
}

/// The product of two numbers of as many limbs, whole rows of them; `product` is twice as long.
pub(super) fn multiply(a: &[u64], b: &[u64], product: &mut [u64]) {
    let length = b.len();
    product[..length].fill(0);
    for (index, row) in a.as_chunks::<ROW>().0.iter().enumerate() {
        let sum = &mut product[index * ROW..][..length + ROW];
        let (below, above) = sum.split_at_mut(length);
        above.copy_from_slice(&add_row(below, row, b, [0; ROW]));
    }
}

/// The square of a number of whole rows: each product of two different limbs once, doubled, and their squares.
pub(super) fn square(number: &[u64], square: &mut [u64]) {
    let length = number.len();
    square[..length].fill(0);
    for (index, row) in number.as_chunks::<ROW>().0.iter().enumerate() {
        let rest = &number[(index + 1) * ROW..];
        let (below, above) = square[2 * index * ROW..].split_at_mut(ROW);
        let open = add_triangle(below, row);
        let (below, above) = above.split_at_mut(rest.len());
        above[..ROW].copy_from_slice(&add_row(below, row, rest, open));
    }
    let mut carry = 0;
    let mut shifted_out = 0;
    for (pair, &limb) in square.as_chunks_mut::<2>().0.iter_mut().zip(number) {
        let [lower, upper] = *pair;
        let (doubled, rest) = (lower << 1 | shifted_out, upper << 1 | lower >> 63);
        shifted_out = upper >> 63;
        let (lower, upper) = multiply_add(limb, limb, doubled, carry);
        pair[0] = lower;
        (pair[1], carry) = add(upper, rest, 0);
    }
}

/// Adds the products of each two different limbs of a row to `sum`, and returns the limbs above.
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
    let (below, above) = whole.split_at(ROW);
    sum.copy_from_slice(below);
    let mut open = [0; ROW];
    open.copy_from_slice(above);
    open
}
