//! What is required of a proof, and the request that it belongs to.

use std::fmt;

use crate::algorithm::{Algorithm, AlgorithmSet};
use crate::jws::Limits;
use crate::policy::PolicyError;

/// The maximum lengths of a proof and its header, in bytes of the encoded form. A proof by an RSA key of 4096 bits has
/// about 2,000 bytes, of which only the URI may be long.
pub const PROOF_LIMITS: Limits = Limits { token: 8 * 1024, header: 4 * 1024 };

/// The requirements for all proofs, compiled once.
#[derive(Debug, Clone, PartialEq)]
pub struct ProofPolicy {
    pub(super) limits: Limits,
    pub(super) algorithms: AlgorithmSet,
    pub(super) max_age: f64,
    pub(super) leeway: f64,
}

/// The request that a proof was sent with, and what the proof must be bound to.
#[derive(Clone, Copy)]
pub struct ProofRequest<'a> {
    /// The method, compared exactly: methods are case-sensitive (RFC 9110 section 9.1).
    pub method: &'a str,
    /// The absolute URI, compared as a [`TargetUri`](super::TargetUri).
    pub uri: &'a str,
    /// The access token, if one is presented: the proof must contain its hash (`ath`).
    pub access_token: Option<&'a [u8]>,
    /// The thumbprint of the key that must have signed the proof, if it is known. A proof by another key is rejected before
    /// anything is computed with that key.
    pub expected_jkt: Option<&'a str>,
    /// The nonces that the server accepts now, if it requires one.
    pub nonces: Option<&'a [String]>,
}

impl fmt::Debug for ProofRequest<'_> {
    /// Shows the method, and nothing of the URI, whose query may be a secret, nor of the token and the nonces.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofRequest").field("method", &self.method).finish_non_exhaustive()
    }
}

impl ProofPolicy {
    /// The algorithms of proofs that are accepted by default. Not ES384: the sender of a proof chooses its key, and
    /// verifying one with P-384 takes twenty times as long as with the others.
    pub const DEFAULT_ALGORITHMS: [Algorithm; 5] =
        [Algorithm::EdDsa, Algorithm::Ed25519, Algorithm::Es256, Algorithm::Rs256, Algorithm::Ps256];

    /// The maximum age of a proof by default, in seconds.
    pub const DEFAULT_MAX_AGE: f64 = 60.0;

    /// How many seconds a proof may be ahead of this clock by default.
    pub const DEFAULT_LEEWAY: f64 = 5.0;

    /// The policy for proofs that are signed with one of `algorithms`, at most `max_age` seconds old, and at most `leeway`
    /// seconds ahead of this clock.
    ///
    /// # Errors
    /// [`PolicyError`] if there is no algorithm, or a number of seconds is negative or not finite.
    pub fn new(limits: Limits, algorithms: AlgorithmSet, max_age: f64, leeway: f64) -> Result<Self, PolicyError> {
        if algorithms.is_empty() {
            return Err(PolicyError::new("algorithms is empty: list those that are allowed"));
        }
        for (name, seconds) in [("max_age", max_age), ("leeway", leeway)] {
            if !seconds.is_finite() || seconds < 0.0 {
                return Err(PolicyError::new(&format!("{name} must be a finite number of seconds, 0 or more")));
            }
        }
        Ok(Self { limits, algorithms, max_age, leeway })
    }

    /// How long a proof is accepted after it was made, in seconds: what a replay store keeps ids for.
    pub fn lifetime(&self) -> f64 {
        self.max_age + self.leeway
    }
}
