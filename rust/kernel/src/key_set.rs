//! Key sets (RFC 7517 section 5): immutable, each key judged at import, a bad one left out and reported.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use once_cell::race::OnceBox;

use crate::algorithm::Algorithm;
use crate::error::{Error, UnknownKey};
use crate::json::{self, Object, Value};
use crate::key::PublicKey;
use crate::material::Defect;
use crate::signature::KeyOptions;

/// How long a key set's document may be, in bytes.
pub const MAX_DOCUMENT: usize = 1024 * 1024;

/// How many elements `keys` may have.
pub const MAX_KEYS: usize = 256;

/// How many keys are tried for a token that names none: what an unauthenticated sender may cost.
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

/// The places of the keys of one `kid`. No two of them have an algorithm in common, so that a `kid` and an algorithm name
/// one key or none.
#[derive(Debug, Clone)]
struct SameId {
    first: usize,
    others: Vec<usize>,
}

/// Keys whose tables stay as long as the set, and its copies, are there.
#[derive(Debug)]
struct Pins(Vec<PublicKey>);

/// A key that was left out of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedKey {
    /// Its place in the document, from 0.
    pub index: usize,
    /// Its `kid`, where that can be read.
    pub key_id: Option<String>,
    /// What is wrong with it.
    pub defect: Defect,
}

/// Why a document is not a key set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySetError {
    /// Longer than [`MAX_DOCUMENT`] bytes.
    TooLarge,
    /// Not strict JSON, or not an object.
    Json(json::Error),
    /// Neither a JWK Set with an array `keys` nor a single JWK with a `kty`.
    NotAKeySet,
    /// More than [`MAX_KEYS`] elements.
    TooManyKeys,
    /// A PEM or DER document, which holds one key or a few, has one that is not acceptable.
    Key(Defect),
    /// A name was given for a PEM text of several keys.
    SeveralKeys,
}

impl KeySet {
    /// Reads a JWK Set, or a single JWK as a set of one.
    ///
    /// # Errors
    /// [`KeySetError`] where the document as a whole is not one. Bad keys are no error: see [`KeySet::rejected`].
    pub fn from_json(document: &[u8], options: impl Into<KeyOptions>) -> Result<Self, KeySetError> {
        if document.len() > MAX_DOCUMENT {
            return Err(KeySetError::TooLarge);
        }
        let members = Object::parse(document).map_err(KeySetError::Json)?;
        let mut set = Self { options: options.into(), ..Self::default() };
        match members.get("keys") {
            Some(Value::Array(keys)) => {
                if keys.iter().nth(MAX_KEYS).is_some() {
                    return Err(KeySetError::TooManyKeys);
                }
                for (index, key) in keys.iter().enumerate() {
                    match key {
                        Value::Object(jwk) => set.take(index, &jwk.members()),
                        _ => set.reject(index, None, Defect::NotAnObject),
                    }
                }
            }
            None if members.contains("kty") => set.take(0, &members),
            _ => return Err(KeySetError::NotAKeySet),
        }
        Ok(set)
    }

    /// Reads the public keys of a PEM text; `key_id` names the key of a text with one.
    ///
    /// # Errors
    /// [`KeySetError`] where any of the keys is not acceptable: nobody else's key is taken along here.
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

    /// Reads one public key in DER.
    ///
    /// # Errors
    /// [`KeySetError`] where the key is not acceptable.
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

    /// Builds the tables of all keys now, where there is room within the budget, and keeps them as long as the set is
    /// there: see [`tables`](crate::tables). Returns how many keys have all that they can have; the others verify
    /// as well, and slower. A second call does nothing more.
    pub fn prepare(&self) -> usize {
        // Threads that prepare the set at the same time all do: only one of them is remembered, and the others let go.
        let pin = || Box::new(Pins(self.keys.iter().filter(|key| key.pin()).cloned().collect()));
        let pins = self.pins.get_or_init(pin);
        pins.0.len()
    }

