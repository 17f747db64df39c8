//! Signatures of several messages, verified together.

use super::PublicKey;
use crate::algorithm::Algorithm;
use crate::signature::Batch;

/// A message, its signature, and the key that the signature must be by.
#[derive(Clone, Copy)]
pub struct SignedMessage<'a> {
    /// The key.
    pub key: &'a PublicKey,
    /// The algorithm. If it is not one of the key's, the signature is invalid.
    pub algorithm: Algorithm,
    /// What is signed.
    pub message: &'a [u8],
    /// The signature, decoded.
    pub signature: &'a [u8],
}

/// Whether each signature is valid, in their order: what [`PublicKey::verify`] returns for each. Those by keys with
/// precomputed tables take less time together than one by one.
pub fn verify_signatures(messages: &[SignedMessage<'_>]) -> Vec<bool> {
    let mut batch = Batch::with_capacity(messages.len());
    for &SignedMessage { key, algorithm, message, signature } in messages {
        if key.algorithms.contains(algorithm) {
            batch.push(&key.cached.verifier, algorithm, message, signature);
        } else {
            batch.push_invalid();
        }
    }
    batch.verify()
}
