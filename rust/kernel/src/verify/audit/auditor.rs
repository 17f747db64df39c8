//! Rows in, verdicts out.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::quality::RandomState;

use super::audited::AuditedToken;
use super::failure::AuditFailure;
use super::issuer_keys::{AuditKeys, Fitting, IssuerKeys};
use super::place::Place;
use super::repeated::RepeatedTokens;
use super::row::AuditRow;
use crate::dpop::{DpopProof, ProofPolicy, UnverifiedProof};
use crate::history::{KeyLayer, KeyState, PolicyEpoch, PolicyHistory};
use crate::jws::{Compact, Header};
use crate::key::PublicKey;
use crate::policy::PolicyError;
use crate::time::UnixTime;
use crate::verify::batch::MAX_CHUNK;
use crate::verify::parsed::{ParsedToken, verify_together};
use crate::verify::{ProofOfPossession, VerifiedJws, VerifiedToken, read_header};

/// The rows of which a token that occurs again is found without the cache: few enough that their tokens stay in the
/// processor's cache.
const BLOCK: usize = 512;

/// Verifies rows of a log. Threads can share one.
pub struct Auditor {
    keys: IssuerKeys,
    policies: PolicyHistory,
    proofs: ProofPolicy,
    repeated: Option<RepeatedTokens>,
    examined: AtomicU64,
}

/// The verdict on one use of a token.
pub struct AuditVerdict<'a> {
    /// What is known of the token; `None` if the row has no token or no valid time.
    pub token: Option<&'a AuditedToken>,
    /// The proof that was sent with it, if it was valid like the token; or why the use was not valid.
    pub outcome: Result<Option<DpopProof>, AuditFailure>,
}

/// A token that occurs for the first time in a block.
struct New<'t, 'k> {
    token: &'t [u8],
    place: Place,
    parsed: Result<Parsed<'t, 'k>, AuditFailure>,
}

/// A token with the keys of the first layer that may have signed it, and the layers after that one.
struct Parsed<'t, 'k> {
    token: ParsedToken<'t, 'k>,
    state: KeyState,
    later: &'k [KeyLayer],
    is_recorded: bool,
}

/// What is known of the token of a row.
enum Known {
    Nothing,
    Before(Arc<AuditedToken>),
    New(usize),
}

impl Auditor {
    /// An auditor with these keys and policies, which keeps at most `cache_bytes` of tokens that may occur again; 0 for
    /// none.
    ///
    /// # Errors
    /// [`PolicyError`] if an issuer's name is empty or given twice.
    pub fn new(
        keys: AuditKeys,
        policies: PolicyHistory,
        proofs: ProofPolicy,
        cache_bytes: usize,
    ) -> Result<Self, PolicyError> {
        let repeated = (cache_bytes > 0).then(|| RepeatedTokens::new(cache_bytes));
        Ok(Self { keys: IssuerKeys::new(keys)?, policies, proofs, repeated, examined: AtomicU64::new(0) })
    }

    /// How many tokens were examined up to their signature: fewer than there were rows if tokens occurred again.
    pub fn examined(&self) -> u64 {
        self.examined.load(Ordering::Relaxed)
    }

