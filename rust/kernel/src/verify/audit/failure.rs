//! Why a use of a token was not valid.

use crate::error::Error;

/// Why a use of a token was not valid: the token's own error, or one that only a log of the past can have. Each has a
/// stable [`code`](Self::code).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum AuditFailure {
    /// The row has no token.
    MissingToken,
    /// The row has no time, or one before the epoch or after the year 9999.
    InvalidTime,
    /// The token fails a check, as it would have when it was used.
    Token(Error),
    /// The token names an issuer of which no keys are recorded.
    UnknownIssuer,
    /// There is no record of the issuer's keys at that time.
    KeysNotRecorded,
    /// The key that signed the token may have been in other hands than the issuer's.
    KeyCompromised,
    /// The token does not have the scopes that were required at that time.
    InsufficientScope,
}

impl AuditFailure {
    /// The stable name of this failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingToken => "missing_token",
            Self::InvalidTime => "invalid_time",
            Self::Token(error) => error.code(),
            Self::UnknownIssuer => "wrong_issuer",
            Self::KeysNotRecorded => "keys_not_recorded",
            Self::KeyCompromised => "key_compromised",
            Self::InsufficientScope => "insufficient_scope",
        }
    }
}

impl From<Error> for AuditFailure {
    fn from(error: Error) -> Self {
        Self::Token(error)
    }
}
