//! The width of a table's digits: a choice between memory and speed.

/// The bits of a signed digit, 4 to 8. A table has a row for each digit of a scalar, with an entry for each value of the
/// digit, so a wider digit means fewer additions and a larger table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Width(u8);

impl Width {
    /// The width of the smallest tables.
    pub const NARROWEST: Self = Self(4);

    /// The width of the fastest tables.
    pub const WIDEST: Self = Self(8);

    /// The width of this many bits; `None` outside 4 to 8.
    #[must_use]
    pub const fn new(bits: u8) -> Option<Self> {
        match bits {
            4..=8 => Some(Self(bits)),
            _ => None,
        }
    }

    /// The number of bits of a digit.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }
}
