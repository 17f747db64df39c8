//! Which keys of a set may have signed a token.

use super::{KeySet, MAX_TRIED};
use crate::algorithm::Algorithm;
use crate::error::{Error, UnknownKey};
use crate::key::PublicKey;

/// The keys that may have signed a token: nearly always the one that it names.
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

impl KeySet {
    /// The keys that may have signed a token with this header: the key with its `kid` and algorithm; otherwise all keys
    /// with the algorithm that have no `kid`, or all keys with the algorithm if the token has no `kid`.
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
}
