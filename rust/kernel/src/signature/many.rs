//! Many signatures at once: each gets the verdict that it would get alone, and they share what costs most.

use super::Verifier;
use super::ed25519::Equation;
use super::p256::Claim;
use crate::algorithm::Algorithm;

/// One signature to verify; `algorithm` is one of the key's.
pub(crate) struct Job<'a> {
    pub(crate) verifier: &'a Verifier,
    pub(crate) algorithm: Algorithm,
    pub(crate) message: &'a [u8],
    pub(crate) signature: &'a [u8],
}

/// Whether each of the signatures holds, in their order; where there is no job, none does. There is no equation of several signatures in it, which would
/// be another predicate: only inversions are shared.
pub(crate) fn verify_each(jobs: &[Option<Job<'_>>]) -> Vec<bool> {
    let mut verdicts = vec![false; jobs.len()];
    let mut equations = Together::default();
    let mut claims = Together::default();
    for (place, (job, verdict)) in jobs.iter().zip(&mut verdicts).enumerate() {
        let Some(job) = job else { continue };
        match job.verifier {
            Verifier::Ed25519(key) => match Equation::new(key, job.message, job.signature) {
                Some(equation) => equations.put(place, equation),
                None => *verdict = false,
            },
            Verifier::P256(key) => match Claim::new(key, job.message, job.signature) {
                Ok(claim) => claims.put(place, claim),
                Err(settled) => *verdict = settled,
            },
            verifier => *verdict = verifier.verify(job.algorithm, job.message, job.signature),
        }
    }
    equations.settle(&mut verdicts, Equation::hold);
    claims.settle(&mut verdicts, Claim::hold);
    verdicts
}

/// Signatures of one kind, and their places among all.
struct Together<T> {
    places: Vec<usize>,
    signatures: Vec<T>,
}

impl<T> Default for Together<T> {
    fn default() -> Self {
        Self { places: Vec::new(), signatures: Vec::new() }
    }
}

impl<T> Together<T> {
    fn put(&mut self, place: usize, signature: T) {
        self.places.push(place);
        self.signatures.push(signature);
    }

    fn settle(self, verdicts: &mut [bool], hold: impl FnOnce(&[T]) -> Vec<bool>) {
        for (place, holds) in self.places.into_iter().zip(hold(&self.signatures)) {
            if let Some(verdict) = verdicts.get_mut(place) {
                *verdict = holds;
            }
        }
    }
}
