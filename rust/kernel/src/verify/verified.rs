//! What verification returns: values that cannot exist unless every check passed.

use std::fmt;
use std::mem::size_of;
use std::sync::Arc;

use super::Rejection;
use super::binding::{self, ProofOfPossession};
use super::compiled_scopes::{CompiledScopes, Quota};
use crate::algorithm::Algorithm;
use crate::certificate::ClientCertificate;
use crate::claims::Claims;
use crate::delegation::{DelegationChain, DelegationError, MayAct};
use crate::dpop::{DpopProof, UnverifiedProof};
use crate::error::Error;
use crate::heap::{allocated, vector};
use crate::json::Object;
use crate::jws::Decoded;
use crate::key::PublicKey;
use crate::policy::Policy;
use crate::scope::{PlainScopes, ResourceScopes, SlotScopes};
use crate::time::UnixTime;

/// A signed object whose signature is valid. Only [`verify_jws`](crate::verify_jws) makes one.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedJws {
    decoded: Decoded,
    algorithm: Algorithm,
    key_id: Option<String>,
    key_issuer: Option<Arc<str>>,
}

/// A JWT that passed every check. Only [`verify`](crate::verify()) makes one.
#[derive(Clone)]
pub struct VerifiedToken {
    jws: VerifiedJws,
    claims: Claims,
    scopes: CompiledScopes,
}

impl VerifiedJws {
    /// The object, whose signature is valid under `key`.
    pub(super) fn new(decoded: Decoded, algorithm: Algorithm, key: &PublicKey) -> Self {
        Self { decoded, algorithm, key_id: key.key_id().map(str::to_owned), key_issuer: key.shared_issuer() }
    }

    /// The JOSE header: strict JSON.
    pub fn header(&self) -> &[u8] {
        self.decoded.header()
    }

    /// The payload.
    pub fn payload(&self) -> &[u8] {
        self.decoded.payload()
    }

    /// The algorithm of the signature.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The `kid` of the key that verified the signature, if that key has one.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The issuer that this key may sign for, if its JWK names one.
    pub(super) fn key_issuer(&self) -> Option<&str> {
        self.key_issuer.as_deref()
    }
}

impl VerifiedToken {
    pub(super) fn new(jws: VerifiedJws, claims: Claims) -> Self {
        Self { jws, claims, scopes: CompiledScopes::default() }
    }

    /// The signature layer: header, payload, algorithm, key.
    pub fn jws(&self) -> &VerifiedJws {
        &self.jws
    }

    pub(super) fn into_jws(self) -> VerifiedJws {
        self.jws
    }

    /// The registered claims.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Checks the audience of a token that was verified by another policy, in the claim that this one names.
    ///
    /// # Errors
    /// [`Error::WrongAudience`], or [`Error::MissingClaim`] if it names none.
    pub fn check_audience(&self, policy: &Policy) -> Result<(), Error> {
        let members = Object::parse(self.jws.payload()).map_err(|error| Error::MalformedClaims(error.into()))?;
        policy.check_audience(&self.claims, &members)
    }

    /// The scopes as [`ResourceScopes::from_claim`] reads them: compiled once, unless the token is in a cache that has no
    /// room to keep them.
    pub fn resource_scopes(&self) -> Arc<ResourceScopes> {
        self.scopes.resource(self.claims.scopes())
    }

    /// The scopes as [`SlotScopes::from_claim`] reads them: compiled once, unless the token is in a cache that has no room
    /// to keep them.
    pub fn slot_scopes(&self) -> Arc<SlotScopes> {
        self.scopes.slot(self.claims.scopes())
    }

    /// The scopes as [`PlainScopes::from_claim`] reads them: compiled once, unless the token is in a cache that has no
    /// room to keep them.
    pub fn plain_scopes(&self) -> Arc<PlainScopes> {
        self.scopes.plain(self.claims.scopes())
    }

    /// On whose behalf the token's holder acts: the chain that the claims record, in whichever form.
    ///
    /// # Errors
    /// [`DelegationError`] if a form that is not a registered claim is malformed, or if there is more than one.
    pub fn delegation(&self) -> Result<DelegationChain, DelegationError> {
        let scopes = || Ok(self.claims.scopes().map(str::to_owned).collect());
        DelegationChain::read(&self.members()?, &scopes)
    }

    /// Who may act on behalf of the token's subject (RFC 8693 section 4.4), if the token has the claim `may_act`.
    ///
    /// # Errors
    /// None in practice: a token whose `may_act` is malformed is not verified.
    pub fn may_act(&self) -> Result<Option<MayAct>, DelegationError> {
        MayAct::read(&self.members()?)
    }

    /// Checks that the token is valid at the time `now`: of all that is checked, only that may change.
    pub(super) fn check_times(&self, policy: &Policy, now: UnixTime) -> Result<(), Error> {
        policy.check_times(&self.claims, now)
    }

    /// The token, if its binding allows what was sent with it, or that nothing was.
    pub(super) fn with_binding_checked(
        self,
        token: &[u8],
        policy: &Policy,
        possession: ProofOfPossession<'_>,
    ) -> Result<Self, Rejection> {
        match self.check_binding(token, policy, possession) {
            Ok(()) => Ok(self),
            Err(error) => Err(Rejection::of_signed(self.jws, error)),
        }
    }

    /// Checks the binding to a key or a certificate, which depends on what was sent with the token.
    pub(super) fn check_binding(
        &self,
        token: &[u8],
        policy: &Policy,
        possession: ProofOfPossession<'_>,
    ) -> Result<(), Error> {
        binding::check(token, self.claims.confirmation(), policy, possession)
    }

    /// Checks the binding by a certificate, and by a proof that is still to be verified.
    pub(super) fn check_proof(
        &self,
        token: &[u8],
        policy: &Policy,
        proof: &UnverifiedProof<'_>,
        certificate: Option<ClientCertificate<'_>>,
        now: UnixTime,
    ) -> Result<DpopProof, Error> {
        binding::check_with(token, self.claims.confirmation(), policy, proof, certificate, now)
    }

    /// The token as a cache keeps it: without spare capacity, and with its compiled scopes counted against the quota.
    pub(super) fn for_cache(mut self, quota: &Arc<Quota>) -> Self {
        self.jws.decoded.shrink();
        self.claims.shrink();
        self.scopes = CompiledScopes::within(quota);
        self
    }

    /// The bytes that it takes behind an `Arc`, without its compiled scopes.
    pub(super) fn size(&self) -> usize {
        // The issuer of the key is the key's own text, shared by all of its tokens.
        let Self { jws: VerifiedJws { decoded, algorithm: _, key_id, key_issuer: _ }, claims, scopes: _ } = self;
        allocated(2 * size_of::<usize>() + size_of::<Self>())
            + decoded.heap()
            + vector::<u8>(key_id.as_ref().map_or(0, String::capacity))
            + claims.heap()
    }

    fn members(&self) -> Result<Object<'_>, DelegationError> {
        Object::parse(self.jws.payload()).map_err(|error| DelegationError::Malformed(error.into()))
    }
}

impl fmt::Debug for VerifiedJws {
    /// Shows the key and the sizes, nothing of what is signed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedJws")
            .field("key_id", &self.key_id)
            .field("algorithm", &self.algorithm)
            .field("payload_bytes", &self.payload().len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for VerifiedToken {
    /// Shows the key and the sizes, nothing of the claims.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VerifiedToken").field(&self.jws).finish()
    }
}
