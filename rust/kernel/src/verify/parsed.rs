//! A token between its header and its signature.

use super::VerifiedJws;
use crate::algorithm::Algorithm;
use crate::error::Error;
use crate::jws::Compact;
use crate::key::{PublicKey, SignedMessage};
use crate::key_set::Candidates;

/// A token before its signature is verified, and the keys that it may have been signed with.
pub(super) struct ParsedToken<'t, 'k> {
    pub(super) parts: Compact<'t>,
    pub(super) algorithm: Algorithm,
    pub(super) keys: Candidates<'k>,
}

impl<'k> ParsedToken<'_, 'k> {
    /// The first of the keys under which the signature is valid.
    pub(super) fn signing_key(&self) -> Option<&'k PublicKey> {
        self.signed_with(self.keys.as_slice())
    }

    /// The first of these keys under which the signature is valid.
    pub(super) fn signed_with<'a>(&self, keys: &[&'a PublicKey]) -> Option<&'a PublicKey> {
        let signature = self.parts.decoded.signature();
        keys.iter().copied().find(|key| key.verify(self.algorithm, self.parts.signing_input, signature))
    }

    /// The only key that the token may have been signed with; `None` if there are several.
    pub(super) fn only_key(&self) -> Option<&'k PublicKey> {
        match *self.keys.as_slice() {
            [key] => Some(key),
            _ => None,
        }
    }

    /// What is to be verified if there is only one key.
    pub(super) fn message_of_only_key(&self) -> Option<SignedMessage<'_>> {
        let (message, signature) = (self.parts.signing_input, self.parts.decoded.signature());
        self.only_key().map(|key| SignedMessage { key, algorithm: self.algorithm, message, signature })
    }

    /// The token as signed by `key`, under which the signature is valid.
    ///
    /// # Errors
    /// [`Error::InvalidSignature`] if there is no such key.
    pub(super) fn signed_by(self, key: Option<&PublicKey>) -> Result<VerifiedJws, Error> {
        let key = key.ok_or(Error::InvalidSignature)?;
        Ok(VerifiedJws::new(self.parts.decoded, self.algorithm, key))
    }
}
