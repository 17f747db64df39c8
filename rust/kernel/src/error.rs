//! The closed set of reasons for which a token is rejected.

use std::fmt;

use crate::policy::{Expectation, Mismatch};

/// Why a token was rejected. Each variant has a stable [`code`](Error::code); its `Display` is one sentence for a
/// person, which contains no part of the token except an unknown key id. It may contain what the policy expects.
///
/// The variants are in the order of the checks: the first check that fails determines the error.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The token or its header is longer than the policy allows, in bytes of the encoded form.
    TooLarge {
        /// What is too large: `"token"` or `"header"`.
        part: &'static str,
        /// Its length in bytes.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Not the compact form of RFC 7515 section 7.1.
    MalformedToken(&'static str),
    /// Valid by its standard, but not supported.
    Unsupported(&'static str),
    /// The JOSE header is not acceptable (RFC 7515 section 4).
    MalformedHeader(Malformed),
    /// The header asks for an extension (RFC 7515 section 4.1.11); none is supported.
    UnsupportedCriticalHeader(&'static str),
    /// `typ` is not among those that the policy accepts (RFC 8725 section 3.11).
    WrongType(Mismatch),
    /// `alg` is not known, not allowed by the policy, or not one of the key's (RFC 8725 section 3.1).
    AlgorithmNotAllowed(&'static str),
    /// The set has no key that the token could have been signed with.
    UnknownKey(UnknownKey),
    /// The signature is invalid under every key that it could have been made with.
    InvalidSignature,
    /// The payload is not a JWT claims set (RFC 7519 sections 4 and 7.2).
    MalformedClaims(Malformed),
    /// `exp` has passed (RFC 7519 section 4.1.4).
    Expired {
        /// `exp`, in Unix seconds.
        expires_at: f64,
        /// The time of verification, in Unix seconds.
        now: f64,
    },
    /// `nbf` is in the future (RFC 7519 section 4.1.5).
    NotYetValid {
        /// `nbf`, in Unix seconds.
        not_before: f64,
        /// The time of verification, in Unix seconds.
        now: f64,
    },
    /// `iat` is in the future (RFC 7519 section 4.1.6).
    IssuedInFuture {
        /// `iat`, in Unix seconds.
        issued_at: f64,
        /// The time of verification, in Unix seconds.
        now: f64,
    },
    /// `iss` is not exactly an issuer that the policy names (RFC 7519 section 4.1.1), or `sub` not of its trust domain.
    WrongIssuer(Mismatch),
    /// `aud` names no audience of the policy (RFC 7519 section 4.1.3).
    WrongAudience(Mismatch),
    /// A claim that the policy requires is absent.
    MissingClaim {
        /// The claim's name.
        name: String,
        /// What the policy expects of it, if more than that it is present.
        expected: Option<Expectation>,
    },
    /// The token is bound to a client certificate (RFC 8705 section 3) and was sent without one.
    CertificateRequired,
    /// The token is bound to another client certificate than the one that it was sent with.
    CertificateMismatch,
    /// The token is bound to a key (RFC 7800 section 3, RFC 9449 section 6) and was sent without a proof.
    ProofRequired,
    /// The proof that was sent with the token is invalid, or not for this token.
    Proof(crate::dpop::ProofError),
}

/// What is wrong with a JSON document or with one of its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Malformed {
    /// The bytes are not strict JSON.
    Json(crate::json::Error),
    /// A member has a value that its definition does not allow.
    Member {
        /// The member's name.
        name: &'static str,
        /// What it must be.
        must_be: &'static str,
    },
    /// A claim that the policy names has a value that the policy's use of it does not allow.
    NamedClaim {
        /// The claim's name, as the policy has it.
        name: String,
        /// What it must be.
        must_be: &'static str,
    },
}

/// Why no key was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnknownKey {
    /// The header names this `kid`, and the set has no such key.
    Named(String),
    /// The header has no `kid`, and no key of the set has the algorithm.
    NoneFits,
    /// The header has no `kid`, and more keys of the set have the algorithm than are tried.
    TooManyFit,
}

impl Error {
    /// The stable name of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::MalformedToken(_) => "malformed_token",
            Self::Unsupported(_) => "unsupported",
            Self::MalformedHeader(_) => "malformed_header",
            Self::UnsupportedCriticalHeader(_) => "unsupported_critical_header",
            Self::WrongType(_) => "wrong_type",
            Self::AlgorithmNotAllowed(_) => "algorithm_not_allowed",
            Self::UnknownKey(_) => "unknown_key",
            Self::InvalidSignature => "invalid_signature",
            Self::MalformedClaims(_) => "malformed_claims",
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::IssuedInFuture { .. } => "issued_in_future",
            Self::WrongIssuer(_) => "wrong_issuer",
            Self::WrongAudience(_) => "wrong_audience",
            Self::MissingClaim { .. } => "missing_claim",
            Self::CertificateRequired => "certificate_required",
            Self::CertificateMismatch => "certificate_mismatch",
            Self::ProofRequired => "dpop_proof_required",
            Self::Proof(error) => error.code(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { part, length, limit } => {
                write!(f, "the {part} has {length} bytes; the limit is {limit}")
            }
            Self::MalformedToken(what) | Self::Unsupported(what) => f.write_str(what),
            Self::MalformedHeader(what) => write!(f, "the header is malformed: {what}"),
            Self::UnsupportedCriticalHeader(name) => {
                write!(f, "the header has \"{name}\", and no header extension is supported")
            }
            Self::WrongType(mismatch) => write!(f, "the header's {mismatch}"),
            Self::AlgorithmNotAllowed(what) => f.write_str(what),
            Self::UnknownKey(UnknownKey::Named(kid)) => {
                write!(f, "the key set has no key {}", Quoted(kid))
            }
            Self::UnknownKey(UnknownKey::NoneFits) => {
                f.write_str("the header names no key, and the key set has none with the token's algorithm")
            }
            Self::UnknownKey(UnknownKey::TooManyFit) => f.write_str(
                "the header names no key, and too many keys of the set have the token's algorithm to try each",
            ),
            Self::InvalidSignature => f.write_str("the signature is invalid"),
            Self::MalformedClaims(what) => write!(f, "the claims are malformed: {what}"),
            Self::Expired { expires_at, now } => {
                write!(f, "the token expired {} s ago", Seconds(now - expires_at))
            }
            Self::NotYetValid { not_before, now } => {
                write!(f, "the token becomes valid in {} s", Seconds(not_before - now))
            }
            Self::IssuedInFuture { issued_at, now } => {
                write!(f, "the token was issued {} s ahead of this clock", Seconds(issued_at - now))
            }
            Self::WrongIssuer(mismatch) | Self::WrongAudience(mismatch) => write!(f, "{mismatch}"),
            Self::MissingClaim { name, expected: None } => {
                write!(f, "the claim {} is required and missing", Quoted(name))
            }
            Self::MissingClaim { name, expected: Some(expected) } => {
                write!(f, "the claim {} is required and missing; it {expected}", Quoted(name))
            }
            Self::CertificateRequired => f.write_str(
                "the token is bound to a client certificate by \"cnf\" and was sent without one: use mutual TLS",
            ),
            Self::CertificateMismatch => {
                f.write_str("the token is bound to another client certificate than the one that it was sent with")
            }
            Self::ProofRequired => {
                f.write_str("the token is bound to a key by \"cnf\" and was sent without a proof of possession")
            }
            Self::Proof(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "{error}"),
            Self::Member { name, must_be } => write!(f, "\"{name}\" must be {must_be}"),
            Self::NamedClaim { name, must_be } => write!(f, "{} must be {must_be}", Quoted(name)),
        }
    }
}

impl From<crate::dpop::ProofError> for Error {
    fn from(error: crate::dpop::ProofError) -> Self {
        Self::Proof(error)
    }
}

impl From<crate::json::Error> for Malformed {
    fn from(error: crate::json::Error) -> Self {
        Self::Json(error)
    }
}

/// Untrusted text, made safe for a log line: escaped, and cut after 64 characters.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Cut { text: self.0, longest: 64 }.fmt(f)
    }
}

/// The same with another length.
pub(crate) struct Cut<'a> {
    pub(crate) text: &'a str,
    pub(crate) longest: usize,
}

impl fmt::Display for Cut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for ch in self.text.chars().take(self.longest) {
            // Everything outside printable ASCII is escaped: direction marks and look-alikes mislead readers of logs.
            if ch == '"' || ch == '\\' || !(' '..='~').contains(&ch) {
                write!(f, "{}", ch.escape_default())?;
            } else {
                write!(f, "{ch}")?;
            }
        }
        f.write_str(if self.text.chars().nth(self.longest).is_some() { "\"…" } else { "\"" })
    }
}

/// A span of time, whole seconds without a fraction.
pub(crate) struct Seconds(pub(crate) f64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.fract() == 0.0 { write!(f, "{:.0}", self.0) } else { write!(f, "{:.3}", self.0) }
    }
}
