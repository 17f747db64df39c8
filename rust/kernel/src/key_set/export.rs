//! A key set as text, from which it can be read again.

use super::{KeySet, KeySetError};
use crate::key::PublicKey;
use crate::signature::KeyOptions;

impl KeySet {
    /// The set as a JWK Set (RFC 7517 section 5), wherever it was read from. [`restore`](Self::restore) makes the same set
    /// of it: the same keys with their restrictions, and the same rejected keys.
    ///
    /// It contains what decides a verdict and nothing else: no certificates, and of a rejected private or symmetric key no
    /// secret.
    pub fn to_json(&self) -> String {
        let (mut keys, mut rejected) = (self.keys.iter(), self.rejected.iter().peekable());
        let elements = (0..self.keys.len() + self.rejected.len()).filter_map(|index| {
            match rejected.next_if(|rejected| rejected.index == index) {
                Some(rejected) => Some(rejected.json.clone()),
                None => keys.next().map(PublicKey::to_json),
            }
        });
        format!("{{\"keys\":[{}]}}", elements.collect::<Vec<_>>().join(","))
    }

    /// The set that [`to_json`](Self::to_json) wrote. Every key is validated again. The document's length is not limited: it
    /// was when the set was read first, and escapes are written longer than an issuer may write them.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json).
    pub fn restore(document: &str, options: impl Into<KeyOptions>) -> Result<Self, KeySetError> {
        Self::of_json(document.as_bytes(), options.into())
    }
}
