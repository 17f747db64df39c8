//! Residues modulo an odd number, with Montgomery reduction by rows of four limbs.
//!
//! Let n be the modulus, B = 2^256 and R = B^m above n. The lowest row q of a number is cleared by adding q·k·n for the k
//! below B with k·n = -1 modulo B: since q·(k·n + 1) is q·B·M for M = (k·n + 1) / B, this adds q·M one row further up. So
//! the factor is q itself; the usual reduction has to multiply for each limb of the factor and wait for the result. Only
//! the last row is cleared by adding a multiple of n itself, (-q/n modulo B)·n, since q·M is one row longer than n.

use super::product::{ROW, Row, add_row, multiply, multiply_add, square};
use crate::carry;

/// The maximum size of a modulus, in limbs.
pub(super) const MAX_LIMBS: usize = 128;

/// A buffer for the largest product.
type Product = [u64; 2 * MAX_LIMBS];

/// The precomputed values of a modulus. Residues have whole rows; they are below R, but not always below the modulus.
#[derive(Clone)]
pub(super) struct Ring {
    modulus: Box<[u64]>,
    /// M.
    step: Box<[u64]>,
    /// -1/n modulo B.
    inverse: Row,
    /// R² modulo n.
    r_squared: Box<[u64]>,
}

impl Ring {
    /// The ring of an odd modulus above 1, in whole rows of limbs, of which the uppermost is not zero.
    pub(super) fn new(modulus: Box<[u64]>) -> Self {
        let inverse = negated_inverse(&modulus);
        let step = step(&modulus, &inverse);
        let mut ring = Self { r_squared: Box::default(), modulus, step, inverse };
        ring.r_squared = ring.square_of_r();
        ring
    }

    /// The memory of the precomputed values, in bytes.
    pub(super) fn size(&self) -> usize {
        size_of_val(&*self.modulus) + size_of_val(&*self.step) + size_of_val(&*self.r_squared)
    }

    /// The length of residues, in limbs.
    pub(super) fn limbs(&self) -> usize {
        self.modulus.len()
    }

    pub(super) fn is_below_modulus(&self, number: &[u64]) -> bool {
        number.iter().rev().lt(self.modulus.iter().rev())
    }

    /// Replaces a number below the modulus by its power, also below the modulus. The exponent is odd and above 1.
    pub(super) fn power(&self, base: &mut [u64], exponent: u64) {
        let mut product: Product = [0; 2 * MAX_LIMBS];
        let product = &mut product[..2 * self.limbs()];
        let (mut factor, mut power) = ([0; MAX_LIMBS], [0; MAX_LIMBS]);
        let (factor, power) = (&mut factor[..self.limbs()], &mut power[..self.limbs()]);

        multiply(base, &self.r_squared, product);
        self.reduce(product, factor);
        power.copy_from_slice(factor);
        for bit in (1..exponent.ilog2()).rev() {
            square(power, product);
            self.reduce(product, power);
            if exponent >> bit & 1 == 1 {
                multiply(power, factor, product);
                self.reduce(product, power);
            }
        }
        square(power, product);
        self.reduce(product, power);
        // The last factor is the base itself, so that the product is no longer in Montgomery form.
        multiply(power, base, product);
        self.reduce(product, base);
        while !self.is_below_modulus(base) {
            subtract(base, &self.modulus);
        }
    }

    /// `product` / R modulo n, for a product of two numbers below R.
    ///
    /// The result is below product / R + M + n < R + 2n.
    fn reduce(&self, product: &mut [u64], residue: &mut [u64]) {
        let length = self.limbs();
        let last = length - ROW;
        let mut carry = false;
        for start in (0..last).step_by(ROW) {
            let row = row_at(product, start);
            carry = add_to(&mut product[start + ROW..], &row, &self.step, carry);
        }
        let row = low_product(&row_at(product, last), &self.inverse);
        let mut above = u64::from(carry) + u64::from(add_to(&mut product[last..], &row, &self.modulus, false));
        residue.copy_from_slice(&product[length..]);
        while above > 0 {
            above -= u64::from(subtract(residue, &self.modulus));
        }
    }

