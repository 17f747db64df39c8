//! ES256: ECDSA with P-256 and SHA-256 (RFC 7518 section 3.4).
//!
//! A signature is r and s, each in 32 bytes and in [1, n-1]. Both s and n - s hold: JWS does not ask for the lower one.

use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};

use crate::material::Defect;

#[derive(Clone)]
pub(crate) struct Key(VerifyingKey);

impl Key {
    pub(super) fn new(point: &[u8; 65]) -> Result<Self, Defect> {
        VerifyingKey::from_sec1_bytes(point).map(Self).map_err(|_| Defect::PointNotOnCurve)
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.0.verify(message, &signature).is_ok())
    }
}
