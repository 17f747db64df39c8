//! Signatures: one file for each family of keys.
//!
//! Implementations behind this interface may change, their verdicts may not. [`reference`] verifies every algorithm
//! with third-party code, so that tests can compare the two; only P-384 is the same code in both. Both are tested with
//! third-party vectors.

mod batch;
mod ed25519;
mod options;
mod p256;
mod reference;
mod rsa;

use std::sync::Arc;

pub(crate) use batch::Batch;
pub use options::{Backend, KeyOptions, Prepare};

use crate::algorithm::Algorithm;
use crate::key_params::{KeyDefect, KeyParams, has_roca_modulus};
use crate::tables::Precomputed;

/// A key that passed all checks, in the form that one implementation needs.
pub(crate) enum Verifier {
    Ed25519(Arc<Precomputed<ed25519::Key>>),
    P256(Arc<Precomputed<p256::Key>>),
    Rsa(rsa::Key),
    Reference(reference::Key),
}

impl Verifier {
    /// Checks whether well-formed parameters are safe to verify with.
    pub(crate) fn new(params: &KeyParams, options: KeyOptions) -> Result<Self, KeyDefect> {
        let has_tables = options.has_tables();
        let own = match params {
            KeyParams::Ed25519(point) => Self::Ed25519(Precomputed::new(ed25519::Key::new(point)?, has_tables)),
            KeyParams::P256(point) => Self::P256(Precomputed::new(p256::Key::new(point)?, has_tables)),
            KeyParams::Rsa { modulus, .. } if has_roca_modulus(modulus) => return Err(KeyDefect::Roca),
            KeyParams::Rsa { modulus, exponent } => Self::Rsa(rsa::Key::new(modulus, exponent)?),
            KeyParams::P384(_) => return reference::Key::new(params).map(Self::Reference),
        };
        match options.backend {
            Backend::Default => Ok(own),
            Backend::Reference => reference::Key::new(params).map(Self::Reference),
        }
    }

    /// Whether the signature is valid. Callers have checked that `algorithm` is one of the key's.
    pub(crate) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(key) => ed25519::verify(key, message, signature),
            Self::P256(key) => p256::verify(key, message, signature),
            Self::Rsa(key) => key.verify(algorithm, message, signature),
            Self::Reference(key) => key.verify(algorithm, message, signature),
        }
    }

    /// Builds the key's table now, and keeps it until [`unpin`](Self::unpin). Returns `false` if there was no room for
    /// it; keys of a kind that has no tables return `true`.
    pub(crate) fn pin(&self) -> bool {
        match self {
            Self::Ed25519(key) => key.pin(),
            Self::P256(key) => key.pin(),
            Self::Rsa(_) | Self::Reference(_) => true,
        }
    }

    pub(crate) fn unpin(&self) {
        match self {
            Self::Ed25519(key) => key.unpin(),
            Self::P256(key) => key.unpin(),
            Self::Rsa(_) | Self::Reference(_) => {}
        }
    }
}
