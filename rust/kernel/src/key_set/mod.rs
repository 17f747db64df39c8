//! Key sets (RFC 7517 section 5): immutable, each key validated once, when loaded; a bad key is rejected and listed.

mod candidates;
mod error;
mod export;

use std::collections::HashMap;
use std::sync::Arc;

use once_cell::race::OnceBox;

pub(crate) use candidates::Candidates;
pub use error::KeySetError;

use crate::algorithm::Algorithm;
use crate::json::{Object, Value};
use crate::key::{PublicKey, without_secrets};
use crate::key_params::KeyDefect;
use crate::signature::KeyOptions;

/// The maximum size of a key set's document, in bytes.
pub const MAX_DOCUMENT: usize = 1024 * 1024;

/// The maximum number of elements of `keys`.
pub const MAX_KEYS: usize = 256;

/// The maximum number of keys that are tried for a token without `kid`: it bounds what an unauthenticated sender can
/// cost.
pub const MAX_TRIED: usize = 16;

/// The keys of one issuer.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    keys: Vec<PublicKey>,
    by_id: HashMap<String, SameId>,
    rejected: Vec<RejectedKey>,
    options: KeyOptions,
    pins: Arc<OnceBox<Pins>>,
}

/// The indices of the keys with one `kid`. No two of them have an algorithm in common, so that a `kid` and an algorithm
/// identify at most one key.
#[derive(Debug, Clone)]
struct SameId {
    first: usize,
    others: Vec<usize>,
}

/// Keys whose tables stay until the set and all its copies are dropped.
#[derive(Debug)]
struct Pins(Vec<PublicKey>);

/// A key of the document that is not in the set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedKey {
    /// Its index in the document, from 0.
    pub index: usize,
    /// Its `kid`, if it is a string.
    pub key_id: Option<String>,
    /// Why it was rejected.
    pub defect: KeyDefect,
    /// What of the element decides that it is rejected, as JSON, without secrets: see [`KeySet::to_json`].
    json: String,
}

impl KeySet {
    /// Parses a JWK Set, or a single JWK as a set of one key.
    ///
    /// # Errors
    /// [`KeySetError`] if the document as a whole is invalid. Bad keys are no error: see [`KeySet::rejected`].
    pub fn from_json(document: &[u8], options: impl Into<KeyOptions>) -> Result<Self, KeySetError> {
        if document.len() > MAX_DOCUMENT {
            return Err(KeySetError::TooLarge);
        }
        Self::of_json(document, options.into())
    }

    fn of_json(document: &[u8], options: KeyOptions) -> Result<Self, KeySetError> {
        let members = Object::parse(document).map_err(KeySetError::Json)?;
        let mut set = Self { options, ..Self::default() };
        match members.get("keys") {
            Some(Value::Array(keys)) => {
                if keys.iter().nth(MAX_KEYS).is_some() {
                    return Err(KeySetError::TooManyKeys);
                }
                for (index, key) in keys.iter().enumerate() {
                    match key {
                        Value::Object(jwk) => set.take(index, &jwk.members()),
                        _ => set.reject(index, None, KeyDefect::NotAnObject, "null".to_owned()),
                    }
                }
            }
            None if members.contains("kty") => set.take(0, &members),
            _ => return Err(KeySetError::NotAKeySet),
        }
        Ok(set)
    }

    /// Parses the public keys of a PEM text. `key_id` is the `kid` of the key if there is only one.
    ///
    /// # Errors
    /// [`KeySetError`] if any of the keys is rejected.
    pub fn from_pem(
        pem: &str,
        key_id: Option<&str>,
        algorithm: Option<&str>,
        options: impl Into<KeyOptions>,
    ) -> Result<Self, KeySetError> {
        if pem.len() > MAX_DOCUMENT {
            return Err(KeySetError::TooLarge);
        }
        let options = options.into();
        let mut keys = PublicKey::from_pem(pem, algorithm, options).map_err(KeySetError::Key)?;
        if keys.len() > MAX_KEYS {
            return Err(KeySetError::TooManyKeys);
        }
        if let Some(key_id) = key_id {
            if keys.len() > 1 {
                return Err(KeySetError::SeveralKeys);
            }
            keys = keys.into_iter().map(|key| key.named(key_id)).collect();
        }
        Ok(Self::of(keys, options))
    }

