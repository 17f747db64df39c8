//! How signatures by a key are verified.

/// The implementation that verifies signatures. Both give the same verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backend {
    /// The kernel's own arithmetic; for ES384, the same code as the reference backend.
    #[default]
    Default,
    /// The `jsonwebtoken` crate, for every algorithm.
    Reference,
}

/// Whether a key may get a precomputed table (see [`tables`](crate::tables)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prepare {
    /// After some uses, or by [`KeySet::prepare`](crate::KeySet::prepare).
    #[default]
    Auto,
    /// Never: for keys that are used once or twice.
    Never,
}

/// How signatures by a key are verified. A [`Backend`] or a [`Prepare`] alone leaves the other at its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyOptions {
    /// The implementation.
    pub backend: Backend,
    /// Whether the key may get a precomputed table. The reference backend has none.
    pub prepare: Prepare,
}

impl KeyOptions {
    /// Whether keys with these options may have tables.
    pub(crate) fn has_tables(self) -> bool {
        self == Self::default()
    }
}

impl From<Backend> for KeyOptions {
    fn from(backend: Backend) -> Self {
        Self { backend, ..Self::default() }
    }
}

impl From<Prepare> for KeyOptions {
    fn from(prepare: Prepare) -> Self {
        Self { prepare, ..Self::default() }
    }
}
