//! How much memory a key's table may take for speed.

/// The bits of a signed digit, 4 to 8: a table holds one row for each digit of a scalar and one entry for each value of
/// a digit, so that a wider digit means fewer additions and a larger table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Width(u8);

impl Width {
    /// The smallest tables.
    pub const NARROWEST: Self = Self(4);

    /// The fastest tables.
    pub const WIDEST: Self = Self(8);

    /// A width of this many bits; none outside 4 to 8.
    #[must_use]
    pub const fn new(bits: u8) -> Option<Self> {
        match bits {
            4..=8 => Some(Self(bits)),
            _ => None,
        }
    }

    /// The bits of a digit.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }
}
