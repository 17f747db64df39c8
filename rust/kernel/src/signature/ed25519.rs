//! Ed25519 (RFC 8032 section 5.1.7, RFC 8037 section 3.1).
//!
//! There is one predicate everywhere: S < L, A and R canonical and neither of small order, and the equation without
//! the cofactor. RFC 8032 leaves room for several; two verifiers that differ can be played off against each other.

use ed25519_dalek::{Signature, VerifyingKey};

use crate::material::Defect;

#[derive(Clone)]
pub(crate) struct Key(VerifyingKey);

impl Key {
    pub(super) fn new(point: &[u8; 32]) -> Result<Self, Defect> {
        VerifyingKey::from_bytes(point).map(Self).map_err(|_| Defect::PointNotOnCurve)
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}