    /// R² is 2^m in Montgomery form, squared eight times: R is 2^(256·m).
    fn square_of_r(&self) -> Box<[u64]> {
        let length = self.limbs();
        let bits = bit_length(&self.modulus);
        let mut residue = vec![0; length].into_boxed_slice();
        residue[(bits - 1) / 64] = 1 << ((bits - 1) % 64);
        for _ in bits - 1..length * 64 + length / ROW {
            self.double(&mut residue);
        }
        let mut product = vec![0; 2 * length];
        for _ in 0..8 {
            square(&residue, &mut product);
            self.reduce(&mut product, &mut residue);
        }
        residue
    }

    /// Doubles a number below the modulus.
    fn double(&self, number: &mut [u64]) {
        let mut shifted_out = 0;
        for limb in number.iter_mut() {
            (*limb, shifted_out) = (*limb << 1 | shifted_out, *limb >> 63);
        }
        if shifted_out == 1 || !self.is_below_modulus(number) {
            subtract(number, &self.modulus);
        }
    }
}

/// Adds `row * number` to `sum`, and `carry` to the limbs above the number. Returns the carry out of the row above.
fn add_to(sum: &mut [u64], row: &Row, number: &[u64], mut carry: bool) -> bool {
    let (below, above) = sum.split_at_mut(number.len());
    let open = add_row(below, row, number, [0; ROW]);
    for (sum, open) in above.iter_mut().zip(open) {
        (*sum, carry) = carry::add(*sum, open, carry);
    }
    carry
}

/// Subtracts `other` from `number`, and returns the borrow.
fn subtract(number: &mut [u64], other: &[u64]) -> bool {
    let mut borrow = false;
    for (limbs, others) in number.as_chunks_mut::<ROW>().0.iter_mut().zip(other.as_chunks::<ROW>().0) {
        for (limb, &other) in limbs.iter_mut().zip(others) {
            (*limb, borrow) = carry::subtract(*limb, other, borrow);
        }
    }
    borrow
}

fn row_at(number: &[u64], start: usize) -> Row {
    let mut row = [0; ROW];
    row.copy_from_slice(&number[start..][..ROW]);
    row
}

/// The product modulo B.
fn low_product(a: &Row, b: &Row) -> Row {
    let mut product = [0; ROW];
    for (place, &limb) in a.iter().enumerate() {
        let mut carry = 0;
        for (sum, &other) in product[place..].iter_mut().zip(b) {
            (*sum, carry) = multiply_add(limb, other, *sum, carry);
        }
    }
    product
}

/// -1/n modulo B by Newton's iteration: x·(2 + n·x) doubles the number of correct bits, which is one at first.
fn negated_inverse(modulus: &[u64]) -> Row {
    let modulus = row_at(modulus, 0);
    let mut inverse = [u64::MAX; ROW];
    for _ in 0..8 {
        let mut correction = low_product(&modulus, &inverse);
        increase(&mut correction, 2);
        inverse = low_product(&inverse, &correction);
    }
    inverse
}

/// M = (k·n + 1) / B: the lower row of k·n is B - 1.
fn step(modulus: &[u64], inverse: &Row) -> Box<[u64]> {
    let mut product = vec![0; modulus.len() + ROW];
    add_to(&mut product, inverse, modulus, false);
    let mut step = product.split_off(ROW).into_boxed_slice();
    increase(&mut step, 1);
    step
}

/// Adds a single limb, and drops the carry.
fn increase(number: &mut [u64], mut by: u64) {
    for limb in number {
        let (sum, carry) = carry::add(*limb, by, false);
        (*limb, by) = (sum, u64::from(carry));
    }
}

fn bit_length(number: &[u64]) -> usize {
    let used = number.iter().rposition(|&limb| limb != 0).map_or(0, |index| index + 1);
    let unused = used.checked_sub(1).map_or(0, |index| number[index].leading_zeros());
    used * 64 - unused as usize
}
