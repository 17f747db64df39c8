//! The methods of a route.

use std::fmt;

/// The methods that a route is for, compared exactly: methods are case-sensitive (RFC 9110 section 9.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Methods {
    /// All methods.
    #[default]
    Any,
    /// These; `GET` includes `HEAD`, which asks for the same without its content (RFC 9110 section 9.3.2).
    OneOf(Vec<String>),
}

/// Why a text is not a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MethodError {
    /// It is not a token (RFC 9110 section 5.6.2).
    NotAToken,
    /// It is a registered method but for upper and lower case, or a star.
    Spelling(&'static str),
}

/// The registered methods (RFC 9110 section 9.3, RFC 5789).
const REGISTERED: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// Checks the name of one method of a route.
///
/// # Errors
/// [`MethodError`] if no request that is meant can have it.
pub fn check_method(method: &str) -> Result<(), MethodError> {
    if method.is_empty() || !method.bytes().all(is_token_byte) {
        return Err(MethodError::NotAToken);
    }
    if method == "*" {
        return Err(MethodError::Spelling("*"));
    }
    let same = REGISTERED.into_iter().find(|known| known.eq_ignore_ascii_case(method));
    match same {
        Some(known) if known != method => Err(MethodError::Spelling(known)),
        _ => Ok(()),
    }
}

impl Methods {
    /// Whether requests with this method are meant.
    pub fn includes(&self, method: &str) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(methods) => {
                methods.iter().any(|known| known == method)
                    || (method == "HEAD" && methods.iter().any(|known| known == "GET"))
            }
        }
    }

    /// Whether every method of the other ones is included.
    pub fn cover(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::OneOf(_), Self::Any) => false,
            (Self::OneOf(_), Self::OneOf(methods)) => methods.iter().all(|method| self.includes(method)),
        }
    }

    /// Whether there is a method that both include.
    pub fn overlap(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, Self::Any) => true,
            (Self::Any, Self::OneOf(methods)) | (Self::OneOf(methods), Self::Any) => !methods.is_empty(),
            (Self::OneOf(these), Self::OneOf(those)) => {
                those.iter().any(|method| self.includes(method)) || these.iter().any(|method| other.includes(method))
            }
        }
    }
}

/// Whether a byte may be in a token (RFC 9110 section 5.6.2).
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

impl fmt::Display for MethodError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAToken => f.write_str("a method is a word such as \"GET\" (RFC 9110 section 9.1)"),
            Self::Spelling("*") => f.write_str("\"*\" is not a method: leave methods out for all methods"),
            Self::Spelling(known) => write!(f, "methods are case-sensitive: write {known:?}"),
        }
    }
}

impl std::error::Error for MethodError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn methods(names: &[&str]) -> Methods {
        Methods::OneOf(names.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn methods_are_compared_exactly() {
        assert!(Methods::Any.includes("PURGE"));
        assert!(methods(&["GET", "POST"]).includes("POST"));
        assert!(methods(&["GET"]).includes("HEAD"));
        assert!(!methods(&["HEAD"]).includes("GET"));
        assert!(!methods(&["GET"]).includes("get"));
        assert!(!methods(&["POST"]).includes("HEAD"));
    }

    #[test]
    fn covering_and_overlapping() {
        assert!(Methods::Any.cover(&methods(&["GET"])));
        assert!(!methods(&["GET"]).cover(&Methods::Any));
        assert!(methods(&["GET"]).cover(&methods(&["HEAD"])));
        assert!(!methods(&["HEAD"]).cover(&methods(&["GET"])));
        assert!(methods(&["HEAD"]).overlap(&methods(&["GET"])));
        assert!(methods(&["GET"]).overlap(&methods(&["HEAD"])));
        assert!(!methods(&["GET"]).overlap(&methods(&["POST"])));
        assert!(Methods::Any.overlap(&Methods::Any));
    }

    #[test]
    fn misspelt_methods_are_rejected() {
        assert_eq!(check_method("GET"), Ok(()));
        assert_eq!(check_method("PURGE"), Ok(()));
        assert_eq!(check_method("purge"), Ok(()));
        assert_eq!(check_method("get"), Err(MethodError::Spelling("GET")));
        assert_eq!(check_method("*"), Err(MethodError::Spelling("*")));
        assert_eq!(check_method(""), Err(MethodError::NotAToken));
        assert_eq!(check_method("GET POST"), Err(MethodError::NotAToken));
    }
}