    /// The keys, in the order of the document.
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// The key with this `kid`: of several, which have different algorithms, the first of the document.
    pub fn get(&self, key_id: &str) -> Option<&PublicKey> {
        self.by_id.get(key_id).and_then(|same| self.keys.get(same.first))
    }

    /// The key with this `kid` and this algorithm, of which there is never more than one.
    pub fn get_for(&self, key_id: &str, algorithm: Algorithm) -> Option<&PublicKey> {
        let has = |key: &&PublicKey| key.algorithms().contains(algorithm);
        let same = self.by_id.get(key_id)?;
        self.keys.get(same.first).filter(has).or_else(|| {
            let mut others = same.others.iter().filter_map(|&index| self.keys.get(index));
            others.find(has)
        })
    }

    /// The keys that were left out, in the order of the document.
    pub fn rejected(&self) -> &[RejectedKey] {
        &self.rejected
    }

    /// How signatures by these keys are verified.
    pub fn options(&self) -> KeyOptions {
        self.options
    }

    /// The keys that a token with this header may have been signed with: the key that it names by `kid` and algorithm;
    /// else, of the keys without a `kid` (or of all, if the token names none), those that have the algorithm.
    pub(crate) fn candidates(&self, key_id: Option<&str>, algorithm: Algorithm) -> Result<Candidates<'_>, Error> {
        if let Some(named) = key_id {
            if let Some(key) = self.get_for(named, algorithm) {
                return Ok(Candidates::Named(key));
            }
            if self.by_id.contains_key(named) {
                return Err(Error::AlgorithmNotAllowed("the header's \"alg\" is not one of the key's algorithms"));
            }
        }
        let fitting: Vec<&PublicKey> = self
            .keys
            .iter()
            .filter(|key| key_id.is_none() || key.key_id().is_none())
            .filter(|key| key.algorithms().contains(algorithm))
            .collect();
        match (fitting.len(), key_id) {
            (0, Some(key_id)) => Err(Error::UnknownKey(UnknownKey::Named(key_id.to_owned()))),
            (0, None) => Err(Error::UnknownKey(UnknownKey::NoneFits)),
            (1..=MAX_TRIED, _) => Ok(Candidates::Fitting(fitting)),
            _ => Err(Error::UnknownKey(UnknownKey::TooManyFit)),
        }
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
                self.reject(index, key_id, defect);
            }
        }
    }

    fn insert(&mut self, index: usize, key: PublicKey) {
        if let Some(key_id) = key.key_id() {
            // Were two keys of one name to share an algorithm, a token could be tried with either: the first one stays.
            if key.algorithms().iter().any(|algorithm| self.get_for(key_id, algorithm).is_some()) {
                let key_id = Some(key_id.to_owned());
                return self.reject(index, key_id, Defect::DuplicateKeyId);
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

    fn reject(&mut self, index: usize, key_id: Option<String>, defect: Defect) {
        self.rejected.push(RejectedKey { index, key_id, defect });
    }
}

/// The keys that a token may have been signed with: nearly always the one that it names.
pub(crate) enum Candidates<'k> {
    Named(&'k PublicKey),
    Fitting(Vec<&'k PublicKey>),
}

impl<'k> Candidates<'k> {
    pub(crate) fn as_slice(&self) -> &[&'k PublicKey] {
        match self {
            Self::Named(key) => std::slice::from_ref(key),
            Self::Fitting(keys) => keys,
        }
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        self.0.iter().for_each(PublicKey::unpin);
    }
}

impl fmt::Display for KeySetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "the document has more than {MAX_DOCUMENT} bytes"),
            Self::Json(error) => write!(f, "the document is not a JWK Set: {error}"),
            Self::NotAKeySet => {
                f.write_str("the document is neither a JWK Set (an array \"keys\") nor a JWK (a member \"kty\")")
            }
            Self::TooManyKeys => write!(f, "the set has more than {MAX_KEYS} keys"),
            Self::Key(defect) => write!(f, "the key cannot be used: {defect}"),
            Self::SeveralKeys => f.write_str("one key id cannot name several keys: give one key, or no key id"),
        }
    }
}

impl std::error::Error for KeySetError {}
