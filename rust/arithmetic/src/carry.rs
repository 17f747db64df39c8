//! Addition and subtraction of one limb, with the carry or borrow for the next.

/// The lowest limb of a + b + carry, and the carry.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn add(a: u64, b: u64, carry: bool) -> (u64, bool) {
    // The compiler recognises chains of carries in plain Rust only sometimes; with the intrinsics, always.
    let mut sum = 0;
    let carry = std::arch::x86_64::_addcarry_u64(carry.into(), a, b, &mut sum);
    (sum, carry != 0)
}

/// The lowest limb of a − b − borrow, and the borrow.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn subtract(a: u64, b: u64, borrow: bool) -> (u64, bool) {
    let mut difference = 0;
    let borrow = std::arch::x86_64::_subborrow_u64(borrow.into(), a, b, &mut difference);
    (difference, borrow != 0)
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use portable::{add, subtract};

/// The same for other architectures.
#[cfg(any(test, not(target_arch = "x86_64")))]
mod portable {
    #[inline(always)]
    pub(crate) fn add(a: u64, b: u64, carry: bool) -> (u64, bool) {
        let (sum, first) = a.overflowing_add(b);
        let (sum, second) = sum.overflowing_add(u64::from(carry));
        (sum, first | second)
    }

    #[inline(always)]
    pub(crate) fn subtract(a: u64, b: u64, borrow: bool) -> (u64, bool) {
        let (difference, first) = a.overflowing_sub(b);
        let (difference, second) = difference.overflowing_sub(u64::from(borrow));
        (difference, first | second)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{add, portable, subtract};

    fn limb() -> impl Strategy<Value = u64> {
        prop_oneof![any::<u64>(), 0..3u64, u64::MAX - 2..=u64::MAX]
    }

    proptest! {
        #[test]
        fn portable_is_the_same(a in limb(), b in limb(), carry: bool) {
            prop_assert_eq!(add(a, b, carry), portable::add(a, b, carry));
            prop_assert_eq!(subtract(a, b, carry), portable::subtract(a, b, carry));
            let sum = u128::from(a) + u128::from(b) + u128::from(carry);
            let (low, high) = add(a, b, carry);
            prop_assert_eq!(u128::from(low) + (u128::from(high) << 64), sum);
            let (low, borrow) = subtract(a, b, carry);
            prop_assert_eq!(i128::from(low) - (i128::from(borrow) << 64), i128::from(a) - i128::from(b) - i128::from(carry));
        }
    }
}
