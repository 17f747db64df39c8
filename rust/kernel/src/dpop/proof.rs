//! A proof: what is demanded of it, and the checks of RFC 9449 section 4.3.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use super::embedded_key::embedded_key;
use super::error::ProofError;
use super::possession::check_hash;
use super::uri::TargetUri;
use crate::algorithm::{Algorithm, AlgorithmSet};
use crate::error::Error;
use crate::json::Object;
use crate::jws::Header;
use crate::jws::MediaType;
use crate::jws::member::{date, must_be, text};
use crate::jws::{Compact, Limits};
use crate::policy::PolicyError;
use crate::replay::{HOLDER_BYTES, ReplayId};
use crate::time::{NumericDate, UnixTime};

/// How long a proof and its header may be, in bytes of the encoded form. A proof by an RSA key of 4096 bits has about
/// 2,000, and its URI is all that may be long.
pub const PROOF_LIMITS: Limits = Limits { token: 8 * 1024, header: 4 * 1024 };

/// What is demanded of every proof, compiled once.
#[derive(Debug, Clone, PartialEq)]
pub struct ProofPolicy {
    limits: Limits,
    algorithms: AlgorithmSet,
    max_age: f64,
    leeway: f64,
}

/// The request that a proof came with.
#[derive(Debug, Clone, Copy)]
pub struct ProofRequest<'a> {
    /// The method, compared exactly: methods are case-sensitive (RFC 9110 section 9.1).
    pub method: &'a str,
    /// The absolute URI, compared by [`TargetUri`].
    pub uri: &'a str,
    /// The access token, where one is presented: the proof must carry its hash.
    pub access_token: Option<&'a [u8]>,
    /// The thumbprint of the key that the proof must be signed by, if that is known beforehand. A proof by another key is
    /// refused before anything is computed with that key.
    pub expected_jkt: Option<&'a str>,
    /// The nonces of the server that are good now, where any is demanded.
    pub nonces: Option<&'a [String]>,
}

/// A proof that passed every check. It cannot be made but by [`verify_proof`].
#[derive(Clone)]
pub struct DpopProof {
    jkt: String,
    jwk: String,
    algorithm: Algorithm,
    token_id: String,
    method: String,
    uri: String,
    issued_at: NumericDate,
    nonce: Option<String>,
    access_token_hash: Option<String>,
    expires_at: f64,
}

impl ProofPolicy {
    /// A proof may be signed by one of `algorithms`, be up to `max_age` seconds old, and up to `leeway` seconds ahead.
    ///
    /// # Errors
    /// [`PolicyError`] where there is no algorithm, or a number of seconds is negative or not finite.
    pub fn new(limits: Limits, algorithms: AlgorithmSet, max_age: f64, leeway: f64) -> Result<Self, PolicyError> {
        if algorithms.is_empty() {
            return Err(PolicyError::new("algorithms is empty: list what is allowed"));
        }
        for (name, seconds) in [("max_age", max_age), ("leeway", leeway)] {
            if !seconds.is_finite() || seconds < 0.0 {
                return Err(PolicyError::new(&format!("{name} must be a finite number of seconds, 0 or more")));
            }
        }
        Ok(Self { limits, algorithms, max_age, leeway })
    }
}

/// Verifies a proof as of the moment `now`. Whether it was used before is for a [`ReplayCache`](crate::ReplayCache) to
/// say, as the last check of all.
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
    if claims.method != request.method {
        return Err(ProofError::WrongMethod);
    }
    check_uri(&claims.uri, request.uri)?;
    check_nonce(claims.nonce.as_deref(), request.nonces)?;
    claims.check_times(policy, now.seconds())?;
    if let Some(token) = request.access_token {
        check_hash(claims.access_token_hash.as_deref(), token)?;
    }
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
        expires_at: claims.issued_at.seconds() + policy.max_age + policy.leeway,
    })
}

/// What is wrong with the form of a token, said of a proof.
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
        .ok_or(ProofError::AlgorithmNotAllowed("the DPoP proof's \"alg\" is not one that is allowed"))
}

/// The claims of a proof (RFC 9449 section 4.2), typed.
struct Claims {
    token_id: String,
    method: String,
    uri: String,
    issued_at: NumericDate,
    expires_at: Option<NumericDate>,
    not_before: Option<NumericDate>,
    nonce: Option<String>,
    access_token_hash: Option<String>,
}

