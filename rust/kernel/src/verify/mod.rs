//! The pipeline: the checks that every token goes through, top to bottom.

pub mod audit;
mod batch;
mod binding;
mod compiled_scopes;
mod examined;
mod parsed;
mod rejection;
mod token_cache;
mod verified;

pub use batch::{Row, verify_many, verify_rows, verify_rows_until};
pub use binding::ProofOfPossession;
pub use rejection::Rejection;
pub use token_cache::{CacheLookup, CacheMiss, CacheStats, CheckedToken, TokenCache};
pub use verified::{VerifiedJws, VerifiedToken};

use std::borrow::Cow;

use crate::algorithm::Algorithm;
use crate::certificate::ClientCertificate;
use crate::dpop::{DpopProof, UnverifiedProof};
use crate::error::Error;
use crate::jws::{Compact, Header, JwsPolicy};
use crate::key_set::KeySet;
use crate::policy::Policy;
use crate::time::UnixTime;
use examined::ExaminedToken;
use parsed::ParsedToken;

/// Verifies a JWT (RFC 7519 section 7.2) at the time `now`.
///
/// `possession` is what was sent with the token: a DPoP proof, a client certificate, or nothing.
///
/// # Errors
/// The first check that fails, in the order of [`Error`]'s variants. The binding is the last: to a certificate, then to
/// a key.
pub fn verify(
    token: &[u8],
    keys: &KeySet,
    policy: &Policy,
    now: UnixTime,
    possession: ProofOfPossession<'_>,
) -> Result<VerifiedToken, Rejection> {
    check_all_but_binding(token, keys, policy, now)?.with_binding_checked(token, policy, possession)
}

/// Verifies a JWT and the proof that was sent with it: the token first, and completely, then the proof, by the key that
/// the token is bound to. A proof is not read before its token is valid and bound: without such a token, nobody can make a
/// verifier check a signature by a key of their own choosing. `certificate` is the client certificate of the connection, if
/// there is one; a token that is bound to it, too, is checked for that before the proof is read.
///
/// Whether the proof was used before is the last check of all, made by a [`ReplayCache`](crate::ReplayCache).
///
/// # Errors
/// As [`verify`] for the token and the certificate; then [`Error::Proof`] if it is not bound to a key, or for the proof as
/// [`verify_proof`](crate::verify_proof).
pub fn verify_request(
    token: &[u8],
    keys: &KeySet,
    policy: &Policy,
    now: UnixTime,
    proof: &UnverifiedProof<'_>,
    certificate: Option<ClientCertificate<'_>>,
) -> Result<(VerifiedToken, DpopProof), Rejection> {
    let verified = check_all_but_binding(token, keys, policy, now)?;
    match verified.check_proof(token, policy, proof, certificate, now) {
        Ok(proof) => Ok((verified, proof)),
        Err(error) => Err(Rejection::of_signed(verified.into_jws(), error)),
    }
}

/// Verifies a JWS in compact form (RFC 7515 section 5.2), whatever its payload is.
///
/// # Errors
/// The first check that fails, in the order of [`Error`]'s variants.
pub fn verify_jws(token: &[u8], keys: &KeySet, policy: &JwsPolicy) -> Result<VerifiedJws, Error> {
    let parsed = parse(token, keys, policy)?;
    let key = parsed.signing_key();
    parsed.signed_by(key)
}

/// A token that passed every check but the last, that of its binding. The caller must make that one before the
/// token leaves this module.
fn check_all_but_binding(
    token: &[u8],
    keys: &KeySet,
    policy: &Policy,
    now: UnixTime,
) -> Result<VerifiedToken, Rejection> {
    ExaminedToken::new(verify_jws(token, keys, policy.jws())?, policy)?.at(policy, now)
}

/// The checks before the signature. Nothing of the payload is read.
fn parse<'t, 'k>(token: &'t [u8], keys: &'k KeySet, policy: &JwsPolicy) -> Result<ParsedToken<'t, 'k>, Error> {
    let parts = Compact::parse(token, policy.limits())?;
    let (algorithm, key_id) = read_header(&parts, policy)?;
    let keys = keys.candidates(key_id.as_deref(), algorithm)?;
    Ok(ParsedToken { parts, algorithm, keys })
}

/// The checks of the header that need no key. Returns the algorithm and the `kid`.
fn read_header<'p>(parts: &'p Compact<'_>, policy: &JwsPolicy) -> Result<(Algorithm, Option<Cow<'p, str>>), Error> {
    let header = Header::parse(parts.decoded.header())?;
    header.check_extensions()?;
    policy.check_type(header.media_type.as_deref())?;
    let algorithm = policy.algorithm(&header.algorithm)?;
    Ok((algorithm, header.key_id))
}
