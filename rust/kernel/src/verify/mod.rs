//! The pipeline: what every token goes through, top to bottom.

mod batch;
mod matchers;
mod refusal;
mod token_cache;

use std::sync::Arc;

use self::matchers::{Matchers, Quota};
use crate::algorithm::Algorithm;
use crate::claims::Claims;
use crate::delegation::{DelegationChain, DelegationError, MayAct};
use crate::dpop::{DpopProof, UnverifiedProof};
use crate::error::Error;
use crate::heap::{allocated, vector};
use crate::json::Object;
use crate::jws::Header;
use crate::jws::JwsPolicy;
use crate::jws::{Compact, Decoded};
use crate::key::{PublicKey, SignedMessage, verify_signatures};
use crate::key_set::{Candidates, KeySet};
use crate::policy::Policy;
use crate::scope::{PlainScopes, ResourceScopes, SlotScopes};
use crate::time::UnixTime;
pub use batch::{verify_many, verify_many_until};
pub use refusal::Refusal;
pub use token_cache::{CacheStats, Presented, TokenCache};

/// A signed object whose signature holds. It cannot be made but by [`verify_jws`].
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedJws {
    decoded: Decoded,
    algorithm: Algorithm,
    key_id: Option<String>,
    key_issuer: Option<Arc<str>>,
}

/// A JWT that passed every check. It cannot be made but by [`verify`].
#[derive(Clone)]
pub struct VerifiedToken {
    jws: VerifiedJws,
    claims: Claims,
    matchers: Matchers,
}

/// Verifies a JWT (RFC 7519 section 7.2) as of the moment `now`.
///
/// # Errors
/// The first check that fails, in the order of [`Error`]'s variants.
pub fn verify(token: &[u8], keys: &KeySet, policy: &Policy, now: UnixTime) -> Result<VerifiedToken, Refusal> {
    judge(token, keys, policy, now, None)
}

/// Verifies a JWT that came with a proof of the key that it is bound to (RFC 9449 sections 6 and 7.1).
///
/// # Errors
/// As [`verify`]. The last checks are that the token is bound to the proof's key, and that the proof was made for it.
pub fn verify_with_proof(
    token: &[u8],
    keys: &KeySet,
    policy: &Policy,
    now: UnixTime,
    proof: &DpopProof,
) -> Result<VerifiedToken, Refusal> {
    judge(token, keys, policy, now, Some(proof))
}

/// Verifies a JWT and the proof that came with it: the token first, and completely, then the proof, by the key that the
/// token is bound to. A proof is never looked at before its token is valid and bound: whoever has no such token cannot
/// make anybody verify a signature by a key of their own choosing.
///
/// Whether the proof was used before is for a [`ReplayCache`](crate::ReplayCache) to say, as the last check of all.
///
/// # Errors
/// As [`verify`] for the token; then [`Error::Proof`] if it is not bound to a key, or for the proof as
/// [`verify_proof`](crate::verify_proof).
pub fn verify_request(
    token: &[u8],
    keys: &KeySet,
    policy: &Policy,
    now: UnixTime,
    proof: &UnverifiedProof<'_>,
) -> Result<(VerifiedToken, DpopProof), Refusal> {
    let verified = before_binding(token, keys, policy, now)?;
    match verified.check_proof(token, proof, now) {
        Ok(proof) => Ok((verified, proof)),
        Err(error) => Err(Refusal::of_signed(verified.jws, error)),
    }
}

/// Verifies a JWS in compact form (RFC 7515 section 5.2), whatever its payload is.
///
/// # Errors
/// The first check that fails, in the order of [`Error`]'s variants.
pub fn verify_jws(token: &[u8], keys: &KeySet, policy: &JwsPolicy) -> Result<VerifiedJws, Error> {
    let parsed = parse(token, keys, policy)?;
    let key = parsed.signing_key().ok_or(Error::InvalidSignature)?;
    Ok(parsed.signed_by(key))
}

pub(crate) fn judge(
    token: &[u8],
    keys: &KeySet,
    policy: &Policy,
    now: UnixTime,
    proof: Option<&DpopProof>,
) -> Result<VerifiedToken, Refusal> {
    before_binding(token, keys, policy, now)?.bound(token, policy, proof)
}

/// A token that passed every check but the last, that of its binding to a key, which the caller must make before
/// anybody else sees it.
pub(crate) fn before_binding(
    token: &[u8],
    keys: &KeySet,
    policy: &Policy,
    now: UnixTime,
) -> Result<VerifiedToken, Refusal> {
    close(verify_jws(token, keys, policy.jws())?, policy, now)
}