    /// Parses one public key in DER.
    ///
    /// # Errors
    /// [`KeySetError`] if the key is rejected.
    pub fn from_der(
        der: &[u8],
        key_id: Option<&str>,
        algorithm: Option<&str>,
        options: impl Into<KeyOptions>,
    ) -> Result<Self, KeySetError> {
        if der.len() > MAX_DOCUMENT {
            return Err(KeySetError::TooLarge);
        }
        let options = options.into();
        let key = PublicKey::from_der(der, key_id, algorithm, options).map_err(KeySetError::Key)?;
        Ok(Self::of(vec![key], options))
    }

    /// Parses a document whose first bytes say its form: `{` for JSON, `-----BEGIN ` for PEM, an ASN.1 SEQUENCE for DER.
    ///
    /// # Errors
    /// [`KeySetError`] if it is none of these, or if it is invalid.
    pub fn from_document(document: &[u8], options: impl Into<KeyOptions>) -> Result<Self, KeySetError> {
        let text = document.trim_ascii_start();
        match (document.first(), std::str::from_utf8(text)) {
            _ if text.starts_with(b"{") => Self::from_json(document, options),
            (_, Ok(pem)) if pem.starts_with("-----BEGIN ") => Self::from_pem(pem, None, None, options),
            // The tag of a SEQUENCE (X.690 section 8.9).
            (Some(0x30), _) => Self::from_der(document, None, None, options),
            _ => Err(KeySetError::UnknownForm),
        }
    }

    /// Builds the tables of all keys now, as far as the budget has room, and keeps them until the set is dropped: see
    /// [`tables`](crate::tables). Returns how many keys are as fast as they can be; the others verify without a table.
    /// A second call does nothing more.
    pub fn prepare(&self) -> usize {
        // Threads that prepare the set at the same time all build pins: one is kept, and the others are dropped.
        let pin = || Box::new(Pins(self.keys.iter().filter(|key| key.pin()).cloned().collect()));
        let pins = self.pins.get_or_init(pin);
        pins.0.len()
    }

    /// The keys, in the order of the document.
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// The key with this `kid`. Several keys may share it if their algorithms differ: this is the first in the
    /// document.
    pub fn get(&self, key_id: &str) -> Option<&PublicKey> {
        self.by_id.get(key_id).and_then(|same| self.keys.get(same.first))
    }

    /// The key with this `kid` and this algorithm. There is never more than one.
    pub fn get_for(&self, key_id: &str, algorithm: Algorithm) -> Option<&PublicKey> {
        let has = |key: &&PublicKey| key.algorithms().contains(algorithm);
        let same = self.by_id.get(key_id)?;
        self.keys.get(same.first).filter(has).or_else(|| {
            let mut others = same.others.iter().filter_map(|&index| self.keys.get(index));
            others.find(has)
        })
    }

    /// The rejected keys, in the order of the document.
    pub fn rejected(&self) -> &[RejectedKey] {
        &self.rejected
    }

    /// How signatures by these keys are verified.
    pub fn options(&self) -> KeyOptions {
        self.options
    }

    fn of(keys: Vec<PublicKey>, options: KeyOptions) -> Self {
        let mut set = Self { options, ..Self::default() };
        for (index, key) in keys.into_iter().enumerate() {
            set.insert(index, key);
        }
        set
    }

    fn take(&mut self, index: usize, jwk: &Object<'_>) {
        match PublicKey::from_jwk(jwk, self.options) {
            Ok(key) => self.insert(index, key),
            Err(defect) => {
                let key_id = jwk.get("kid").and_then(Value::as_str).map(str::to_owned);
                self.reject(index, key_id, defect, without_secrets(jwk));
            }
        }
    }

    fn insert(&mut self, index: usize, key: PublicKey) {
        if let Some(key_id) = key.key_id() {
            // With two keys of one `kid` and algorithm, a token could be verified with either: only the first is used.
            if key.algorithms().iter().any(|algorithm| self.get_for(key_id, algorithm).is_some()) {
                let key_id = Some(key_id.to_owned());
                return self.reject(index, key_id, KeyDefect::DuplicateKeyId, key.to_json());
            }
            let place = self.keys.len();
            match self.by_id.get_mut(key_id) {
                Some(same) => same.others.push(place),
                None => {
                    self.by_id.insert(key_id.to_owned(), SameId { first: place, others: Vec::new() });
                }
            }
        }
        self.keys.push(key);
    }

    fn reject(&mut self, index: usize, key_id: Option<String>, defect: KeyDefect, json: String) {
        self.rejected.push(RejectedKey { index, key_id, defect, json });
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        self.0.iter().for_each(PublicKey::unpin);
    }
}
