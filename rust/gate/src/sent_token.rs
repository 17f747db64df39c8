//! The token of a request, between the choice of its route and the decision.

use std::sync::Arc;

use watchword_kernel::{
    CacheLookup, CheckedToken, DpopProof, Error, KeySet, Policy, ProofOfPossession, Rejection, TokenCache, UnixTime,
    UnverifiedProof, VerifiedToken, unverified_names, verify, verify_request,
};

use crate::certificate::Certificate;
use crate::decision::{Allowed, Context, Decision};
use crate::failure::Failure;
use crate::rules::{Guard, wrong_issuer};

/// The token of a request, not verified yet, and all that the decision on it needs.
///
/// It is independent of the request, so that it can be kept while keys are fetched.
#[derive(Clone)]
pub struct SentToken {
    pub(crate) context: Context,
    pub(crate) guard: Arc<Guard>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) issuer: usize,
    pub(crate) token: Vec<u8>,
    pub(crate) proof: Option<SentProof>,
    pub(crate) certificate: Option<Certificate>,
}

/// The proof of a request, and what it must match.
#[derive(Clone)]
pub(crate) struct SentProof {
    pub(crate) proof: Vec<u8>,
    pub(crate) method: String,
    pub(crate) uri: String,
}

/// How far a token came.
#[allow(clippy::large_enum_variant, reason = "moved once, to the caller")]
pub enum Progress {
    /// There is a decision.
    Decided(Decision),
    /// Everything is as required, but it is not known whether the proof was used before.
    UnusedProof(UnusedProof),
    /// The keys of its issuer are unavailable, or have none that the token names: newer ones may. The failure is what the
    /// request is rejected with if there are none.
    NeedsKeys(SentToken, Failure),
}

/// A request that may pass if its proof was not used before: the last check of all.
#[derive(Clone)]
pub struct UnusedProof {
    context: Context,
    sent: Vec<u8>,
    token: Arc<VerifiedToken>,
    proof: DpopProof,
    cached: bool,
}

/// Runs work that takes long: in the same thread, or as a binding requires.
pub trait Compute {
    /// Runs the work and returns its result.
    fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T;
}

/// Runs work in the same thread.
pub struct Here;

impl Compute for Here {
    fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        work()
    }
}

/// The keys, the time and what else a verdict on a token needs.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// The keys of the token's issuer.
    pub keys: &'a Arc<KeySet>,
    /// The time.
    pub now: UnixTime,
    /// The nonces that are accepted now, the newest first, if proofs need one.
    pub nonces: Option<&'a [String]>,
    /// Where verified tokens are kept.
    pub cache: Option<&'a TokenCache>,
}

type Verified = (Arc<VerifiedToken>, Option<DpopProof>);

impl SentToken {
    /// The position of the issuer whose keys are needed.
    pub fn issuer(&self) -> usize {
        self.issuer
    }

    /// The name of that issuer, as it is configured.
    pub fn issuer_name(&self) -> Option<&str> {
        self.context.rules.issuer_names.get(self.issuer).map(|name| &**name)
    }

    /// The `kid` of the token, unverified; `None` if it has none.
    pub fn key_id(&self) -> Option<String> {
        unverified_names(&self.token, &self.context.rules.limits).key_id()
    }

    /// The token, as it was sent.
    pub fn token(&self) -> &[u8] {
        &self.token
    }

    /// Makes every check that needs no key. The decision if one of them fails, or if the token states, unverified, that it
    /// is from another issuer than the one whose keys are needed; `None` if keys have to be fetched.
    pub fn check_without_keys(&self, now: UnixTime) -> Option<Decision> {
        let rules = &self.context.rules;
        let failure = match rules.check_without_keys(&self.token, &self.policy, now) {
            Some(failure) => failure,
            None if rules.issuers.find_in(&self.token, &rules.limits) == Some(self.issuer) => return None,
            None => wrong_issuer(),
        };
        Some(self.clone().reject(failure))
    }

    /// The decision for a failure that has another cause than the token: its issuer's keys are unavailable.
    pub fn reject(self, failure: Failure) -> Decision {
        self.context.reject_token(failure, None, self.token)
    }

