//! The pipeline: what every token goes through, top to bottom.

use std::sync::{Arc, OnceLock};

use crate::algorithm::Algorithm;
use crate::claims::Claims;
use crate::compact::{Compact, Decoded};
use crate::delegation::{DelegationChain, DelegationError, MayAct};
use crate::dpop::DpopProof;
use crate::error::Error;
use crate::header::Header;
use crate::json::Object;
use crate::jws_policy::JwsPolicy;
use crate::key::{PublicKey, Signed, verify_each};
use crate::key_set::{Candidates, KeySet};
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::scope::{PlainScopes, ResourceScopes, SlotScopes};
use crate::time::UnixTime;

/// A signed object whose signature holds. It cannot be made but by [`verify_jws`].
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedJws {
    decoded: Decoded,
    algorithm: Algorithm,
    key_id: Option<String>,
}

/// A JWT that passed every check. It cannot be made but by [`verify`].
#[derive(Clone)]
pub struct VerifiedToken {
    jws: VerifiedJws,
    claims: Claims,
    matchers: Matchers,
}

/// The token's scopes, compiled when they are first asked for.
#[derive(Clone, Default)]
struct Matchers {
    resource: OnceLock<Arc<ResourceScopes>>,
    slot: OnceLock<Arc<SlotScopes>>,
    plain: OnceLock<Arc<PlainScopes>>,
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

/// Verifies a JWS in compact form (RFC 7515 section 5.2), whatever its payload is.
///
/// # Errors
/// The first check that fails, in the order of [`Error`]'s variants.
pub fn verify_jws(token: &[u8], keys: &KeySet, policy: &JwsPolicy) -> Result<VerifiedJws, Error> {
    let opened = open(token, keys, policy)?;
    let key = opened.key().ok_or(Error::InvalidSignature)?;
    Ok(opened.signed_by(key))
}

pub(crate) fn judge(
    token: &[u8],
    keys: &KeySet,
    policy: &Policy,
    now: UnixTime,
    proof: Option<&DpopProof>,
) -> Result<VerifiedToken, Refusal> {
    close(verify_jws(token, keys, policy.jws())?, token, policy, now, proof)
}

/// What [`judge`] says of each of the tokens, in their order, without proofs. The signatures of those that name one key
/// each, which is nearly all of them, are verified together.
pub(crate) fn judge_each(
    tokens: &[&[u8]],
    keys: &KeySet,
    policy: &Policy,
    now: UnixTime,
) -> Vec<Result<VerifiedToken, Refusal>> {
    let opened: Vec<_> = tokens.iter().map(|token| open(token, keys, policy.jws())).collect();
    let named: Vec<_> = opened.iter().map(|opened| opened.as_ref().ok()?.by_its_only_key()).collect();
    let signed: Vec<_> = named.iter().flatten().copied().collect();
    let mut verdicts = verify_each(&signed).into_iter();
    let holds: Vec<_> = named.iter().map(|named| named.and_then(|_| verdicts.next())).collect();
    let jws = opened.into_iter().zip(holds).map(|(opened, holds)| {
        let opened = opened?;
        let key = match (holds, opened.keys.as_slice()) {
            (Some(holds), [key]) => holds.then_some(*key),
            _ => opened.key(),
        };
        key.map(|key| opened.signed_by(key)).ok_or(Error::InvalidSignature)
    });
    jws.zip(tokens).map(|(jws, token)| close(jws?, token, policy, now, None)).collect()
}

/// A token before its signature is looked at, and the keys that it may have been signed with.
struct Opened<'t, 'k> {
    parts: Compact<'t>,
    algorithm: Algorithm,
    keys: Candidates<'k>,
}

/// Everything that comes before the signature. Nothing of the payload is looked at.
fn open<'t, 'k>(token: &'t [u8], keys: &'k KeySet, policy: &JwsPolicy) -> Result<Opened<'t, 'k>, Error> {
    let parts = Compact::parse(token, policy.limits())?;
    let header = Header::parse(parts.decoded.header())?;
    header.check_extensions()?;
    policy.check_type(header.media_type.as_deref())?;
    let algorithm = policy.algorithm(&header.algorithm)?;
    let keys = keys.candidates(header.key_id.as_deref(), algorithm)?;
    Ok(Opened { parts, algorithm, keys })
}

/// Everything that comes after it: only now is the payload believed to be the issuer's.
fn close(
    jws: VerifiedJws,
    token: &[u8],
    policy: &Policy,
    now: UnixTime,
    proof: Option<&DpopProof>,
) -> Result<VerifiedToken, Refusal> {
    let claims = match check_claims(jws.payload(), policy, now) {
        Ok(claims) => claims,
        Err(error) => return Err(Refusal::of_signed(jws, error)),
    };
    let verified = VerifiedToken { jws, claims, matchers: Matchers::default() };
    match verified.check_binding(token, policy, proof) {
        Ok(()) => Ok(verified),
        Err(error) => Err(Refusal::of_signed(verified.jws, error)),
    }
}

fn check_claims(payload: &[u8], policy: &Policy, now: UnixTime) -> Result<Claims, Error> {
    let members = Object::parse(payload).map_err(|error| Error::MalformedClaims(error.into()))?;
    let claims = Claims::read(&members, policy.scope_claims()).map_err(Error::MalformedClaims)?;
    policy.check(&claims, &members, now)?;
    Ok(claims)
}

impl<'k> Opened<'_, 'k> {
    /// The first of the keys under which the signature holds.
    fn key(&self) -> Option<&'k PublicKey> {
        let signature = self.parts.decoded.signature();
        self.keys.as_slice().iter().copied().find(|key| key.verify(self.algorithm, self.parts.signing_input, signature))
    }

    /// The signature and the key that it should be by, where that is one.
    fn by_its_only_key(&self) -> Option<Signed<'_>> {
        let [key] = *self.keys.as_slice() else { return None };
        let (message, signature) = (self.parts.signing_input, self.parts.decoded.signature());
        Some(Signed { key, algorithm: self.algorithm, message, signature })
    }

    /// The token as signed by this key, under which the signature holds.
    fn signed_by(self, key: &PublicKey) -> VerifiedJws {
        let key_id = key.key_id().map(str::to_owned);
        VerifiedJws { decoded: self.parts.decoded, algorithm: self.algorithm, key_id }
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

    /// The scopes as [`ResourceScopes::from_claim`] reads them, compiled once.
    pub fn resource_scopes(&self) -> &Arc<ResourceScopes> {
        self.matchers.resource.get_or_init(|| Arc::new(ResourceScopes::from_claim(self.claims.scopes())))
    }

    /// The scopes as [`SlotScopes::from_claim`] reads them, compiled once.
    pub fn slot_scopes(&self) -> &Arc<SlotScopes> {
        self.matchers.slot.get_or_init(|| Arc::new(SlotScopes::from_claim(self.claims.scopes())))
    }

    /// The scopes as [`PlainScopes::from_claim`] reads them, compiled once.
    pub fn plain_scopes(&self) -> &Arc<PlainScopes> {
        self.matchers.plain.get_or_init(|| Arc::new(PlainScopes::from_claim(self.claims.scopes())))
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

    /// Judges the binding to a key, which depends on what came with the token.
    pub(crate) fn check_binding(&self, token: &[u8], policy: &Policy, proof: Option<&DpopProof>) -> Result<(), Error> {
        match proof {
            None => policy.check_binding(&self.claims),
            Some(proof) => proof.check_possession(token, self.claims.confirmation()),
        }
    }

    /// The bytes that it takes, about: what is decoded, the claims that are read from it, and the scopes once they are
    /// compiled, each word of them a string or two.
    pub(crate) fn size(&self) -> usize {
        let words = self.claims.scopes().map(|scope| 128 + 4 * scope.len()).sum::<usize>();
        size_of::<Self>() + self.jws.header().len() + 3 * self.jws.payload().len() + words
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
