//! Many signatures at once: each gets the verdict that it would get alone, and they share what costs most.

use super::{Verifier, ed25519, p256};
use crate::algorithm::Algorithm;

/// Signatures that are verified together. There is no equation of several signatures in it, which would be another
/// predicate: only inversions are shared.
pub(crate) struct Batch {
    verdicts: Vec<bool>,
    ed25519: Pending<ed25519::PendingSignature>,
    p256: Pending<p256::PendingSignature>,
}

/// Signatures of one kind, with their indices in the batch.
struct Pending<T> {
    indices: Vec<usize>,
    signatures: Vec<T>,
}

impl Batch {
    pub(crate) fn with_capacity(signatures: usize) -> Self {
        Self { verdicts: Vec::with_capacity(signatures), ed25519: Pending::new(), p256: Pending::new() }
    }

    /// Adds a signature; `algorithm` is one of the key's: the caller has checked it.
    pub(crate) fn push(&mut self, verifier: &Verifier, algorithm: Algorithm, message: &[u8], signature: &[u8]) {
        let index = self.verdicts.len();
        let mut verdict = false;
        match verifier {
            Verifier::Ed25519(key) => {
                if let Some(pending) = ed25519::PendingSignature::new(key, message, signature) {
                    self.ed25519.push(index, pending);
                }
            }
            Verifier::P256(key) => match p256::PendingSignature::new(key, message, signature) {
                Ok(pending) => self.p256.push(index, pending),
                Err(settled) => verdict = settled,
            },
            verifier => verdict = verifier.verify(algorithm, message, signature),
        }
        self.verdicts.push(verdict);
    }

    /// Adds a signature that is invalid, whatever it is of.
    pub(crate) fn push_invalid(&mut self) {
        self.verdicts.push(false);
    }

    /// Whether each signature is valid, in the order in which they were added.
    pub(crate) fn verify(mut self) -> Vec<bool> {
        self.ed25519.settle(&mut self.verdicts, ed25519::PendingSignature::verify_batch);
        self.p256.settle(&mut self.verdicts, p256::PendingSignature::verify_batch);
        self.verdicts
    }
}

impl<T> Pending<T> {
    fn new() -> Self {
        Self { indices: Vec::new(), signatures: Vec::new() }
    }

    fn push(&mut self, index: usize, signature: T) {
        self.indices.push(index);
        self.signatures.push(signature);
    }

    fn settle(&self, verdicts: &mut [bool], verify_batch: impl FnOnce(&[T]) -> Vec<bool>) {
        for (&index, valid) in self.indices.iter().zip(verify_batch(&self.signatures)) {
            if let Some(verdict) = verdicts.get_mut(index) {
                *verdict = valid;
            }
        }
    }
}