    /// Calls `each` with the verdict on each row, in their order. The verdict is what
    /// [`verify_request`](crate::verify_request), or [`verify`](crate::verify()) without a proof, would have been at that
    /// time.
    pub fn audit(&self, rows: &[AuditRow<'_>], mut each: impl FnMut(&AuditRow<'_>, AuditVerdict<'_>)) {
        for block in rows.chunks(BLOCK) {
            let (known, new) = self.look_up(block);
            let new = self.examine(new);
            for (row, known) in block.iter().zip(&known) {
                let token = match known {
                    Known::Nothing => None,
                    Known::Before(token) => Some(token),
                    Known::New(index) => new.get(*index),
                };
                each(row, self.verdict(row, token.map(|token| &**token)));
            }
        }
    }

    /// Finds the tokens that occurred before, and parses the others, once each.
    fn look_up<'t>(&self, rows: &[AuditRow<'t>]) -> (Vec<Known>, Vec<New<'t, '_>>) {
        let mut seen: HashMap<&'t [u8], usize, RandomState> = HashMap::default();
        let mut new: Vec<New<'t, '_>> = Vec::new();
        let known = rows.iter().map(|row| {
            let (Some(token), Some(time)) = (row.token, row.time) else { return Known::Nothing };
            let policy = self.policies.index_at(time);
            let is_here = |place: Place| place == self.place(place.issuer, policy, time);
            if let Some(repeated) = &self.repeated {
                if let Some(&index) =
                    seen.get(token).filter(|&&index| new.get(index).is_some_and(|new| is_here(new.place)))
                {
                    return Known::New(index);
                }
                if let Some(found) = repeated.get(token, |token| is_here(token.place)) {
                    return Known::Before(found);
                }
                seen.insert(token, new.len());
            }
            new.push(self.parse(token, policy, time));
            Known::New(new.len().saturating_sub(1))
        });
        (known.collect(), new)
    }

    fn place(&self, issuer: Option<usize>, policy: usize, time: UnixTime) -> Place {
        Place { issuer, keys: self.keys.of(issuer).index_at(time), policy }
    }

    /// The checks before the signature. The issuer is read from the payload that is decoded here, and its keys are the only
    /// ones that are tried.
    fn parse<'t>(&self, token: &'t [u8], policy: usize, time: UnixTime) -> New<'t, '_> {
        let requirements = &self.policies.get(policy).policy;
        let jws_policy = requirements.jws();
        let parts = match Compact::parse(token, jws_policy.limits()) {
            Ok(parts) => parts,
            Err(error) => return New { token, place: self.place(None, policy, time), parsed: Err(error.into()) },
        };
        let issuer = self.keys.issuer_of(&parts.decoded, requirements);
        let place = self.place(issuer, policy, time);
        let found = read_header(&parts, jws_policy).map_err(AuditFailure::from).and_then(|(algorithm, key_id)| {
            let fitting = self.keys.fitting(place, key_id.as_deref(), algorithm)?;
            Ok((algorithm, fitting))
        });
        let parsed = found.map(|(algorithm, Fitting { keys, state, later, is_recorded })| Parsed {
            token: ParsedToken { parts, algorithm, keys },
            state,
            later,
            is_recorded,
        });
        New { token, place, parsed }
    }

    /// Verifies the signatures together, those of all issuers, and examines what was signed.
    fn examine(&self, new: Vec<New<'_, '_>>) -> Vec<Arc<AuditedToken>> {
        self.examined.fetch_add(u64::try_from(new.len()).unwrap_or_default(), Ordering::Relaxed);
        let mut valid: Vec<Option<bool>> = Vec::with_capacity(new.len());
        for some in new.chunks(MAX_CHUNK) {
            valid.extend(verify_together(some.iter().map(|new| Some(&new.parsed.as_ref().ok()?.token))));
        }
        new.into_iter().zip(valid).map(|(new, valid)| self.examine_signed(new, valid)).collect()
    }

    fn examine_signed(&self, new: New<'_, '_>, valid: Option<bool>) -> Arc<AuditedToken> {
        let New { token, place, parsed } = new;
        let examined = match parsed.and_then(|parsed| parsed.signed(valid)) {
            Ok((jws, state)) => AuditedToken::signed(token, place, state, jws, self.policies.get(place.policy)),
            Err(failure) => AuditedToken::unsigned(token, place, failure),
        };
        let examined = Arc::new(examined);
        if let Some(repeated) = &self.repeated {
            repeated.insert(token, &examined);
        }
        examined
    }

    fn verdict<'a>(&self, row: &AuditRow<'_>, known: Option<&'a AuditedToken>) -> AuditVerdict<'a> {
        let outcome = match (row.token, row.time, known) {
            (None, ..) => Err(AuditFailure::MissingToken),
            (Some(_), None, _) | (Some(_), _, None) => Err(AuditFailure::InvalidTime),
            (Some(token), Some(now), Some(known)) => {
                let epoch = self.policies.get(known.place.policy);
                let outcome =
                    known.valid_at(epoch, now).and_then(|valid| self.check_sent(row, token, valid, epoch, now));
                outcome
                    .and_then(|proof| if known.has_scopes() { Ok(proof) } else { Err(AuditFailure::InsufficientScope) })
            }
        };
        AuditVerdict { token: known, outcome }
    }

    /// The checks of what was sent with the token.
    fn check_sent(
        &self,
        row: &AuditRow<'_>,
        token: &[u8],
        valid: &VerifiedToken,
        epoch: &PolicyEpoch,
        now: UnixTime,
    ) -> Result<Option<DpopProof>, AuditFailure> {
        let Some(request) = row.request else {
            valid.check_binding(token, &epoch.policy, ProofOfPossession::default())?;
            return Ok(None);
        };
        let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
        let (method, uri) = (text(request.method), text(request.uri));
        let proof = UnverifiedProof { proof: request.proof, policy: &self.proofs, method, uri, nonces: None };
        Ok(Some(valid.check_proof(token, &epoch.policy, &proof, None, now)?))
    }
}

impl Parsed<'_, '_> {
    /// What is signed, and the state of the key that signed it. `valid` is the result of [`verify_together`] for the first
    /// layer.
    fn signed(self, valid: Option<bool>) -> Result<(VerifiedJws, KeyState), AuditFailure> {
        let Self { token, state, later, is_recorded } = self;
        let (key, state) = match token.key_after(valid) {
            Some(key) => (Some(key), state),
            None => later_key(&token, later).map_or((None, state), |(key, state)| (Some(key), state)),
        };
        if key.is_none() && !is_recorded {
            return Err(AuditFailure::KeysNotRecorded);
        }
        Ok((token.signed_by(key)?, state))
    }
}

/// The key of a later layer that signed a token, and its state.
fn later_key<'k>(token: &ParsedToken<'_, '_>, later: &'k [KeyLayer]) -> Option<(&'k PublicKey, KeyState)> {
    let key_id = Header::parse(token.parts.decoded.header()).ok()?.key_id;
    later.iter().find_map(|layer| {
        let keys = layer.keys.candidates(key_id.as_deref(), token.algorithm).ok()?;
        Some((token.signed_with(keys.as_slice())?, layer.state))
    })
}

impl fmt::Debug for Auditor {
    /// Shows how much was done, nothing of the tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auditor").field("examined", &self.examined()).finish_non_exhaustive()
    }
}

impl fmt::Debug for AuditVerdict<'_> {
    /// Shows the code, nothing of the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.outcome.as_ref().err().map(AuditFailure::code);
        f.debug_struct("AuditVerdict").field("code", &code).finish_non_exhaustive()
    }
}
