//! A token on its way through a cache: looked up, checked, and bound to what was sent with it.

use std::sync::Arc;

use crate::certificate::ClientCertificate;
use crate::dpop::{DpopProof, UnverifiedProof};
use crate::key_set::KeySet;
use crate::policy::Policy;
use crate::time::UnixTime;
use crate::verify::compiled_scopes::Quota;
use crate::verify::{ProofOfPossession, Rejection, VerifiedToken, check_all_but_binding};

/// A token to verify, and what to verify it with. The same policy and key set are found again by their `Arc`: equal ones
/// made anew are others.
#[derive(Clone, Copy)]
pub struct CacheLookup<'a> {
    /// The token.
    pub token: &'a [u8],
    /// The keys to verify it with.
    pub keys: &'a Arc<KeySet>,
    /// What it must fulfil.
    pub policy: &'a Arc<Policy>,
    /// The time of verification.
    pub now: UnixTime,
}

/// A token that is not in the cache, or not valid any more: still to be verified.
pub struct CacheMiss<'a> {
    lookup: CacheLookup<'a>,
    compiled_scopes: Arc<Quota>,
}

/// A token that passed every check except that of its binding, which [`verified`](Self::verified) or
/// [`verified_with`](Self::verified_with) makes: no other way leads to the [`VerifiedToken`].
#[derive(Clone)]
pub struct CheckedToken<'a> {
    lookup: CacheLookup<'a>,
    token: Arc<VerifiedToken>,
}

impl<'a> CacheMiss<'a> {
    pub(super) fn new(lookup: CacheLookup<'a>, compiled_scopes: Arc<Quota>) -> Self {
        Self { lookup, compiled_scopes }
    }

    /// Verifies the token, all but its binding.
    ///
    /// # Errors
    /// As [`verify`](crate::verify()).
    pub fn verify(self) -> Result<CheckedToken<'a>, Rejection> {
        let CacheLookup { token, keys, policy, now } = self.lookup;
        let token = check_all_but_binding(token, keys, policy, now)?.for_cache(&self.compiled_scopes);
        Ok(CheckedToken::new(self.lookup, Arc::new(token)))
    }
}

impl<'a> CheckedToken<'a> {
    pub(super) fn new(lookup: CacheLookup<'a>, token: Arc<VerifiedToken>) -> Self {
        Self { lookup, token }
    }

    pub(super) fn parts(&self) -> (CacheLookup<'a>, &Arc<VerifiedToken>) {
        (self.lookup, &self.token)
    }

    /// The token, if its binding allows what was sent with it, or that nothing was: the last check of
    /// [`verify`](crate::verify()).
    ///
    /// # Errors
    /// As [`verify`](crate::verify()), for the binding.
    pub fn verified(self, possession: ProofOfPossession<'_>) -> Result<Arc<VerifiedToken>, Rejection> {
        match self.token.check_binding(self.lookup.token, self.lookup.policy, possession) {
            Ok(()) => Ok(self.token),
            Err(error) => Err(Rejection::of_signed(self.token.jws().clone(), error)),
        }
    }

    /// The token and the proof that was sent with it, if the proof is valid, for this token, and by the key that it is
    /// bound to, and if `certificate` is the one that it is bound to, if any: the last checks of [`verify_request`](crate::verify_request).
    ///
    /// # Errors
    /// As [`verify_request`](crate::verify_request), for the binding and the proof.
    pub fn verified_with(
        self,
        proof: &UnverifiedProof<'_>,
        certificate: Option<ClientCertificate<'_>>,
    ) -> Result<(Arc<VerifiedToken>, DpopProof), Rejection> {
        let CacheLookup { token, policy, now, .. } = self.lookup;
        match self.token.check_proof(token, policy, proof, certificate, now) {
            Ok(proof) => Ok((self.token, proof)),
            Err(error) => Err(Rejection::of_signed(self.token.jws().clone(), error)),
        }
    }
}
