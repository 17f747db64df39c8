//! Why a set of scopes cannot be built, and why it does not allow a request.

use std::fmt;

use super::MAX_OVERLAP;
use crate::error::Quoted;

/// Why a set of scopes cannot be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScopeError {
    /// The text is not a scope of the grammar.
    Syntax {
        /// The text.
        scope: String,
        /// What a scope must be.
        must: &'static str,
    },
    /// The intersection would be longer than [`MAX_OVERLAP`] bytes.
    TooLarge,
}

/// The scopes do not allow what is required (RFC 6750 section 3.1, `insufficient_scope`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InsufficientScope {
    required: String,
}

impl InsufficientScope {
    /// The error for `required`: scopes separated by spaces.
    pub fn new(required: String) -> Self {
        Self { required }
    }

    /// The stable name of this error.
    pub fn code(&self) -> &'static str {
        "insufficient_scope"
    }

    /// What is required and not covered: scopes separated by spaces.
    pub fn required(&self) -> &str {
        &self.required
    }
}

impl fmt::Display for ScopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { scope, must } => write!(f, "{} is not a scope: {must}", Quoted(scope)),
            Self::TooLarge => write!(f, "the intersection would be longer than {MAX_OVERLAP} bytes"),
        }
    }
}

impl fmt::Display for InsufficientScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the token's scopes do not cover {}", Quoted(&self.required))
    }
}

impl std::error::Error for ScopeError {}

impl std::error::Error for InsufficientScope {}
