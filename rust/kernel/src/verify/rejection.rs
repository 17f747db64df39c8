//! The verdict on a token that is rejected.

use std::fmt;

use super::VerifiedJws;
use crate::error::Error;

/// Why a token was rejected, and what was signed if its signature was valid, so that an audit log can record whose token it
/// was. It is an [`Error`] in all other respects.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejection {
    error: Error,
    signed: Option<Box<VerifiedJws>>,
}

impl Rejection {
    /// A rejection after the signature was found valid.
    pub(super) fn of_signed(jws: VerifiedJws, error: Error) -> Self {
        Self { error, signed: Some(Box::new(jws)) }
    }

    /// The reason.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The stable name of the reason, see [`Error::code`].
    pub fn code(&self) -> &'static str {
        self.error.code()
    }

    /// Header and payload, if the signature was valid: what the issuer signed, in a token that is not accepted. `None` if
    /// the check that failed is that of the signature or an earlier one.
    pub fn signed(&self) -> Option<&VerifiedJws> {
        self.signed.as_deref()
    }

    /// The reason, and what was signed.
    pub fn into_parts(self) -> (Error, Option<VerifiedJws>) {
        (self.error, self.signed.map(|jws| *jws))
    }
}

impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        Self { error, signed: None }
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        rejection.error
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl std::error::Error for Rejection {}
