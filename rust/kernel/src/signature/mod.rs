//! Signatures: one file for each family of keys.
//!
//! This is the seam behind which an implementation may change; what it answers may not. [`reference`] answers for
//! every algorithm by code of others, so that the two can be held against each other; only P-384 is the same code in both.
//! The vectors of others are what both are held against.

mod ed25519;
mod many;
mod options;
mod p256;
mod reference;
mod rsa;

use std::sync::Arc;

pub(crate) use many::{Job, verify_each};
pub use options::{Backend, KeyOptions, Prepare};

use self::ed25519::Equation;
use crate::algorithm::Algorithm;
use crate::material::{Defect, Material, has_roca_modulus};
use crate::tables::Earned;

/// A key, judged and prepared for one implementation.
pub(crate) enum Verifier {
    Ed25519(Arc<Earned<ed25519::Key>>),
    P256(Arc<Earned<p256::Key>>),
    Rsa(rsa::Key),
    Reference(reference::Key),
}

impl Verifier {
    /// Judges the numbers of a key, which are well-formed: whether they are safe to verify with.
    pub(crate) fn new(material: &Material, options: KeyOptions) -> Result<Self, Defect> {
        let earns = options.has_tables();
        let own = match material {
            Material::Ed25519(point) => Self::Ed25519(Earned::new(ed25519::Key::new(point)?, earns)),
            Material::P256(point) => Self::P256(Earned::new(p256::Key::new(point)?, earns)),
            Material::Rsa { modulus, .. } if has_roca_modulus(modulus) => return Err(Defect::Roca),
            Material::Rsa { modulus, exponent } => Self::Rsa(rsa::Key::new(modulus, exponent)?),
            Material::P384(_) => return reference::Key::new(material).map(Self::Reference),
        };
        match options.backend {
            Backend::Default => Ok(own),
            Backend::Reference => reference::Key::new(material).map(Self::Reference),
        }
    }

    /// Whether the signature holds. `algorithm` is one of the key's: the callers have checked it.
    pub(crate) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(key) => Equation::new(key, message, signature).is_some_and(|equation| equation.holds()),
            Self::P256(key) => p256::holds(key, message, signature),
            Self::Rsa(key) => key.verify(algorithm, message, signature),
            Self::Reference(key) => key.verify(algorithm, message, signature),
        }
    }

    /// Builds the key's table now, and keeps it until [`unpin`](Self::unpin). Whether the key has all that it can have.
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