/// What [`judge`] says of each of the tokens, in their order, without proofs. The signatures of those that name one key
/// each, which is nearly all of them, are verified together.
pub(crate) fn judge_each(
    tokens: &[&[u8]],
    keys: &KeySet,
    policy: &Policy,
    now: UnixTime,
) -> Vec<Result<VerifiedToken, Refusal>> {
    let parsed: Vec<_> = tokens.iter().map(|token| parse(token, keys, policy.jws())).collect();
    let messages: Vec<_> = parsed.iter().map(|parsed| parsed.as_ref().ok()?.message_of_only_key()).collect();
    let batch: Vec<_> = messages.iter().flatten().copied().collect();
    let mut verdicts = verify_signatures(&batch).into_iter();
    let verdicts: Vec<_> = messages.iter().map(|message| message.and_then(|_| verdicts.next())).collect();
    let jws = parsed.into_iter().zip(verdicts).map(|(parsed, verdict)| {
        let parsed = parsed?;
        let key = match (verdict, parsed.keys.as_slice()) {
            (Some(valid), [key]) => valid.then_some(*key),
            _ => parsed.signing_key(),
        };
        key.map(|key| parsed.signed_by(key)).ok_or(Error::InvalidSignature)
    });
    jws.zip(tokens).map(|(jws, token)| close(jws?, policy, now)?.bound(token, policy, None)).collect()
}

/// A token before its signature is verified, and the keys that it may have been signed with.
struct ParsedToken<'t, 'k> {
    parts: Compact<'t>,
    algorithm: Algorithm,
    keys: Candidates<'k>,
}

/// Everything that comes before the signature. Nothing of the payload is read.
fn parse<'t, 'k>(token: &'t [u8], keys: &'k KeySet, policy: &JwsPolicy) -> Result<ParsedToken<'t, 'k>, Error> {
    let parts = Compact::parse(token, policy.limits())?;
    let header = Header::parse(parts.decoded.header())?;
    header.check_extensions()?;
    policy.check_type(header.media_type.as_deref())?;
    let algorithm = policy.algorithm(&header.algorithm)?;
    let keys = keys.candidates(header.key_id.as_deref(), algorithm)?;
    Ok(ParsedToken { parts, algorithm, keys })
}

/// Everything that comes after it, but the binding to a key: only now is the payload believed to be the issuer's.
fn close(jws: VerifiedJws, policy: &Policy, now: UnixTime) -> Result<VerifiedToken, Refusal> {
    match check_claims(&jws, policy, now) {
        Ok(claims) => Ok(VerifiedToken { jws, claims, matchers: Matchers::default() }),
        Err(error) => Err(Refusal::of_signed(jws, error)),
    }
}

fn check_claims(jws: &VerifiedJws, policy: &Policy, now: UnixTime) -> Result<Claims, Error> {
    let members = Object::parse(jws.payload()).map_err(|error| Error::MalformedClaims(error.into()))?;
    let claims = Claims::read(&members, policy.scope_claims()).map_err(Error::MalformedClaims)?;
    policy.check(&claims, &members, now)?;
    policy.check_key(&claims, jws.key_issuer.as_deref())?;
    Ok(claims)
}

impl<'k> ParsedToken<'_, 'k> {
    /// The first of the keys under which the signature is valid.
    fn signing_key(&self) -> Option<&'k PublicKey> {
        let signature = self.parts.decoded.signature();
        self.keys.as_slice().iter().copied().find(|key| key.verify(self.algorithm, self.parts.signing_input, signature))
    }

    /// What is to be verified, if there is only one key that the token may have been signed with.
    fn message_of_only_key(&self) -> Option<SignedMessage<'_>> {
        let [key] = *self.keys.as_slice() else { return None };
        let (message, signature) = (self.parts.signing_input, self.parts.decoded.signature());
        Some(SignedMessage { key, algorithm: self.algorithm, message, signature })
    }

    /// The token as signed by this key, under which the signature is valid.
    fn signed_by(self, key: &PublicKey) -> VerifiedJws {
        let key_id = key.key_id().map(str::to_owned);
        let key_issuer = key.shared_issuer();
        VerifiedJws { decoded: self.parts.decoded, algorithm: self.algorithm, key_id, key_issuer }
    }
}

impl VerifiedJws {
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

    /// The `kid` of the key that verified the signature, where that key has one.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }
}

