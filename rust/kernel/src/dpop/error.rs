//! Why a proof is rejected: a closed set of errors.

use std::fmt;

use super::uri::UriError;
use crate::error::{Malformed, Seconds};
use crate::key_params::KeyDefect;

/// Why a proof was rejected. Each variant has a stable [`code`](ProofError::code); its `Display` is one sentence that
/// contains no part of the proof.
///
/// The variants are in the order of the checks: the first check that fails determines the error.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ProofError {
    /// There is more than one proof: several header fields, which some servers join with commas (RFC 9449 section 4.3,
    /// check 1).
    Several,
    /// The proof or its header is longer than the limit, in bytes of the encoded form.
    TooLarge {
        /// The part that is too large: `"proof"` or `"header"`.
        part: &'static str,
        /// Its length in bytes.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Not a JWS in compact form (check 2).
    Malformed(&'static str),
    /// The JOSE header is malformed (check 2).
    MalformedHeader(Malformed),
    /// The header requires an extension (RFC 7515 section 4.1.11); none is supported.
    UnsupportedCriticalHeader(&'static str),
    /// `typ` is not `dpop+jwt` (check 4).
    WrongType,
    /// `alg` is not one of the allowed asymmetric algorithms, or not one of the key's (check 5).
    AlgorithmNotAllowed(&'static str),
    /// The header's `jwk` contains a private key (check 7).
    PrivateKey,
    /// The header's `jwk` is missing, malformed or not supported.
    InvalidKey(KeyDefect),
    /// The signature is invalid under the header's key (check 6).
    InvalidSignature,
    /// The payload is not a JWT claims set, or a claim has the wrong type.
    MalformedClaims(Malformed),
    /// A required claim is missing (check 3).
    MissingClaim(&'static str),
    /// `htm` is not the method of the request (check 8).
    WrongMethod,
    /// `htu` is not the URI of the request (check 9).
    WrongUri(Option<UriError>),
    /// A nonce is required and missing (check 10).
    NonceRequired,
    /// `nonce` is not one of the server's current nonces (check 10).
    WrongNonce,
    /// `iat` is too old, or `exp` has passed (check 11).
    Expired {
        /// By how many seconds.
        by: f64,
    },
    /// `iat` or `nbf` is in the future (check 11).
    IssuedInFuture {
        /// By how many seconds.
        by: f64,
    },
    /// The proof is not bound to the access token (check 12). A wrong key is detected as soon as the key is read, before
    /// anything is computed with it.
    Possession(Possession),
}

/// Why a proof does not match an access token (RFC 9449 sections 4.3, 6 and 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Possession {
    /// `ath` is missing although an access token is presented.
    NoAccessTokenHash,
    /// `ath` is the hash of another access token.
    WrongAccessToken,
    /// The proof's key is not the one that the token is bound to.
    KeyMismatch,
    /// The token is not bound to any key.
    UnboundToken,
}

impl ProofError {
    /// The stable name of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Several => "dpop_several_proofs",
            Self::TooLarge { .. } => "dpop_too_large",
            Self::Malformed(_) | Self::MalformedHeader(_) => "dpop_malformed_proof",
            Self::UnsupportedCriticalHeader(_) => "dpop_unsupported_critical_header",
            Self::WrongType => "dpop_wrong_type",
            Self::AlgorithmNotAllowed(_) => "dpop_algorithm_not_allowed",
            Self::PrivateKey => "dpop_private_key",
            Self::InvalidKey(_) => "dpop_invalid_key",
            Self::InvalidSignature => "dpop_invalid_signature",
            Self::MalformedClaims(_) => "dpop_malformed_claims",
            Self::MissingClaim(_) => "dpop_missing_claim",
            Self::WrongMethod => "dpop_wrong_method",
            Self::WrongUri(_) => "dpop_wrong_uri",
            Self::NonceRequired => "dpop_nonce_required",
            Self::WrongNonce => "dpop_wrong_nonce",
            Self::Expired { .. } => "dpop_expired",
            Self::IssuedInFuture { .. } => "dpop_issued_in_future",
            Self::Possession(what) => what.code(),
        }
    }
}

impl Possession {
    /// The stable name of this error.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoAccessTokenHash => "dpop_missing_claim",
            Self::WrongAccessToken => "dpop_wrong_access_token",
            Self::KeyMismatch => "dpop_key_mismatch",
            Self::UnboundToken => "dpop_unbound_token",
        }
    }
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Several => f.write_str("the request has more than one DPoP proof, or one with a comma in it"),
            Self::TooLarge { part: "proof", length, limit } => {
                write!(f, "the DPoP proof has {length} bytes; the limit is {limit}")
            }
            Self::TooLarge { part, length, limit } => {
                write!(f, "the DPoP proof's {part} has {length} bytes; the limit is {limit}")
            }
            Self::Malformed(what) => write!(f, "the DPoP proof is malformed: {what}"),
            Self::MalformedHeader(what) => write!(f, "the DPoP proof's header is malformed: {what}"),
            Self::UnsupportedCriticalHeader(name) => {
                write!(f, "the DPoP proof's header has \"{name}\", and no header extension is supported")
            }
            Self::WrongType => f.write_str("the DPoP proof's \"typ\" is not \"dpop+jwt\""),
            Self::AlgorithmNotAllowed(what) => f.write_str(what),
            Self::PrivateKey => {
                f.write_str("the DPoP proof's \"jwk\" contains a private key, which is now compromised")
            }
            Self::InvalidKey(defect) => write!(f, "the DPoP proof's \"jwk\" is not a usable public key: {defect}"),
            Self::InvalidSignature => f.write_str("the DPoP proof's signature is invalid"),
            Self::MalformedClaims(what) => write!(f, "the DPoP proof's claims are malformed: {what}"),
            Self::MissingClaim(name) => write!(f, "the DPoP proof lacks the claim \"{name}\""),
            Self::WrongMethod => f.write_str("the DPoP proof's \"htm\" is not the method of the request"),
            Self::WrongUri(None) => f.write_str("the DPoP proof's \"htu\" is not the URI of the request"),
            Self::WrongUri(Some(what)) => {
                write!(f, "the DPoP proof's \"htu\" and the URI of the request cannot be compared: {what}")
            }
            Self::NonceRequired => f.write_str("the DPoP proof lacks the server's nonce"),
            Self::WrongNonce => f.write_str("the DPoP proof's \"nonce\" is not a current nonce of the server"),
            Self::Expired { by } => write!(f, "the DPoP proof is {} s too old", Seconds(*by)),
            Self::IssuedInFuture { by } => write!(f, "the DPoP proof is {} s ahead of this clock", Seconds(*by)),
            Self::Possession(what) => write!(f, "{what}"),
        }
    }
}

impl fmt::Display for Possession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAccessTokenHash => "the DPoP proof lacks the claim \"ath\", the hash of the access token",
            Self::WrongAccessToken => "the DPoP proof's \"ath\" is the hash of another access token",
            Self::KeyMismatch => "the access token is bound to another key than that of the DPoP proof",
            Self::UnboundToken => "the access token that was sent with a DPoP proof is not bound to a key",
        })
    }
}

impl std::error::Error for ProofError {}

impl From<Malformed> for ProofError {
    fn from(malformed: Malformed) -> Self {
        Self::MalformedClaims(malformed)
    }
}

impl From<Possession> for ProofError {
    fn from(error: Possession) -> Self {
        Self::Possession(error)
    }
}