    /// Verifies the token, then the proof, then what the route requires.
    pub fn verify(self, terms: Terms<'_>, compute: &impl Compute) -> Progress {
        let (verdict, cached) = self.verdict(terms, compute);
        let (token, proof) = match verdict {
            Ok(verified) => verified,
            Err(rejection) if matches!(rejection.error(), Error::UnknownKey(_)) => {
                return Progress::NeedsKeys(self, rejection.into());
            }
            Err(rejection) => {
                let nonce = terms.nonces.and_then(<[String]>::first).cloned();
                return Progress::Decided(self.context.reject_token(rejection.into(), nonce, self.token));
            }
        };
        let Self { context, guard, token: sent, .. } = self;
        if let Err(failure) = guard.requirement.check(&token, proof.is_some(), &context.variables, terms.now) {
            return Progress::Decided(context.reject_token(failure.of_verified(&token), None, sent));
        }
        match proof {
            None => Progress::Decided(context.allow(Allowed { token: Some(token), proof: None, cached })),
            Some(proof) => Progress::UnusedProof(UnusedProof { context, sent, token, proof, cached }),
        }
    }

    fn verdict(&self, terms: Terms<'_>, compute: &impl Compute) -> (Result<Verified, Rejection>, bool) {
        let Terms { keys, now, nonces, cache } = terms;
        let proof = self.proof.as_ref().map(|sent| self.unverified(sent, nonces));
        let Some(cache) = cache else { return (compute.run(|| self.uncached(keys, now, proof.as_ref())), false) };
        match cache.get(CacheLookup { token: &self.token, keys, policy: &self.policy, now }) {
            // Without a proof, what is left to do takes less time than to hand it over.
            Ok(found) if proof.is_none() => (self.bound(found, None), true),
            Ok(found) => (compute.run(|| self.bound(found, proof.as_ref())), true),
            Err(miss) => {
                let verdict = compute.run(|| {
                    let checked = miss.verify()?;
                    Ok((checked.clone(), self.bound(checked, proof.as_ref())))
                });
                // A token is kept even if its proof is rejected: a bad proof does not cost another verification.
                let verdict = verdict.and_then(|(checked, verdict)| {
                    cache.insert(&checked);
                    verdict
                });
                (verdict, false)
            }
        }
    }

    fn uncached(
        &self,
        keys: &KeySet,
        now: UnixTime,
        proof: Option<&UnverifiedProof<'_>>,
    ) -> Result<Verified, Rejection> {
        match proof {
            None => {
                verify(&self.token, keys, &self.policy, now, self.possession()).map(|token| (Arc::new(token), None))
            }
            Some(proof) => verify_request(&self.token, keys, &self.policy, now, proof, self.client_certificate())
                .map(|(token, proof)| (Arc::new(token), Some(proof))),
        }
    }

    /// The last checks of the kernel, those of the binding to a key or a certificate.
    fn bound(&self, checked: CheckedToken<'_>, proof: Option<&UnverifiedProof<'_>>) -> Result<Verified, Rejection> {
        match proof {
            None => checked.verified(self.possession()).map(|token| (token, None)),
            Some(proof) => {
                checked.verified_with(proof, self.client_certificate()).map(|(token, proof)| (token, Some(proof)))
            }
        }
    }

    fn possession(&self) -> ProofOfPossession<'_> {
        ProofOfPossession { proof: None, certificate: self.client_certificate() }
    }

    fn client_certificate(&self) -> Option<watchword_kernel::ClientCertificate<'_>> {
        self.certificate.as_ref().map(Certificate::as_kernel)
    }

    fn unverified<'a>(&'a self, sent: &'a SentProof, nonces: Option<&'a [String]>) -> UnverifiedProof<'a> {
        UnverifiedProof {
            proof: &sent.proof,
            policy: &self.context.rules.proofs,
            method: &sent.method,
            uri: &sent.uri,
            nonces,
        }
    }
}

impl UnusedProof {
    /// The proof, whose [id](DpopProof::replay_id) must be used before the request may pass.
    pub fn proof(&self) -> &DpopProof {
        &self.proof
    }

    /// The decision, if this is the first use of the proof.
    pub fn first_use(self) -> Decision {
        self.context.allow(Allowed { token: Some(self.token), proof: Some(Box::new(self.proof)), cached: self.cached })
    }

    /// The decision, if the proof was used before, or if that is unknown.
    pub fn reject(self, failure: Failure) -> Decision {
        self.context.reject_token(failure.of_verified(&self.token), None, self.sent)
    }
}
