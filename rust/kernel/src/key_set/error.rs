//! Why a document is not a key set.

use std::fmt;

use super::{MAX_DOCUMENT, MAX_KEYS};
use crate::json;
use crate::key_params::KeyDefect;

/// Why a document is not a key set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySetError {
    /// Longer than [`MAX_DOCUMENT`] bytes.
    TooLarge,
    /// Not strict JSON, or not an object.
    Json(json::Error),
    /// Neither a JWK Set with an array `keys` nor a single JWK with a `kty`.
    NotAKeySet,
    /// Neither JSON nor PEM nor DER.
    UnknownForm,
    /// More than [`MAX_KEYS`] elements.
    TooManyKeys,
    /// A key of a PEM or DER document is rejected.
    Key(KeyDefect),
    /// A `kid` was given for a PEM text with several keys.
    SeveralKeys,
}

impl fmt::Display for KeySetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "the document has more than {MAX_DOCUMENT} bytes"),
            Self::Json(error) => write!(f, "the document is not a JWK Set: {error}"),
            Self::NotAKeySet => {
                f.write_str("the document is neither a JWK Set (an array \"keys\") nor a JWK (a member \"kty\")")
            }
            Self::UnknownForm => f.write_str("neither a JWK Set, nor a JWK, nor a public key in PEM or DER"),
            Self::TooManyKeys => write!(f, "the set has more than {MAX_KEYS} keys"),
            Self::Key(defect) => write!(f, "the key cannot be used: {defect}"),
            Self::SeveralKeys => {
                f.write_str("the PEM text has several keys, which cannot share one key_id: give one key, or no key_id")
            }
        }
    }
}

impl std::error::Error for KeySetError {}
