//! Signatures: one file for each family of keys.
//!
//! This is the seam behind which an implementation may change; what it answers may not. [`reference`] answers for
//! every algorithm, so that the two can be held against each other. For Ed25519 and P-256 they are different releases of
//! the same authors' crates; RSA is the same crate in both, with other checks before it, and P-384 the same code. The
//! vectors of others are what both are held against.

mod ed25519;
mod p256;
mod reference;
mod rsa;

use crate::algorithm::Algorithm;
use crate::material::{Defect, Material};

/// Which implementation verifies signatures. Both give the same verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backend {
    /// A crate for each family of keys, with the key parsed once.
    #[default]
    Default,
    /// The `jsonwebtoken` crate, for every algorithm.
    Reference,
}

/// A key, prepared for one implementation.
#[derive(Clone)]
pub(crate) enum Verifier {
    Ed25519(ed25519::Key),
    P256(p256::Key),
    Rsa(rsa::Key),
    Reference(reference::Key),
}

impl Verifier {
    pub(crate) fn new(material: &Material, backend: Backend) -> Result<Self, Defect> {
        if backend == Backend::Reference {
            return reference::Key::new(material).map(Self::Reference);
        }
        match material {
            Material::Ed25519(point) => ed25519::Key::new(point).map(Self::Ed25519),
            Material::P256(point) => p256::Key::new(point).map(Self::P256),
            Material::Rsa { modulus, exponent } => rsa::Key::new(modulus, exponent).map(Self::Rsa),
            Material::P384(_) => reference::Key::new(material).map(Self::Reference),
        }
    }

    /// Whether the signature holds. `algorithm` is one of the key's: the callers have checked it.
    pub(crate) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(key) => key.verify(message, signature),
            Self::P256(key) => key.verify(message, signature),
            Self::Rsa(key) => key.verify(algorithm, message, signature),
            Self::Reference(key) => key.verify(algorithm, message, signature),
        }
    }
}
