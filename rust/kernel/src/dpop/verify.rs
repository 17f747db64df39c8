//! The checks of RFC 9449 section 4.3, in order.

use super::claims::Claims;
use super::embedded_key::embedded_key;
use super::error::ProofError;
use super::policy::{ProofPolicy, ProofRequest};
use super::possession::check_hash;
use super::proof::DpopProof;
use super::uri::TargetUri;
use crate::algorithm::Algorithm;
use crate::error::Error;
use crate::jws::Compact;
use crate::jws::Header;
use crate::jws::MediaType;
use crate::time::UnixTime;

/// Verifies a proof as of `now`. Replay is the caller's last check: consume the proof's
/// [`replay_id`](DpopProof::replay_id) in a [`ReplayCache`](crate::ReplayCache).
///
/// # Errors
/// The first check that fails, in the order of [`ProofError`]'s variants.
pub fn verify_proof(
    proof: &[u8],
    request: &ProofRequest<'_>,
    policy: &ProofPolicy,
    now: UnixTime,
) -> Result<DpopProof, ProofError> {
    if proof.contains(&b',') {
        return Err(ProofError::Several);
    }
    let parts = Compact::parse(proof, &policy.limits).map_err(form_error)?;
    let header = Header::parse(parts.decoded.header()).map_err(form_error)?;
    header.check_extensions().map_err(form_error)?;
    check_type(&header)?;
    let algorithm = allowed_algorithm(&header, policy)?;
    let (jwk, key) = embedded_key(&header, request.expected_jkt)?;
    if !key.algorithms().contains(algorithm) {
        return Err(ProofError::AlgorithmNotAllowed("the DPoP proof's \"alg\" is not one of its key's"));
    }
    if !key.verify(algorithm, parts.signing_input, parts.decoded.signature()) {
        return Err(ProofError::InvalidSignature);
    }
    let claims = Claims::read(parts.decoded.payload())?;
    // A request always has a method: an empty one is unknown.
    if claims.method != request.method || request.method.is_empty() {
        return Err(ProofError::WrongMethod);
    }
    check_uri(&claims.uri, request.uri)?;
    check_nonce(claims.nonce.as_deref(), request.nonces)?;
    claims.check_times(policy, now.seconds())?;
    if let Some(token) = request.access_token {
        check_hash(claims.access_token_hash.as_deref(), token)?;
    }
    let expires_at = claims.issued_at.seconds() + policy.max_age + policy.leeway;
    Ok(DpopProof {
        jkt: key.thumbprint().to_owned(),
        jwk,
        algorithm,
        token_id: claims.token_id,
        method: claims.method,
        uri: claims.uri,
        issued_at: claims.issued_at,
        nonce: claims.nonce,
        access_token_hash: claims.access_token_hash,
        expires_at,
    })
}

/// The error of a malformed token as that of a proof.
fn form_error(error: Error) -> ProofError {
    match error {
        Error::TooLarge { part: "header", length, limit } => ProofError::TooLarge { part: "header", length, limit },
        Error::TooLarge { length, limit, .. } => ProofError::TooLarge { part: "proof", length, limit },
        Error::MalformedToken(what) => ProofError::Malformed(what),
        Error::MalformedHeader(what) => ProofError::MalformedHeader(what),
        Error::UnsupportedCriticalHeader(name) => ProofError::UnsupportedCriticalHeader(name),
        _ => ProofError::Malformed("it is not a signed token (RFC 7515)"),
    }
}

fn check_type(header: &Header<'_>) -> Result<(), ProofError> {
    let typ = header.media_type.as_deref().map(MediaType::new);
    if typ == Some(MediaType::new("dpop+jwt")) { Ok(()) } else { Err(ProofError::WrongType) }
}

fn allowed_algorithm(header: &Header<'_>, policy: &ProofPolicy) -> Result<Algorithm, ProofError> {
    Algorithm::from_name(&header.algorithm)
        .filter(|&algorithm| policy.algorithms.contains(algorithm))
        .ok_or(ProofError::AlgorithmNotAllowed("the DPoP proof's \"alg\" is not allowed"))
}

fn check_uri(claimed: &str, requested: &str) -> Result<(), ProofError> {
    let normalised = |uri| TargetUri::parse(uri).map_err(|error| ProofError::WrongUri(Some(error)));
    if normalised(claimed)? == normalised(requested)? { Ok(()) } else { Err(ProofError::WrongUri(None)) }
}

/// Nonces are not secret: the server gives one to every client. They need no comparison in constant time.
fn check_nonce(nonce: Option<&str>, accepted: Option<&[String]>) -> Result<(), ProofError> {
    match (nonce, accepted) {
        (_, None) => Ok(()),
        (None, Some(_)) => Err(ProofError::NonceRequired),
        (Some(nonce), Some(accepted)) if accepted.iter().any(|one| one == nonce) => Ok(()),
        (Some(_), Some(_)) => Err(ProofError::WrongNonce),
    }
}
