//! Why a policy, or a table of issuers, is invalid.

use std::fmt;

/// Why a policy, or a table of issuers, is invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError(String);

impl PolicyError {
    pub(crate) fn new(what: &str) -> Self {
        Self(what.to_owned())
    }
}

/// Checks that there are names, and that none is empty.
pub(super) fn check_names(what: &str, names: &[String]) -> Result<(), PolicyError> {
    if names.is_empty() || names.iter().any(String::is_empty) {
        return Err(PolicyError(format!("{what} is empty: name one, or omit it")));
    }
    Ok(())
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PolicyError {}