impl Claims {
    fn read(payload: &[u8]) -> Result<Self, ProofError> {
        let members = Object::parse(payload).map_err(|error| ProofError::MalformedClaims(error.into()))?;
        let required = |name| text(&members, name)?.ok_or(ProofError::MissingClaim(name));
        let token_id = required("jti")?;
        if token_id.is_empty() {
            return Err(must_be("jti", "a string that is not empty").into());
        }
        Ok(Self {
            token_id,
            method: required("htm")?,
            uri: required("htu")?,
            issued_at: date(&members, "iat")?.ok_or(ProofError::MissingClaim("iat"))?,
            // Not among a proof's own claims, but RFC 7519 gives them their meaning in any JWT.
            expires_at: date(&members, "exp")?,
            not_before: date(&members, "nbf")?,
            nonce: text(&members, "nonce")?,
            access_token_hash: text(&members, "ath")?,
        })
    }

    /// The proof is not too old and not from the future: the clock of whoever made it may be ahead by the leeway.
    fn check_times(&self, policy: &ProofPolicy, now: f64) -> Result<(), ProofError> {
        let age = now - self.issued_at.seconds();
        if age > policy.max_age {
            return Err(ProofError::Expired { by: age - policy.max_age });
        }
        if let Some(late) = self.expires_at.map(|exp| now - exp.seconds()).filter(|late| *late >= policy.leeway) {
            return Err(ProofError::Expired { by: late });
        }
        let start = self.not_before.map_or(self.issued_at.seconds(), |nbf| nbf.seconds().max(self.issued_at.seconds()));
        if start - now > policy.leeway {
            return Err(ProofError::IssuedInFuture { by: start - now });
        }
        Ok(())
    }
}

fn check_uri(claimed: &str, requested: &str) -> Result<(), ProofError> {
    let normalised = |uri| TargetUri::parse(uri).map_err(|error| ProofError::WrongUri(Some(error)));
    if normalised(claimed)? == normalised(requested)? { Ok(()) } else { Err(ProofError::WrongUri(None)) }
}

/// Nonces are no secrets: whoever asks is given one. They are compared like any other text.
fn check_nonce(nonce: Option<&str>, good: Option<&[String]>) -> Result<(), ProofError> {
    match (nonce, good) {
        (_, None) => Ok(()),
        (None, Some(_)) => Err(ProofError::NonceRequired),
        (Some(nonce), Some(good)) if good.iter().any(|one| one == nonce) => Ok(()),
        (Some(_), Some(_)) => Err(ProofError::WrongNonce),
    }
}

impl DpopProof {
    /// The RFC 7638 thumbprint of the key that signed the proof.
    pub fn jkt(&self) -> &str {
        &self.jkt
    }

    /// The public key as it came: a JWK.
    pub fn jwk(&self) -> &str {
        &self.jwk
    }

    /// The algorithm of the signature.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// `jti`
    pub fn token_id(&self) -> &str {
        &self.token_id
    }

    /// `htm`
    pub fn method(&self) -> &str {
        &self.method
    }

    /// `htu` as it came.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// `iat`
    pub fn issued_at(&self) -> NumericDate {
        self.issued_at
    }

    /// `nonce`
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// `ath`
    pub fn access_token_hash(&self) -> Option<&str> {
        self.access_token_hash.as_deref()
    }

    /// Under what name the proof is remembered. Its first half is that of the key's thumbprint, the second one of a hash
    /// of the thumbprint and `jti`: ids are unique for each key only, nobody can use up another one's, and a memory can
    /// tell whose they are.
    pub fn replay_id(&self) -> ReplayId {
        // The thumbprint always has 43 characters, so the two cannot run into each other.
        let proof = Sha256::new().chain_update(&self.jkt).chain_update(&self.token_id).finalize();
        let key = BASE64URL_NOPAD.decode(self.jkt.as_bytes()).unwrap_or_default();
        let mut id = ReplayId::default();
        for (byte, of) in id.iter_mut().zip(key.iter().take(HOLDER_BYTES).chain(&proof)) {
            *byte = *of;
        }
        id
    }

    /// Until when it must be remembered, in Unix seconds: as long as any verifier, whose clock may be behind by the
    /// leeway, would still take it.
    pub fn expires_at(&self) -> f64 {
        self.expires_at
    }
}

impl fmt::Debug for DpopProof {
    /// Shows the algorithm, nothing of what is signed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopProof").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}
