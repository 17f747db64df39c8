//! The binding of a proof to an access token: the key that the token is bound to, and the hash of the token (RFC 9449
//! sections 4.3, 6 and 7.1).

use std::borrow::Cow;

use super::error::{Possession, ProofError};
use super::policy::{ProofPolicy, ProofRequest};
use super::proof::DpopProof;
use super::verify::verify_proof;
use crate::claims::Confirmation;
use crate::error::Error;
use crate::json::Object;
use crate::key::thumbprint;
use crate::time::UnixTime;
use crate::token_hash::token_hash;

/// The proof of a request, with what it must match. [`verify_request`](crate::verify_request) reads it only if the token
/// is valid and bound to a key.
#[derive(Clone, Copy)]
pub struct UnverifiedProof<'a> {
    /// The value of the `DPoP` header.
    pub proof: &'a [u8],
    /// The requirements for the proof.
    pub policy: &'a ProofPolicy,
    /// The method of the request.
    pub method: &'a str,
    /// The absolute URI of the request.
    pub uri: &'a str,
    /// The nonces that the server accepts now, if it requires one.
    pub nonces: Option<&'a [String]>,
}

impl UnverifiedProof<'_> {
    /// Verifies the proof for `token`, by the key that the token is bound to.
    pub(crate) fn verify(&self, token: &[u8], bound: &Confirmation, now: UnixTime) -> Result<DpopProof, Error> {
        let jkt = bound_key(bound)?;
        let request = ProofRequest {
            method: self.method,
            uri: self.uri,
            access_token: Some(token),
            expected_jkt: Some(&jkt),
            nonces: self.nonces,
        };
        Ok(verify_proof(self.proof, &request, self.policy, now)?)
    }
}

impl DpopProof {
    /// Checks that this is a proof for `token`, by the key that the token is bound to (RFC 9449 sections 6.1 and 7.1).
    pub(crate) fn check_possession(&self, token: &[u8], bound: &Confirmation) -> Result<(), Error> {
        if bound_key(bound)? != self.jkt() {
            return Err(ProofError::from(Possession::KeyMismatch).into());
        }
        check_hash(self.access_token_hash(), token).map_err(|error| ProofError::from(error).into())
    }
}

/// The thumbprint of the key that a token is bound to. A token that is not bound to a key is rejected, because with a
/// proof it is still only a bearer token.
fn bound_key(bound: &Confirmation) -> Result<Cow<'_, str>, Error> {
    let rejected = |error: Possession| Error::from(ProofError::from(error));
    let jkt = bound.jkt.as_deref().map(Cow::Borrowed);
    let Some(jwk) = &bound.jwk else { return jkt.ok_or(Possession::UnboundToken).map_err(rejected) };
    // A key without a thumbprint is malformed, and a token that names two keys is bound to neither.
    let of_jwk = Object::parse(jwk.as_bytes()).ok().and_then(|jwk| thumbprint(&jwk).ok());
    let of_jwk = of_jwk.filter(|of_jwk| jkt.as_ref().is_none_or(|jkt| jkt == of_jwk));
    of_jwk.map(Cow::Owned).ok_or(Possession::KeyMismatch).map_err(rejected)
}

/// Checks that `ath` is the SHA-256 of the access token as it was sent, in base64url (RFC 9449 section 4.2).
pub(super) fn check_hash(claimed: Option<&str>, token: &[u8]) -> Result<(), Possession> {
    let claimed = claimed.ok_or(Possession::NoAccessTokenHash)?;
    if claimed == token_hash(token) { Ok(()) } else { Err(Possession::WrongAccessToken) }
}
