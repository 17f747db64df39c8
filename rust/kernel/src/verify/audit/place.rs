//! Under which issuer, keys and policy a token is examined.

/// All that a token is examined with, besides itself. The same bytes at the same place have the same outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The number of the issuer that it names; `None` if it names none that is known, or cannot be parsed.
    pub(super) issuer: Option<usize>,
    /// The number of the epoch of this issuer's keys.
    pub(super) keys: usize,
    /// The number of the epoch of policies.
    pub(super) policy: usize,
}