impl VerifiedToken {
    /// The signature layer: header, payload, algorithm, key.
    pub fn jws(&self) -> &VerifiedJws {
        &self.jws
    }

    /// The registered claims.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The scopes as [`ResourceScopes::from_claim`] reads them: compiled once, save for a token in a cache that has no room to
    /// keep them.
    pub fn resource_scopes(&self) -> Arc<ResourceScopes> {
        self.matchers.resource(self.claims.scopes())
    }

    /// The scopes as [`SlotScopes::from_claim`] reads them: compiled once, save for a token in a cache that has no room to
    /// keep them.
    pub fn slot_scopes(&self) -> Arc<SlotScopes> {
        self.matchers.slot(self.claims.scopes())
    }

    /// The scopes as [`PlainScopes::from_claim`] reads them: compiled once, save for a token in a cache that has no room to
    /// keep them.
    pub fn plain_scopes(&self) -> Arc<PlainScopes> {
        self.matchers.plain(self.claims.scopes())
    }

    /// On whose behalf the token's holder acts: the chain that the claims record, in whichever form.
    ///
    /// # Errors
    /// [`DelegationError`] where a form that is not a registered claim is malformed, or where there is more than one.
    pub fn delegation(&self) -> Result<DelegationChain, DelegationError> {
        let scopes = || Ok(self.claims.scopes().map(str::to_owned).collect());
        DelegationChain::read(&self.members()?, &scopes)
    }

    /// Who may act on behalf of the token's subject (RFC 8693 section 4.4), where the token says so.
    ///
    /// # Errors
    /// None in fact: a token whose `may_act` is malformed is not verified.
    pub fn may_act(&self) -> Result<Option<MayAct>, DelegationError> {
        MayAct::read(&self.members()?)
    }

    /// Whether the times of the claims still hold: of all that was checked, what may change.
    pub(crate) fn is_valid_at(&self, policy: &Policy, now: UnixTime) -> bool {
        policy.check_times(&self.claims, now).is_ok()
    }

    /// The token, if its binding to a key allows what came with it.
    fn bound(self, token: &[u8], policy: &Policy, proof: Option<&DpopProof>) -> Result<Self, Refusal> {
        match self.check_binding(token, policy, proof) {
            Ok(()) => Ok(self),
            Err(error) => Err(Refusal::of_signed(self.jws, error)),
        }
    }

    /// Checks the binding to a key, which depends on what came with the token.
    pub(crate) fn check_binding(&self, token: &[u8], policy: &Policy, proof: Option<&DpopProof>) -> Result<(), Error> {
        match proof {
            None => policy.check_binding(&self.claims),
            Some(proof) => proof.check_possession(token, self.claims.confirmation()),
        }
    }

    /// Checks the binding to a key by a proof that is still to be verified.
    pub(crate) fn check_proof(
        &self,
        token: &[u8],
        proof: &UnverifiedProof<'_>,
        now: UnixTime,
    ) -> Result<DpopProof, Error> {
        proof.verify(token, self.claims.confirmation(), now)
    }

    /// The token as a cache keeps it: without memory to spare, and with its compiled scopes counted against the quota.
    pub(crate) fn kept_within(mut self, quota: &Arc<Quota>) -> Self {
        self.jws.decoded.shrink();
        self.claims.shrink();
        self.matchers = Matchers::within(quota);
        self
    }

    /// The bytes that it takes behind an `Arc`, without its compiled scopes.
    pub(crate) fn size(&self) -> usize {
        // The issuer of the key is the key's own text, shared by all of its tokens.
        let Self { jws: VerifiedJws { decoded, algorithm: _, key_id, key_issuer: _ }, claims, matchers: _ } = self;
        allocated(2 * size_of::<usize>() + size_of::<Self>())
            + decoded.heap()
            + vector::<u8>(key_id.as_ref().map_or(0, String::capacity))
            + claims.heap()
    }

    fn members(&self) -> Result<Object<'_>, DelegationError> {
        Object::parse(self.jws.payload()).map_err(|error| DelegationError::Malformed(error.into()))
    }
}

impl std::fmt::Debug for VerifiedJws {
    /// Shows the key and the sizes, nothing of what is signed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifiedJws")
            .field("key_id", &self.key_id)
            .field("algorithm", &self.algorithm)
            .field("payload_bytes", &self.payload().len())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for VerifiedToken {
    /// Shows the key and the sizes, nothing of the claims.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("VerifiedToken").field(&self.jws).finish()
    }
}
