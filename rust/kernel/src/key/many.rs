//! Many signatures at once.

use super::PublicKey;
use crate::algorithm::Algorithm;
use crate::signature::{self, Job};

/// A signature, and what it should hold for.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    /// The key.
    pub key: &'a PublicKey,
    /// The algorithm, which must be one of the key's.
    pub algorithm: Algorithm,
    /// What is signed.
    pub message: &'a [u8],
    /// The signature, decoded.
    pub signature: &'a [u8],
}

/// Whether each of the signatures holds, in their order: what [`PublicKey::verify`] says of each. Those by prepared keys
/// take less time together than one by one.
pub fn verify_each(signed: &[Signed<'_>]) -> Vec<bool> {
    let jobs: Vec<_> = signed.iter().map(Signed::job).collect();
    signature::verify_each(&jobs)
}

impl<'a> Signed<'a> {
    /// `None` where the algorithm is not the key's: no signature holds then.
    fn job(&self) -> Option<Job<'a>> {
        self.key.algorithms.contains(self.algorithm).then_some(Job {
            verifier: &self.key.cached.verifier,
            algorithm: self.algorithm,
            message: self.message,
            signature: self.signature,
        })
    }
}
